// Draws the requests of clients, and the faults that they meet.

import type { Random } from "../random.ts";
import { FAULTS, MARKS, T0, type Ask, type AskStep, type FaultPlan } from "./plan.ts";
import { USERS, type Sale } from "./sales.ts";

/** Makes the asks of one plan. */
export class Asking {
  readonly #random: Random;
  readonly #sale: Sale;
  /** Users who asked for a claim or a hold: there may be something to return. */
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
      // Most often the coupon exists before the first other request.
      if (this.#random.below(4) > 0) this.#at += 2 * this.#sale.wayMsMax + 1;
    }
    while (steps.length < this.#sale.askCount) {
      this.#at += this.#random.below(this.#sale.gapMsMax + 1);
      const ask = this.#ask();
      const step = this.#step(ask);
      steps.push(step, ...this.#echo(step));
      if (ask.kind !== "remove" || this.#random.below(4) === 0) continue;
      this.#at += this.#random.below(2 * this.#sale.wayMsMax + 2);
      steps.push(this.#step(this.#create()));
    }
    return steps.sort((a, b) => a.at - b.at);
  }

  /** A hold is often followed by its release, or by a claim around its expiry. */
  #echo({ at, ask, faultPlans, isolate }: AskStep): AskStep[] {
    const { below } = this.#random;
    // A claim is sometimes followed by another one at the end of the certificate that it brought.
    if (ask.kind === "claim" && this.#sale.isEdgeOn && below(8) === 0)
      return [{ ...this.#step(this.#claim(this.#user())), at: at + 990 + below(100), isolate }];
    if (ask.kind !== "hold" || below(3) > 0) return [];
    const arrivesAt = at + (faultPlans[0]?.toMs ?? 1);
    if (below(2) === 0) return [{ ...this.#step({ kind: "give_back", userId: ask.userId }), at: arrivesAt + below(40), isolate }];
    const step = this.#step(this.#claim(below(2) === 0 ? ask.userId : this.#user()));
    return [{ ...step, at: Math.max(at, arrivesAt + ask.ttlMs - (step.faultPlans[0]?.toMs ?? 1) - 1 + below(3)) }];
  }

  #step(ask: Ask): AskStep {
    const { below } = this.#random;
    const isPatient = this.#sale.faultPercent > 0 && below(3) === 0;
    return {
      is: "ask",
      at: this.#at,
      client: below(4),
      isolate: below(this.#sale.isolateCount),
      ask,
      faultPlans: this.#faultPlans(ask),
      patience: isPatient ? 1 + below(2) : 0,
      patienceMs: 1 + below(120),
      leavesMs: below(40) === 0 ? below(2 * this.#sale.wayMsMax + 4) : null,
    };
  }

  #faultPlans(ask: Ask): FaultPlan[] {
    const faultPlans = [this.#faultPlan(ask)];
    while (faultPlans.at(-1)?.is !== "delivered" && faultPlans.length < 3) faultPlans.push(this.#faultPlan(ask));
    return faultPlans;
  }

  #faultPlan({ kind }: Ask): FaultPlan {
    const { below, pick } = this.#random;
    const { wayMsMax, faultPercent } = this.#sale;
    const toMs = below(wayMsMax + 1);
    const backMs = below(wayMsMax + 1);
    if (below(100) >= faultPercent) return { is: "delivered", toMs, backMs, mark: "retryable", duplicateMs: null };
    // The platform delivers at most once. A duplicate stands for a retry, so only repeatable calls have one.
    const mayBeTwice = kind === "claim" || kind === "hold" || kind === "read" || kind === "claim_many";
    const dice = below(16);
    if (dice < 4 && mayBeTwice) return { is: "delivered", toMs, backMs, mark: "retryable", duplicateMs: below(below(2) === 0 ? 60 : 600) };
    return {
      is: dice === 15 ? "silent" : pick(FAULTS.slice(1, 5)),
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
    const { holds, removals, views } = this.#sale;
    if (face < claims) return this.#claim(userId);
    if (face < claims + restocks) return this.#restock(userId, amountMax);
    if (face < claims + restocks + removals) return { kind: "remove" };
    if (face < claims + restocks + removals + holds) return this.#holding(userId);
    if (face < claims + restocks + removals + holds + views) return { kind: below(2) === 0 ? "status" : "view" };
    const dice = below(200);
    if (dice < 84) return this.#claim(userId);
    if (dice < 91) return { kind: "claim_many", userIds: this.#users(), key: below(3) === 0 ? `bulk ${below(2)}`.replace(" ", "-") : null };
    if (dice < 119) return this.#hold(userId);
    if (dice < 129) return { kind: "give_back", userId: this.#oneOf(this.#holders, userId) };
    if (dice < 146) {
      const position = below(2) === 0 ? null : 1 + below(3);
      return { kind: "release", userId: this.#oneOf(this.#claimants, userId), position };
    }
    if (dice < 160) return this.#change();
    if (dice < 168) return { kind: "read" };
    if (dice < 172) return { kind: below(2) === 0 ? "status" : "view" };
    if (dice < 178) return { kind: "own", userId };
    if (dice < 181) return { kind: "page", after: below(3), limit: 1 + below(3) };
    if (dice < 184) return { kind: "metrics" };
    if (dice < 187) return { kind: "holds" };
    if (dice < 189) return { kind: "end_holds" };
    return dice < 194 ? { kind: "remove" } : this.#create();
  }

  /** Draws a request that returns a unit, or may do so later. */
  #restock(userId: string, amountMax: number): Ask {
    const { below } = this.#random;
    switch (below(9)) {
      case 0:
      case 1:
        return { kind: "release", userId: this.#oneOf(this.#claimants, userId), position: null };
      case 2:
      case 3:
        return { kind: "change", isGuarded: false, amount: 1 + below(amountMax + 2) };
      case 4:
        return this.#hold(userId);
      case 5:
        return { kind: "give_back", userId: this.#oneOf(this.#holders, userId) };
      case 6:
        return { kind: "change", isGuarded: false, paused: below(2) === 0 };
      case 7:
        return { kind: "change", isGuarded: false, ...(below(2) === 0 ? { startsAt: this.#edge(2) } : { endsAt: this.#edge(2) }) };
      default:
        return below(3) === 0 ? { kind: "remove" } : { kind: below(2) === 0 ? "end_holds" : "status" };
    }
  }

  #holding(userId: string): Ask {
    const dice = this.#random.below(12);
    if (dice < 7) return this.#hold(userId);
    if (dice < 8) return { kind: "give_back", userId: this.#oneOf(this.#holders, userId) };
    if (dice < 9) return { kind: "claim_many", userIds: this.#users(), key: null };
    return { kind: dice < 10 ? "holds" : "end_holds" };
  }

  #claim(userId: string): Ask {
    this.#claimants.push(userId);
    return { kind: "claim", userId, key: this.#key(userId) };
  }

  #hold(userId: string): Ask {
    const { below } = this.#random;
    this.#holders.push(userId);
    return { kind: "hold", userId, ttlMs: 1000 * (below(12) === 0 ? 901 : 1 + below(3)) };
  }

  /** Draws one of these users, most often the first. */
  #oneOf(users: readonly string[], other: string): string {
    const { below } = this.#random;
    return below(4) === 0 ? other : (users[below(1 + below(users.length))] ?? other);
  }

  #create(): Ask {
    return {
      kind: "create",
      amount: 1 + this.#random.below(this.#sale.amountMax),
      startsAt: this.#edge(6),
      endsAt: this.#edge(12),
      ...this.#limits(),
    };
  }

  #limits(): { holdSecondsMax?: number; holdsMax?: number } {
    const { below } = this.#random;
    return { ...(below(6) === 0 ? { holdSecondsMax: 1 + below(2) } : {}), ...(below(8) === 0 ? { holdsMax: 1 } : {}) };
  }

  #change(): Ask {
    const { below } = this.#random;
    const isGuarded = below(3) === 0;
    switch (below(7)) {
      case 6:
        return {
          kind: "change",
          isGuarded,
          ...(below(2) === 0 ? { holdsMax: below(2) === 0 ? 1 : null } : { holdSecondsMax: 1 + below(3) }),
        };
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

  /** Draws an edge of the sale window near this moment, once in `oneOf` times. */
  #edge(oneOf: number): number | null {
    const { below } = this.#random;
    return below(oneOf) > 0 ? null : T0 + this.#at + (below(3) === 0 ? below(4) * 400 : below(60) - 20);
  }

  #user(): string {
    return USERS[this.#random.below(this.#sale.userCount)] ?? "ann";
  }

  #users(): string[] {
    const count = this.#random.below(3) === 0 ? 8 + this.#random.below(3) : 1 + this.#random.below(4);
    return [...new Set(Array.from({ length: count }, () => this.#user()))];
  }

  /** Draws a key. Most keys belong to one user, so that the user repeats them. */
  #key(userId: string): string | null {
    const { below } = this.#random;
    if (below(3) === 0) return null;
    return below(100) < this.#sale.sharedKeys ? "shared-key" : `key-${below(4) === 0 ? 2 : 1}-of-${userId}`;
  }
}
