// The object's alarm: it makes timely what would otherwise be done by the next call. Nothing depends on it for being right.

import { BrokenAssertion } from "../domain/assert.ts";
import { ALARM_RETRY_MS_MAX, ALARM_RETRY_MS_MIN, OUTCOMES_FLUSH_MS } from "../domain/limits.ts";
import type { CouponEngine } from "../engine/coupon-engine.ts";

export class WakeUp {
  readonly #ctx: DurableObjectState;
  readonly #engine: CouponEngine;
  /** When the platform will call, as far as this instance knows. Asking it costs, and setting the alarm writes a row. */
  #alarmAt: number | null = null;
  #failureCount = 0;

  constructor(ctx: DurableObjectState, engine: CouponEngine) {
    this.#ctx = ctx;
    this.#engine = engine;
  }

  /**
   * Sets the alarm where it is wanted earlier than it is set. Joins the writes of the turn: it lands with them or not at
   * all. Never throws, because what it follows has been committed.
   */
  arrange(now: number): void {
    const wakeAt = this.#engine.wakeAt(now + OUTCOMES_FLUSH_MS);
    if (wakeAt === null || (this.#alarmAt !== null && this.#alarmAt <= wakeAt)) return;
    this.#set(Math.max(wakeAt, now));
  }

  /** Runs `work` because the alarm went off. Never throws; what failed is tried again, later each time, by a fresh object if a fact was broken. */
  ring(work: (now: number) => void): void {
    const now = Date.now();
    this.#alarmAt = null;
    try {
      work(now);
      this.#failureCount = 0;
      this.arrange(now);
    } catch (cause) {
      this.#engine.reload();
      this.#report("alarm_failed", cause);
      this.#set(now + Math.min(ALARM_RETRY_MS_MIN * 2 ** this.#failureCount, ALARM_RETRY_MS_MAX));
      this.#failureCount += 1;
      if (cause instanceof BrokenAssertion) this.#ctx.abort(cause.message);
    }
  }

  /** The alarm went with everything else. */
  forget(): void {
    this.#alarmAt = null;
    this.#failureCount = 0;
  }

  #set(at: number): void {
    this.#alarmAt = at;
    // A failure to store it breaks the object's output gate, and with it this instance.
    this.#ctx.storage.setAlarm(at).catch((cause: unknown) => this.#report("alarm_not_set", cause));
  }

  #report(event: string, cause: unknown): void {
    console.error(JSON.stringify({ event, coupon: this.#ctx.id.name, cause: String(cause) }));
  }
}
