// Reads of the API that a page repeats while it is visible.

import { useEffect, useRef, useState } from "preact/hooks";

import type { Answered, Refused } from "./api.ts";

/** How often the hook checks whether a read is due. */
const STEP_MS = 250;

export type ReadState = {
  readonly isHidden: boolean;
  readonly sinceMs: number;
  readonly everyMs: number;
  /** Whether there is something new to read, or the last read failed. */
  readonly hasMoved: boolean;
};

/** Whether a page reads now. A hidden tab never does. */
export function isReadDue({ isHidden, sinceMs, everyMs, hasMoved }: ReadState): boolean {
  return !isHidden && hasMoved && sinceMs >= everyMs;
}

export type Reading<T> = {
  readonly value: T | null;
  /** The refusal of the last read, if it failed. `value` is then an older one. */
  readonly refused: Refused | null;
  /** Reads at once. */
  readonly again: () => void;
};

export type ReadingOptions = {
  readonly everyMs: number;
  /** With it, a read waits until it has another value. */
  readonly version?: string | number;
  /** What is read. Another one is read at once, and an answer about the one before is dropped. */
  readonly key?: string;
};

/** Reads at once, and then at most each `everyMs` while the tab is visible. */
export function useReading<T>(read: (signal: AbortSignal) => Promise<Answered<T>>, { everyMs, version, key }: ReadingOptions): Reading<T> {
  const [state, setState] = useState<Omit<Reading<T>, "again">>({ value: null, refused: null });
  const [askedCount, setAskedCount] = useState(0);
  const latest = useRef({ read, version });
  latest.current = { read, version };

  useEffect(() => {
    const abort = new AbortController();
    let readAt = -Infinity;
    let readVersion: string | number | undefined;
    let isReading = false;

    async function step(): Promise<void> {
      const current = latest.current;
      const hasMoved = current.version === undefined || current.version !== readVersion;
      if (isReading || !isReadDue({ isHidden: document.hidden, sinceMs: Date.now() - readAt, everyMs, hasMoved })) return;
      isReading = true;
      readAt = Date.now();
      const answer = await current.read(abort.signal);
      isReading = false;
      if (abort.signal.aborted) return;
      // The login loads the page again.
      if (!answer.ok && answer.status === 401) clearInterval(timer);
      // What is not there comes back with another version only.
      if (answer.ok || answer.status === 404) readVersion = current.version;
      setState((before) => (answer.ok ? { value: answer.value, refused: null } : { ...before, refused: answer }));
    }

    const timer = setInterval(() => void step(), STEP_MS);
    void step();
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [askedCount, key]);
  return { ...state, again: () => setAskedCount((count) => count + 1) };
}
