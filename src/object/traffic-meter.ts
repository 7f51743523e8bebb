// Measures how busy a coupon is, for the hint that makes isolates use lanes.

import { LANES_WITHOUT_PAUSE_MAX } from "../domain/lane-limits.ts";
import { laneHint, nextCallAt, trafficAt, type LaneHint } from "../domain/lanes.ts";
import type { BatchResult } from "../domain/rpc.ts";

export class TrafficMeter {
  readonly #clock: () => number;
  readonly #waitingCount: () => number;
  #traffic = { perSecond: 0, at: 0 };
  /** The latest instant that a lane got for its next call. */
  #callAt = 0;

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

  /** Returns the answers to a lane's call with the hint of a busy coupon, and in a great rush with a pause. */
  withPause(result: BatchResult): BatchResult {
    const hinted = this.withHint(result);
    if ((hinted.lanes?.count ?? 0) <= LANES_WITHOUT_PAUSE_MAX) return hinted;
    const now = this.#clock();
    this.#callAt = nextCallAt(this.#callAt, now);
    return { ...hinted, pauseMs: this.#callAt - now };
  }
}
