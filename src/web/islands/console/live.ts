// The live state of a sale: the stream of its snapshots, and how fresh it is.

import { useEffect, useState } from "preact/hooks";

import { couponPath } from "./api.ts";

/** A snapshot, as `GET /api/coupons/{name}/status` has it. */
export type Snapshot = {
  readonly name: string;
  readonly state: string;
  readonly amount: number;
  readonly remaining_amount: number;
  readonly held_amount: number;
  readonly starts_at: string | null;
  readonly ends_at: string | null;
  readonly server_time: string;
  readonly seq: number;
};

export type Live = {
  readonly snapshot: Snapshot | null;
  readonly status: "connecting" | "live" | "reconnecting" | "deleted";
  /** When the last snapshot arrived, by this browser's clock. Null before that. */
  readonly heardAt: number | null;
};

/** The server ends each stream now and then, and the browser comes back within two seconds. That is no news. */
const RECONNECTING_MS = 4_000;
/** After an answer that ends an `EventSource` for good, such as a 502 of a proxy. */
const RETRY_MS = 3_000;

/** Watches a sale while the tab is visible. Reconnects for ever. */
export function useLive(name: string): Live {
  const [live, setLive] = useState<Live>({ snapshot: null, status: "connecting", heardAt: null });
  useEffect(() => {
    let stream: EventSource | null = null;
    let isDeleted = false;
    let lossTimer: ReturnType<typeof setTimeout> | undefined;
    let retryTimer: ReturnType<typeof setTimeout> | undefined;

    function hear(part: Partial<Live>): void {
      clearTimeout(lossTimer);
      lossTimer = undefined;
      setLive((before) => ({ ...before, status: "live", ...part }));
    }

    function close(): void {
      clearTimeout(lossTimer);
      clearTimeout(retryTimer);
      lossTimer = undefined;
      stream?.close();
      stream = null;
    }

    function open(): void {
      const opened = new EventSource(couponPath(name, "/events"));
      stream = opened;
      opened.addEventListener("message", ({ data }: MessageEvent<string>) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server's own tests hold its messages to their schema
        hear({ snapshot: JSON.parse(data) as Snapshot, heardAt: Date.now() });
      });
      opened.addEventListener("deleted", () => {
        hear({ status: "deleted" });
        isDeleted = true;
        close();
      });
      opened.addEventListener("error", () => {
        lossTimer ??= setTimeout(() => setLive((before) => ({ ...before, status: "reconnecting" })), RECONNECTING_MS);
        if (opened.readyState !== EventSource.CLOSED) return;
        clearTimeout(retryTimer);
        retryTimer = setTimeout(open, RETRY_MS);
      });
    }

    function follow(): void {
      if (isDeleted) return;
      close();
      if (document.hidden) return;
      setLive((before) => ({ ...before, status: "connecting" }));
      open();
    }

    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      close();
    };
  }, [name]);
  return live;
}

/** Returns the time of now, again after each `ms`. */
export function useNow(ms: number): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}
