// A coupon with claims, holds, releases and changes as the contract has it: a small model that shares no code with the product.

export type Ask = { readonly user: string; readonly key: string | null; readonly attempt: string };
export type Receipt = Ask & { readonly position: number; readonly at: number; readonly left: number };
type Held = { readonly user: string; readonly attempt: string; readonly from: number; readonly until: number };
export type Terms = {
  amount: number;
  startsAt: number | null;
  endsAt: number | null;
  paused: boolean;
  holdSecondsMax: number;
  holdsMax: number | null;
};

/** An answer: a word, and what comes with it. */
export type ModelAnswer = { readonly word: string; readonly [detail: string]: unknown };

/** The coupon as it may be found in its tables. */
export type Books = {
  readonly terms: Terms;
  readonly claims: readonly Receipt[];
  readonly holds: readonly Held[];
  readonly lastPosition: number;
  readonly seq: number;
};

export class ModelCoupon {
  readonly #terms: Terms;
  #claims: Receipt[] = [];
  #holds: Held[] = [];
  /** Attempts whose holds were released. */
  readonly #gone = new Set<string>();
  readonly #releases: (Receipt & { readonly releasedAt: number })[] = [];
  #lastPosition = 0;
  #seq = 1;
  /** The latest instant that anything happened at. */
  at: number;
  /** The latest instant that was written down, at least. */
  writtenAt: number;

  constructor(terms: Terms, at: number) {
    this.#terms = { ...terms };
    this.at = at;
    this.writtenAt = at;
  }

  get books(): Books {
    const holds = this.#holds.toSorted((a, b) => (a.user < b.user ? -1 : 1));
    return { terms: this.#terms, claims: this.#claims, holds, lastPosition: this.#lastPosition, seq: this.#seq };
  }

  /** Before, within or after the window. */
  phaseAt(at: number): string {
    if (this.#terms.endsAt !== null && at >= this.#terms.endsAt) return "after";
    return this.#terms.startsAt !== null && at < this.#terms.startsAt ? "before" : "within";
  }

  /** It is `now`, or still as late as it was: holds that are over are gone. */
  arrive(now: number): void {
    this.at = Math.max(this.at, now);
    const running = this.#holds.filter(({ until }) => this.at < until);
    for (let ended = running.length; ended < this.#holds.length; ended += 1) this.#note();
    this.#holds = running;
  }

  claim(ask: Ask): ModelAnswer {
    const mine = this.#claims.find(({ user }) => user === ask.user);
    const isMine = (made: Receipt) =>
      made.user === ask.user && (made.attempt === ask.attempt || (ask.key !== null && made.key === ask.key));
    if (mine !== undefined) return this.#answer(isMine(mine) ? "replayed" : "already_claimed", { receipt: mine });
    if (ask.key !== null && this.#claims.some(({ key }) => key === ask.key)) return this.#answer("idempotency_key_reused");
    const taken = this.#releases.findLast(isMine);
    if (taken !== undefined) return this.#answer("claim_released", { receipt: receiptIn(taken) });

    const isHolder = this.#holds.some(({ user }) => user === ask.user);
    const closed = isHolder ? null : this.#closed();
    if (closed !== null) return closed;
    this.#holds = this.#holds.filter(({ user }) => user !== ask.user);
    this.#lastPosition += 1;
    const receipt = { ...ask, position: this.#lastPosition, at: this.at, left: this.#left() - 1 };
    this.#claims.push(receipt);
    this.#note();
    return this.#answer("granted", { receipt });
  }

  hold(user: string, ttlMs: number, attempt: string): ModelAnswer {
    const mine = this.#claims.find((claim) => claim.user === user);
    if (mine !== undefined) return this.#answer("already_claimed", { receipt: mine });
    const running = this.#holds.find((hold) => hold.user === user);
    if (running !== undefined)
      return this.#answer(running.attempt === attempt ? "held" : "held before", { hold: running, left: this.#left() });
    const closed = this.#closed();
    if (closed !== null) return closed;
    if (this.#gone.has(`${user} ${attempt}`)) return this.#answer("hold_released");
    if (ttlMs > this.#terms.holdSecondsMax * 1000) return this.#answer("hold_too_long", { longest: this.#terms.holdSecondsMax });
    if (this.#terms.holdsMax !== null && this.#holds.length >= this.#terms.holdsMax) return this.#answer("hold_limit_reached");
    const hold = { user, attempt, from: this.at, until: this.at + ttlMs };
    this.#holds.push(hold);
    this.#note();
    return this.#answer("held", { hold, left: this.#left() });
  }

  releaseHold(user: string): ModelAnswer {
    this.#end((hold) => hold.user === user);
    return this.#answer("given back");
  }

  releaseAllHolds(): ModelAnswer {
    const count = this.#end(() => true);
    return this.#answer("holds ended", { count, left: this.#left() });
  }

  #end(isEnded: (hold: Held) => boolean): number {
    const ended = this.#holds.filter(isEnded);
    this.#holds = this.#holds.filter((hold) => !isEnded(hold));
    for (const { user, attempt } of ended) {
      this.#gone.add(`${user} ${attempt}`);
      this.#note();
    }
    return ended.length;
  }

  own(user: string): ModelAnswer {
    const receipt = this.#claims.find((claim) => claim.user === user);
    if (receipt !== undefined) return this.#answer("claim", { receipt });
    const hold = this.#holds.find((running) => running.user === user);
    return hold === undefined ? this.#answer("claim_not_found") : this.#answer("hold", { hold });
  }

  release(user: string, position: number | null): ModelAnswer {
    const mine = this.#claims.find((claim) => claim.user === user);
    if (mine !== undefined && position !== null && position !== mine.position) return this.#answer("position_mismatch", { receipt: mine });
    if (mine !== undefined) {
      this.#claims = this.#claims.filter((claim) => claim !== mine);
      this.#releases.push({ ...mine, releasedAt: this.at });
      this.#note();
    }
    const taken = this.#releases.findLast((made) => made.user === user && (position === null || position === made.position));
    if (taken === undefined) return this.#answer("claim_not_found");
    return this.#answer("released", { receipt: receiptIn(taken), releasedAt: taken.releasedAt, left: this.#left() });
  }

  change(change: Partial<Terms>): ModelAnswer {
    const after = { ...this.#terms, ...change };
    if (after.startsAt !== null && after.endsAt !== null && after.startsAt >= after.endsAt) return this.#answer("invalid_request");
    const amountMin = this.#claims.length + this.#holds.length;
    if (after.amount < amountMin) return this.#answer("amount_below_claimed", { amountMin });
    if (JSON.stringify(after) !== JSON.stringify(this.#terms)) this.#note();
    Object.assign(this.#terms, after);
    return this.#answer("changed", { state: this.#state(), left: this.#left() });
  }

  create(): ModelAnswer {
    return this.#answer("coupon_exists");
  }

  #left(): number {
    return this.#terms.amount - this.#claims.length - this.#holds.length;
  }

  #state(): string {
    const phase = this.phaseAt(this.at);
    if (phase !== "within") return phase === "after" ? "ended" : "scheduled";
    if (this.#terms.paused) return "paused";
    return this.#left() === 0 ? "sold_out" : "open";
  }

  #closed(): ModelAnswer | null {
    const state = this.#state();
    if (state === "ended") return this.#answer("sale_ended");
    if (state === "scheduled") return this.#answer("sale_not_started", { startsInMs: Number(this.#terms.startsAt) - this.at });
    if (state === "paused") return this.#answer("sale_paused");
    return state === "sold_out" ? this.#answer("out_of_stock") : null;
  }

  #note(): void {
    this.#seq += 1;
    this.writtenAt = this.at;
  }

  #answer(word: string, details: Record<string, unknown> = {}): ModelAnswer {
    return { word, ...details, seq: this.#seq };
  }
}

function receiptIn({ releasedAt: _releasedAt, ...receipt }: Receipt & { readonly releasedAt: number }): Receipt {
  return receipt;
}
