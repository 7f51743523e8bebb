// Notifies the coupon's courier that the ledger has grown: at most once a second, until the courier confirms.

import { withDeadline } from "../deadline.ts";
import { NOTICE_MS_MIN } from "../domain/delivery-limits.ts";
import { CALL_DEADLINE_MS } from "../domain/limits.ts";
import type { CourierCalls } from "../domain/rpc.ts";
import type { Applied } from "../engine/coupon-engine.ts";
import type { Stamped } from "../engine/message.ts";

/** The namespace of the couriers. */
export type Couriers = DurableObjectNamespace<CourierCalls & Rpc.DurableObjectBranded>;

export type CourierNoticeOptions = {
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Calls the courier. Rejects if it did not confirm. */
  readonly notify: () => Promise<void>;
  /** Called when a notice has failed. Send it again by alarm. */
  readonly failed: (cause: unknown) => void;
};

export class CourierNotice {
  readonly #options: CourierNoticeOptions;
  /** How often the ledger has grown, and how often when the last confirmed notice was sent. A new instance does not know. */
  #newsCount = 0;
  #confirmedCount = -1;
  #isScheduled = false;
  #lastAt = -Infinity;

  constructor(options: CourierNoticeOptions) {
    this.#options = options;
  }

  /** Whether the courier may not know of the ledger's head. A notice without an answer yet confirms nothing. */
  get isDue(): boolean {
    return this.#confirmedCount < this.#newsCount;
  }

  /** Sends a notice soon. Call this after a batch that has added events. Never throws. */
  schedule(): void {
    this.#newsCount += 1;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const sinceMs = Math.max(this.#options.clock() - this.#lastAt, 0);
    setTimeout(() => void this.send(), Math.max(NOTICE_MS_MIN - sinceMs, 0));
  }

  /** Sends a notice now. Returns whether the courier has confirmed. Never rejects. */
  async send(): Promise<boolean> {
    const newsCount = this.#newsCount;
    this.#isScheduled = false;
    this.#lastAt = this.#options.clock();
    try {
      await this.#options.notify();
      this.#confirmedCount = Math.max(this.#confirmedCount, newsCount);
      return true;
    } catch (cause) {
      this.#options.failed(cause);
      return false;
    }
  }
}

/** Whether a batch has left work for the courier. The instance knew the ledger's heads `before` and `after` it. */
export function hasNews(batch: readonly Stamped[], { answers, isWritten }: Applied, before: number, after: number): boolean {
  if (!isWritten) return false;
  // An instance that has just begun knows no head, and after a deletion there is none.
  if (before !== after || batch[0]?.message.kind === "remove") return true;
  // A restore was discarded. While there was one, the courier could not discard its own rows.
  return after === 0 && (answers[0]?.ok === false || batch.some(({ message }) => message.kind === "expire"));
}

/** Returns the notices to the courier of the coupon `name`, or null where no courier is bound. */
export function noticeTo(
  couriers: Couriers | undefined,
  { name, ...options }: Omit<CourierNoticeOptions, "notify"> & { readonly name: () => string | undefined },
): CourierNotice | null {
  if (couriers === undefined) return null;
  return new CourierNotice({
    ...options,
    notify: async () => {
      const known = name();
      if (known !== undefined) await withDeadline(couriers.get(couriers.idFromName(known)).notify(), CALL_DEADLINE_MS);
    },
  });
}
