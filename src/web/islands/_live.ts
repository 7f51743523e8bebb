// The live state of the sale: a stream of events, or polls where there is none. Polls set the clock too.

import { pollWaitMs, sampled, type ServerClock } from "../page-rules.ts";
import { statusIn, type SaleStatus } from "../sale-status.ts";

const POLL_MS_MAX = 8_000;

export type Heard = {
  readonly onStatus: (status: SaleStatus) => void;
  /** The coupon was deleted. */
  readonly onGone: () => void;
  /** The coupon was deleted, and its name is another one's now. */
  readonly onReplaced: () => void;
};

/** Watches the sale at `path`, beginning with the snapshot of its page. */
export class Live {
  /** When the stream was lost, by the page's clock. Null while there is one. */
  lostAt: number | null = Date.now();
  /** When the latest snapshot came, by the page's clock. */
  heardAt = Date.now();
  readonly #path: string;
  readonly #heard: Heard;
  #latest: SaleStatus;
  #clock: ServerClock;
  #stream: EventSource | null = null;
  #timer = 0;
  #isPolling = false;
  #isUrgent = false;
  #failureCount = 0;

  constructor(path: string, first: SaleStatus, heard: Heard) {
    [this.#path, this.#latest, this.#heard] = [path, first, heard];
    // The page may come from a cache, so its time is only a first guess.
    this.#clock = { offsetMs: first.serverTime - Date.now(), errorMs: Infinity };
  }

  start(): void {
    document.addEventListener("visibilitychange", () => this.#adapt());
    window.addEventListener("pageshow", ({ persisted }) => {
      if (persisted) this.#adapt();
    });
    this.#adapt();
  }

  /** Returns the time of the server. */
  now(): number {
    return Date.now() + this.#clock.offsetMs;
  }

  /** At zero of the countdown, the page polls until the state changes. */
  setUrgent(isUrgent: boolean): void {
    if (isUrgent === this.#isUrgent) return;
    this.#isUrgent = isUrgent;
    this.#schedule();
  }

  /** Corrects the clock and the state now. */
  async poll(): Promise<void> {
    if (this.#isPolling) return;
    this.#isPolling = true;
    clearTimeout(this.#timer);
    const isAnswered = await this.#pollOnce().catch(() => false);
    this.#failureCount = isAnswered ? 0 : this.#failureCount + 1;
    this.#isPolling = false;
    this.#schedule();
  }

  async #pollOnce(): Promise<boolean> {
    const sentAt = Date.now();
    const response = await fetch(`${this.#path}/status`, { cache: "no-store", signal: AbortSignal.timeout(POLL_MS_MAX) });
    const [receivedAt, text] = [Date.now(), await response.text()];
    if (response.status === 404) this.#heard.onGone();
    const status = response.ok ? statusIn(text) : null;
    if (status === null) return false;
    this.#clock = sampled(this.#clock, status.serverTime, sentAt, receivedAt);
    this.#hear(status);
    return true;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const isStreaming = this.lostAt === null;
    const polling = { isUrgent: this.#isUrgent, isHidden: document.hidden, isStreaming, failureCount: this.#failureCount };
    this.#timer = setTimeout(() => void this.poll(), pollWaitMs(polling, Math.random()));
  }

  #hear(status: SaleStatus): void {
    this.heardAt = Date.now();
    const { seq, serverTime, epoch } = this.#latest;
    if (status.epoch !== epoch) return this.#heard.onReplaced();
    if (status.seq < seq || (status.seq === seq && status.serverTime < serverTime)) return;
    this.#latest = status;
    this.#heard.onStatus(status);
  }

  /** A hidden page needs no stream. A page that is shown again may have slept. */
  #adapt(): void {
    if (document.hidden) {
      this.#stream?.close();
      this.#lose();
    } else {
      this.#open();
      void this.poll();
    }
  }

  #open(): void {
    this.#stream?.close();
    const stream = new EventSource(`${this.#path}/events`);
    this.#stream = stream;
    stream.addEventListener("open", () => {
      this.lostAt = null;
      this.#schedule();
    });
    stream.addEventListener("message", ({ data }) => {
      const status = statusIn(String(data));
      if (status !== null) this.#hear(status);
    });
    stream.addEventListener("deleted", () => this.#heard.onGone());
    stream.addEventListener("error", () => {
      this.#lose();
      // An EventSource gives up for good where the answer is no stream.
      const isOver = stream.readyState === EventSource.CLOSED && stream === this.#stream;
      if (isOver) setTimeout(() => document.hidden || this.#open(), 5_000 + 5_000 * Math.random());
    });
  }

  #lose(): void {
    this.lostAt ??= Date.now();
    this.#schedule();
  }
}
