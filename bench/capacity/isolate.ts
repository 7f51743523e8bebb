// An isolate of the Worker in the simulation: the hint and the certificate that it has.

import * as limits from "../../src/domain/limits.ts";
import { lanesInUse, type HeldHint, type LaneHint, type LaneSetting } from "../../src/domain/lanes.ts";
import type { Certified, Code, Coupon } from "./coupon.ts";
import type { Loop } from "./loop.ts";
import type { Sale } from "./sale.ts";

export class Isolate {
  readonly #sale: Sale;
  readonly #loop: Loop;
  readonly #coupon: Coupon;
  readonly #random: () => number;
  #hint: HeldHint | null = null;
  /** Calls of this isolate without an answer. */
  #openCount = 0;
  #certificate: (Certified & { readonly requestedAtMs: number }) | null = null;
  #renewedAtMs = -Infinity;
  #renewAfterMs = 0;
  #isRenewing = false;
  /** Claims that were refused before the start, and are not reported yet. */
  #refusedEarly = 0;

  constructor(sale: Sale, loop: Loop, coupon: Coupon, random: () => number) {
    this.#sale = sale;
    this.#loop = loop;
    this.#coupon = coupon;
    this.#random = random;
  }

  /** Returns the code with which a certificate refuses a new user now, or null. */
  refusal(): Code | null {
    const held = this.#certificate;
    if (held === null || this.#loop.nowMs - held.requestedAtMs >= held.validForMs) return null;
    if (held.code === "sale_not_started") this.#refusedEarly += 1;
    this.#renewIfDue();
    return held.code;
  }

  /** Begins a call. Returns how many lanes it uses now. */
  lanes(setting: LaneSetting): number {
    const lanes = lanesInUse(setting, this.#hint, this.#openCount, this.#loop.nowMs);
    this.#openCount += 1;
    return lanes;
  }

  /** Takes an answer of the coupon. A refusal of a closed sale makes it request a certificate. */
  take(code: Code, lanes: LaneHint | undefined): void {
    this.#openCount -= 1;
    this.#record(lanes);
    if (code === "out_of_stock" || code === "sale_not_started") this.#renewIfDue();
  }

  #record(lanes: LaneHint | undefined): void {
    if (lanes !== undefined) this.#hint = { ...lanes, receivedAt: this.#loop.nowMs };
  }

  /** As in src/edge/certificates.ts. */
  #renewIfDue(): void {
    const requestedAtMs = this.#loop.nowMs;
    if (!this.#sale.hasCertificates || this.#isRenewing || requestedAtMs - this.#renewedAtMs < this.#renewAfterMs) return;
    this.#isRenewing = true;
    this.#renewedAtMs = requestedAtMs;
    const refusedEarly = this.#refusedEarly;
    this.#refusedEarly = 0;
    const hopMs = this.#sale.roundTripMs / 2;
    const respond = (certified: Certified | null, lanes: LaneHint | undefined): void =>
      this.#loop.at(this.#loop.nowMs + hopMs, () => this.#renewed(certified, lanes, requestedAtMs));
    this.#loop.at(requestedAtMs + hopMs, () => this.#coupon.certify({ refusedEarly, respond }));
  }

  #renewed(certified: Certified | null, lanes: LaneHint | undefined, requestedAtMs: number): void {
    this.#record(lanes);
    this.#isRenewing = false;
    const { CERTIFICATE_RETRY_MS: retryMs, CERTIFICATE_RENEWAL_MIN: min, CERTIFICATE_RENEWAL_MAX: max } = limits;
    if (certified === null) {
      this.#renewAfterMs = this.#loop.nowMs - requestedAtMs + retryMs * (1 + this.#random());
      return;
    }
    this.#certificate = { ...certified, requestedAtMs };
    this.#renewAfterMs = certified.validForMs * (min + this.#random() * (max - min));
  }
}
