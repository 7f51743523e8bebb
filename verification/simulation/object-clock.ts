// The clock of the coupon's object: how far it is ahead of the true one.

import type { Context } from "./context.ts";
import { T0 } from "./plan.ts";

export class ObjectClock {
  skewMs = 0;
  /** The least and the most that it was ahead. */
  skewMsMin = 0;
  skewMsMax = 0;
  /** False once it was set back. */
  isSteady = true;
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  now(): number {
    return T0 + this.#context.scheduler.now + this.skewMs;
  }

  /** Sets the clock of the next instance; null leaves it. */
  set(skewMs: number | null): void {
    if (skewMs === null) return;
    if (skewMs < this.skewMs) {
      this.isSteady = false;
      this.#context.count("clock.setBack");
    }
    this.skewMs = skewMs;
    this.skewMsMin = Math.min(this.skewMsMin, skewMs);
    this.skewMsMax = Math.max(this.skewMsMax, skewMs);
  }
}
