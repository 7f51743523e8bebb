// Measures how busy a coupon is, for the hint that makes isolates use lanes.

import { laneHint, trafficAt, type LaneHint } from "../domain/lanes.ts";

export class TrafficMeter {
  readonly #clock: () => number;
  readonly #waitingCount: () => number;
  #traffic = { perSecond: 0, at: 0 };

  /** `waitingCount` returns how many messages wait in the mailbox. */
  constructor(clock: () => number, waitingCount: () => number) {
    this.#clock = clock;
    this.#waitingCount = waitingCount;
  }

  /** Counts claims and holds that arrive, or claims that isolates have refused before the start. */
  add(count: number): void {
    this.#traffic = trafficAt(this.#traffic, this.#clock(), count);
  }

  /** Returns `result` with the hint of a busy coupon, or as it is. */
  withHint<Result extends object>(result: Result): Result & { readonly lanes?: LaneHint } {
    const waitingCount = this.#waitingCount();
    // Most coupons are not busy, and time makes none busier.
    if (laneHint(this.#traffic.perSecond, waitingCount) === null) return result;
    const lanes = laneHint(trafficAt(this.#traffic, this.#clock()).perSecond, waitingCount);
    return lanes === null ? result : { ...result, lanes };
  }
}
