// The product with a bug, chosen by the var `BUG`. `npm run faults` has to find each of them.

import type { Claim, ClaimRequest } from "../../src/domain/claim.ts";
import { remaining } from "../../src/domain/coupon.ts";
import type { ClaimResult, ReadResult } from "../../src/domain/rpc.ts";
import { Lease } from "../../src/object/lease.ts";
import hooked, { CouponObject as Hooked } from "./fault-hooks.ts";

export * from "../../src/objects.ts";

/** The shortest time of a timer. */
const WRITE_BEHIND_MS = 1;
/** Only one of so many reads is fresh. */
const STALE_EVERY = 4;

const NO_LEASE: Lease["state"] = { leaseUntil: 0, mayCertify: true };

export class CouponObject extends Hooked {
  readonly #bug = (this.env as { readonly BUG?: string }).BUG;
  #seen: ReadResult | null = null;
  #readCount = 0;

  constructor(...args: ConstructorParameters<typeof Hooked>) {
    super(...args);
    // No message waits for the certificates in use.
    if (this.#bug === "ignores_lease") Object.defineProperty(Lease.prototype, "state", { get: () => NO_LEASE, configurable: true });
  }

  override async claim(request: ClaimRequest): Promise<ClaimResult> {
    if (this.#bug === "answers_early") return this.#answerEarly(request);
    // A retry with this key is a new claim.
    if (this.#bug === "ignores_keys") return super.claim({ ...request, key: null });
    return super.claim(request);
  }

  override async read(wanted: { readonly claimedBy: boolean }): Promise<ReadResult> {
    this.#readCount += 1;
    const isStale = this.#bug === "reads_stale" && this.#seen?.ok === true && this.#readCount % STALE_EVERY > 0;
    if (isStale && this.#seen !== null) return this.#seen;
    const result = await super.read({ claimedBy: true });
    this.#seen = result;
    return wanted.claimedBy ? result : super.read(wanted);
  }

  /** Reads, decides, answers, and writes a millisecond later. */
  async #answerEarly(request: ClaimRequest): Promise<ClaimResult> {
    const [seen, own] = await Promise.all([super.read({ claimedBy: false }), super.getUserClaim(request.userId)]);
    if (!seen.ok || own.ok || seen.coupon.state !== "open") return super.claim(request);
    const { coupon, now, seq } = seen;
    const claim: Claim = { ...request, position: coupon.lastPosition + 1, claimedAt: now, remainingAfter: remaining(coupon) - 1 };
    setTimeout(() => void super.claim(request), WRITE_BEHIND_MS);
    return { ok: true, claim, replayed: false, seq: seq + 1 };
  }
}

export default hooked;
