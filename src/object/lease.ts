// The lease: how long issued certificates may be in use. A message that contradicts them waits for its end.

import { leaseEnd } from "../domain/certificate.ts";
import { CERTIFICATE_MS_MAX } from "../domain/limits.ts";

export class Lease {
  readonly #clock: () => number;
  #until: number;
  #waiterCount = 0;

  /** A new instance may follow one that has just issued a certificate, so it begins with a full lease. */
  constructor(clock: () => number) {
    this.#clock = clock;
    this.#until = leaseEnd(clock(), CERTIFICATE_MS_MAX);
  }

  /** For the judgment of a batch: until when certificates may be in use, and whether others may be issued. */
  get state(): { readonly leaseUntil: number; readonly mayCertify: boolean } {
    return { leaseUntil: this.#until, mayCertify: this.#waiterCount === 0 };
  }

  /** A certificate was issued. Call it before anything else is judged. */
  extend(at: number, validForMs: number): void {
    this.#until = Math.max(this.#until, leaseEnd(at, validForMs));
  }

  /** There is no coupon, so no certificate can be in use: its removal has waited for that. */
  clear(): void {
    this.#until = 0;
  }

  /** Runs `work` once the lease has lapsed. No certificate is issued from now on until `work` is done. */
  async lapsed<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#waiterCount += 1;
    try {
      const until = this.#until;
      // By a timer and not by the clock, which may have been set back: no certificate lives longer than this.
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
