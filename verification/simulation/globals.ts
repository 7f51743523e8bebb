// The clock, the timers, randomness and the log of the product during a history.

import { createHash } from "node:crypto";

import type { Context } from "./context.ts";
import type { Init } from "./delivery.ts";
import { T0 } from "./plan.ts";
import type { Timer } from "./scheduler.ts";

/** The platform's stream that hashes what is written to it. */
class DigestStream extends WritableStream<Uint8Array> {
  readonly digest: Promise<ArrayBuffer>;

  constructor() {
    const hash = createHash("sha256");
    const { promise, resolve } = Promise.withResolvers<ArrayBuffer>();
    super({ write: (bytes) => void hash.update(bytes), close: () => resolve(new Uint8Array(hash.digest()).buffer) });
    this.digest = promise;
  }
}

/** What a history does instead of the globals. */
export type Behind = {
  readonly context: Context;
  readonly logged: (line: string) => void;
  readonly timer: (run: () => void, ms: number) => Timer;
  readonly fetch: ((url: string, init: Init) => Promise<unknown>) | null;
};

/**
 * Replaces the globals of this thread that read time, draw or write. They are those of {@link
 * Globals.behind}, or the thread's own without one. They are replaced once, because V8 would drop compiled
 * code at each replacement.
 */
export class Globals {
  #behind: Behind | null = null;
  #uuidCount = 0;

  constructor() {
    const now = Date.now.bind(Date);
    const random = Math.random.bind(Math);
    const randomUuid = crypto.randomUUID.bind(crypto);
    const setTimer = globalThis.setTimeout;
    const clearTimer = globalThis.clearTimeout;
    const write = console.error.bind(console);
    const fetchOwn = globalThis.fetch;
    // Real signatures come from a thread pool, whose answers virtual time can't wait for.
    const { subtle } = crypto;
    for (const name of ["importKey", "sign"] as const) {
      const own = subtle[name].bind(subtle) as (...given: unknown[]) => Promise<unknown>;
      Object.defineProperty(subtle, name, {
        value: async (...given: unknown[]) => (this.#behind === null ? own(...given) : new ArrayBuffer(32)),
      });
    }
    Object.defineProperty(crypto, "DigestStream", { value: DigestStream, configurable: true });
    const log = (line: unknown): void => (this.#behind === null ? write(line) : this.#behind.logged(String(line)));

    Date.now = () => (this.#behind === null ? now() : T0 + this.#behind.context.scheduler.now + this.#behind.context.skewMs);
    Math.random = () => (this.#behind === null ? random() : this.#behind.context.random.below(2 ** 20) / 2 ** 20);
    Object.assign(console, { error: log, log });
    Object.assign(globalThis, {
      fetch: async (url: string, init: Init & RequestInit) => (this.#behind?.fetch ?? fetchOwn)(url, init),
      setTimeout: (run: () => void, ms = 0) => (this.#behind === null ? setTimer(run, ms) : this.#behind.timer(run, Math.trunc(ms))),
      clearTimeout: (timer: Timer | NodeJS.Timeout | null): void => {
        if (timer !== null && "run" in timer) timer.run = null;
        else clearTimer(timer ?? undefined);
      },
    });
    Object.defineProperty(crypto, "randomUUID", { value: () => (this.#behind === null ? randomUuid() : this.#uuid()) });
  }

  /** Sets the history whose globals they are. */
  set behind(behind: Behind | null) {
    this.#behind = behind;
    this.#uuidCount = 0;
  }

  /** Entity tags need a first part that is unique. */
  #uuid(): string {
    this.#uuidCount += 1;
    return `${this.#uuidCount.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
  }
}
