// Random asks: who wants what, and what becomes of their requests on the way.

import type { Random } from "../random.ts";
import { FATES, MARKS, NOBODY, T0, type Ask, type AskStep, type Fate } from "./plan.ts";
import { USERS, type Sale } from "./sales.ts";

const CLAIMS_AND_LOOKS = new Set<Ask["kind"]>(["claim", "read", "own", "page", "metrics"]);

/** Makes the asks of one plan. */
export class Asking {
  readonly #random: Random;
  readonly #sale: Sale;
  /** Who asked for a claim or a hold: of whom there may be something to take back. */
  readonly #claimants: string[] = [];
  readonly #holders: string[] = [];
  #at = 0;

  constructor(random: Random, sale: Sale) {
    this.#random = random;
    this.#sale = sale;
  }

  steps(): AskStep[] {
    const steps: AskStep[] = [];
    if (this.#random.below(32) > 0) {
      steps.push({ ...this.#step(this.#create()), patience: 3, patienceMs: 1 });
      // Most often the coupon is there before anybody asks for it.
      if (this.#random.below(4) > 0) this.#at += 2 * this.#sale.wayMsMax + 1;
    }
    while (steps.length < this.#sale.askCount) {
      this.#at += this.#random.below(this.#sale.gapMsMax + 1);
      const ask = this.#ask();
      steps.push(this.#step(ask));
      if (ask.kind !== "remove" || this.#random.below(4) === 0) continue;
      this.#at += this.#random.below(2 * this.#sale.wayMsMax + 2);
      steps.push(this.#step(this.#create()));
    }
    return steps;
  }

  #step(ask: Ask): AskStep {
    const { below } = this.#random;
    const isPatient = this.#sale.badFates > 0 && below(3) === 0;
    return {
      is: "ask",
      at: this.#at,
      client: below(4),
      // Where claims and looks come through one isolate and the rest through the other, the one does not know what the other did.
      isolate: this.#sale.isEdgeOn && below(4) > 0 ? Number(!CLAIMS_AND_LOOKS.has(ask.kind)) : below(2),
      ask,
      fates: this.#fates(ask),
      patience: isPatient ? 1 + below(2) : 0,
      patienceMs: 1 + below(120),
    };
  }

  #fates(ask: Ask): Fate[] {
    const fates = [this.#fate(ask)];
    while (fates.at(-1)?.is !== "delivered" && fates.length < 3) fates.push(this.#fate(ask));
    return fates;
  }

  #fate({ kind }: Ask): Fate {
    const { below, pick } = this.#random;
    const { wayMsMax, badFates } = this.#sale;
    const toMs = below(wayMsMax + 1);
    const backMs = below(wayMsMax + 1);
    if (below(100) >= badFates) return { is: "delivered", toMs, backMs, mark: "retryable", duplicateMs: null };
    // The platform delivers at most once; what is delivered twice was sent twice, and that is done only to what bears it.
    const mayBeTwice = kind === "claim" || kind === "hold" || kind === "read" || kind === "claim_many";
    const dice = below(16);
    if (dice < 4 && mayBeTwice) return { is: "delivered", toMs, backMs, mark: "retryable", duplicateMs: below(60) };
    return {
      is: dice === 15 ? "silent" : pick(FATES.slice(1, 5)),
      toMs: toMs + (dice === 5 ? below(150) : 0),
      backMs,
      mark: dice < 10 ? pick(["retryable", "reset"]) : pick(MARKS),
      duplicateMs: null,
    };
  }

  #ask(): Ask {
    const { below } = this.#random;
    const userId = this.#user();
    const { claims, restocks, amountMax } = this.#sale;
    const face = below(100);
    if (face < claims) return this.#claim(userId);
    if (face < claims + restocks) return this.#restock(userId, amountMax);
    const dice = below(200);
    // One that can't be anybody, which would fail the batch that it is in.
    if (dice === 0) return { kind: "claim", userId: NOBODY, key: null };
    if (dice < 84) return this.#claim(userId);
    if (dice < 91) return { kind: "claim_many", userIds: this.#users() };
    if (dice < 119) return this.#hold(userId);
    if (dice < 129) return { kind: "give_back", userId: this.#oneOf(this.#holders, userId) };
    if (dice < 146) {
      const position = below(2) === 0 ? null : 1 + below(3);
      return { kind: "release", userId: this.#oneOf(this.#claimants, userId), position };
    }
    if (dice < 160) return this.#change();
    if (dice < 173) return { kind: "read" };
    if (dice < 182) return { kind: "own", userId };
    if (dice < 185) return { kind: "page", after: below(3), limit: 1 + below(3), isGoingOn: below(2) === 0 };
    if (dice < 189) return { kind: "metrics" };
    return dice < 194 ? { kind: "remove" } : this.#create();
  }

  /** A unit comes back, now or a little later. */
  #restock(userId: string, amountMax: number): Ask {
    const { below } = this.#random;
    switch (below(3)) {
      case 0:
        return { kind: "release", userId: this.#oneOf(this.#claimants, userId), position: null };
      case 1:
        return { kind: "change", isGuarded: false, amount: 1 + below(amountMax + 2) };
      default:
        return { kind: "hold", userId, ttlMs: 1 + below(900) };
    }
  }

  #claim(userId: string): Ask {
    this.#claimants.push(userId);
    return { kind: "claim", userId, key: this.#key(userId) };
  }

  #hold(userId: string): Ask {
    const { below } = this.#random;
    this.#holders.push(userId);
    return { kind: "hold", userId, ttlMs: below(5) === 0 ? 1000 + below(500) : 1 + below(30) };
  }

  /** Mostly one of these users, the first of them above all. */
  #oneOf(users: readonly string[], other: string): string {
    const { below } = this.#random;
    return below(4) === 0 ? other : (users[below(1 + below(users.length))] ?? other);
  }

  #create(): Ask {
    return { kind: "create", amount: 1 + this.#random.below(this.#sale.amountMax), startsAt: this.#edge(10), endsAt: this.#edge(12) };
  }

  #change(): Ask {
    const { below } = this.#random;
    const isGuarded = below(3) === 0;
    switch (below(6)) {
      case 0:
        return { kind: "change", isGuarded, paused: below(2) === 0 };
      case 1:
        return { kind: "change", isGuarded, startsAt: this.#edge(2) };
      case 2:
        return { kind: "change", isGuarded, endsAt: this.#edge(2) };
      default:
        return { kind: "change", isGuarded, amount: 1 + below(this.#sale.amountMax + 1) };
    }
  }

  /** An end of the sale window near this moment; of `oneOf` there is one, otherwise it is open. */
  #edge(oneOf: number): number | null {
    const { below } = this.#random;
    return below(oneOf) > 0 ? null : T0 + this.#at + below(60) - 20;
  }

  #user(): string {
    return USERS[this.#random.below(this.#sale.userCount)] ?? "ann";
  }

  #users(): string[] {
    const count = this.#random.below(3) === 0 ? 8 + this.#random.below(3) : 1 + this.#random.below(4);
    return Array.from({ length: count }, () => this.#user());
  }

  /** Most keys are one user's own, so that they come again with that user. */
  #key(userId: string): string | null {
    const { below } = this.#random;
    if (below(3) === 0) return null;
    return below(100) < this.#sale.sharedKeys ? "key of nobody" : `key ${below(4) === 0 ? 2 : 1} of ${userId}`;
  }
}
