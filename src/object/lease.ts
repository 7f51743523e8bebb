// The lease: until when issued certificates may be in use. A message that contradicts them waits until it has
// lapsed.

import { leaseEnd } from "../domain/certificate.ts";
import { CERTIFICATE_MS_MAX } from "../domain/limits.ts";

export class Lease {
  readonly #clock: () => number;
  #until: number;
  #waiterCount = 0;

  /** Begins with a lease of full length, because the instance before may have just issued a certificate. */
  constructor(clock: () => number) {
    this.#clock = clock;
    this.#until = leaseEnd(clock(), CERTIFICATE_MS_MAX);
  }

  /** Until when issued certificates may be in use, and whether new ones may be issued. */
  get state(): { readonly leaseUntil: number; readonly mayCertify: boolean } {
    return { leaseUntil: this.#until, mayCertify: this.#waiterCount === 0 };
  }

  /** Extends the lease by a new certificate. Call it before the next message is judged. */
  extend(at: number, validForMs: number): void {
    this.#until = Math.max(this.#until, leaseEnd(at, validForMs));
  }

  /** Ends the lease for a new coupon. The deletion of an earlier one has waited for its certificates. */
  clear(): void {
    this.#until = 0;
  }

  /** Runs `work` when the lease has lapsed. No certificate is issued until `work` is done. */
  async lapsed<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#waiterCount += 1;
    try {
      const until = this.#until;
      // The clock may be set back, so a timer measures the wait. No certificate is valid for longer than its
      // bound.
      await pause(Math.min(until - this.#clock(), leaseEnd(0, CERTIFICATE_MS_MAX)));
      if (this.#until === until) this.#until = 0;
      return await work();
    } finally {
      this.#waiterCount -= 1;
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
