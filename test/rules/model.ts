// A sale as the contract has it, in the plainest way: an independent opinion that shares no code with the product.

export type Ask = { readonly user: string; readonly key: string | null; readonly attempt: string };
export type Terms = { readonly amount: number; readonly startsAt: number | null; readonly endsAt: number | null; readonly paused: boolean };
export type Receipt = Ask & { readonly position: number; readonly at: number; readonly left: number };
export type ModelAnswer = { readonly outcome: string; readonly receipt?: Receipt };

export class Sale {
  readonly winners: Receipt[] = [];
  readonly terms: Terms;
  #latest: number;

  constructor(terms: Terms, createdAt: number) {
    this.terms = terms;
    this.#latest = createdAt;
  }

  claim(ask: Ask, now: number): ModelAnswer {
    const { amount, startsAt, endsAt, paused } = this.terms;
    // A clock that was set back counts as if it had stood still.
    if (now > this.#latest) this.#latest = now;
    const at = this.#latest;

    for (const winner of this.winners) {
      if (winner.user !== ask.user) continue;
      const sameKey = ask.key !== null && ask.key === winner.key;
      return { outcome: sameKey || ask.attempt === winner.attempt ? "replayed" : "already_claimed", receipt: winner };
    }
    for (const winner of this.winners) {
      if (ask.key !== null && winner.key === ask.key) return { outcome: "idempotency_key_reused" };
    }
    if (endsAt !== null && endsAt <= at) return { outcome: "sale_ended" };
    if (startsAt !== null && startsAt > at) return { outcome: "sale_not_started" };
    if (paused) return { outcome: "sale_paused" };
    if (this.winners.length === amount) return { outcome: "out_of_stock" };

    const receipt = { ...ask, position: this.winners.length + 1, at, left: amount - this.winners.length - 1 };
    this.winners.push(receipt);
    return { outcome: "granted", receipt };
  }
}
