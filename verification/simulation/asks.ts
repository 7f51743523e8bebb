// Draws the requests of clients, and the faults that they meet.

import { TEXTS } from "../model/settings.ts";
import type { Random } from "../random.ts";
import { FAULTS, MARKS, T0, type Ask, type AskStep, type FaultPlan } from "./plan.ts";
import { drawn, USERS, type Sale } from "./sales.ts";

/** Draws the requests of one plan. */
export class Asks {
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
    const { below } = this.#random;
    const { askCount, gapMsMax, wayMsMax } = this.#sale;
    const steps: AskStep[] = [];
    if (below(32) > 0) {
      steps.push({ ...this.#step(this.#ask("create")), patience: 3, patienceMs: 1 });
      // Most often the coupon exists before the first other request.
      if (below(4) > 0) this.#at += 2 * wayMsMax + 1;
    }
    while (steps.length < askCount) {
      this.#at += below(gapMsMax + 1);
      const step = this.#step(this.#ask(this.#kind()));
      steps.push(step, ...this.#followers(step));
      if (step.ask.kind !== "remove" || below(4) === 0) continue;
      this.#at += below(2 * wayMsMax + 2);
      steps.push(this.#step(this.#ask("create")));
    }
    return steps.sort((a, b) => a.at - b.at);
  }

  /** Requests after those of the sale, the first of them at the instant `at`. */
  more(at: number, count: number, gapMsMax: number): AskStep[] {
    this.#at = at;
    return Array.from({ length: count }, () => {
      const step = this.#step(this.#ask(this.#kind()));
      this.#at += this.#random.below(gapMsMax + 1);
      return step;
    });
  }

  /**
   * Requests at instants that matter: the release of a hold, a claim at its expiry, a claim at the end of a
   * certificate.
   */
  #followers({ at, ask, faultPlans, isolate }: AskStep): AskStep[] {
    const { below } = this.#random;
    if (ask.kind === "claim" && this.#sale.isEdgeOn && below(8) === 0)
      return [{ ...this.#step(this.#ask("claim")), at: at + 990 + below(100), isolate }];
    if (ask.kind !== "hold" || below(3) > 0) return [];
    const arrivesAt = at + (faultPlans[0]?.toMs ?? 1);
    if (below(2) === 0) return [{ ...this.#step({ kind: "give_back", userId: ask.userId }), at: arrivesAt + below(40), isolate }];
    const step = this.#step(this.#ask("claim", below(2) === 0 ? ask.userId : this.#user()));
    return [{ ...step, at: Math.max(at, arrivesAt + ask.ttlMs - (step.faultPlans[0]?.toMs ?? 1) - 1 + below(3)) }];
  }

  #step(ask: Ask): AskStep {
    const { below } = this.#random;
    const { faultPercent, isolateCount, wayMsMax } = this.#sale;
    const faultPlans = [this.#faultPlan(ask)];
    while (faultPlans.at(-1)?.is !== "delivered" && faultPlans.length < 3) faultPlans.push(this.#faultPlan(ask));
    return {
      is: "ask",
      at: this.#at,
      client: below(4),
      isolate: below(isolateCount),
      ask,
      faultPlans,
      patience: faultPercent > 0 && below(3) === 0 ? 1 + below(2) : 0,
      patienceMs: 1 + below(120),
      leavesMs: below(40) === 0 ? below(2 * wayMsMax + 4) : null,
    };
  }

  #faultPlan({ kind }: Ask): FaultPlan {
    const { below, pick } = this.#random;
    const { wayMsMax, faultPercent } = this.#sale;
    const [toMs, backMs] = [below(wayMsMax + 1), below(wayMsMax + 1)];
    if (below(100) >= faultPercent) return { is: "delivered", toMs, backMs, mark: "retryable", duplicateMs: null };
    // The platform delivers at most once. A duplicate stands for a retry, so only repeatable calls have one.
    const mayBeTwice = kind === "claim" || kind === "hold" || kind === "read" || kind === "claim_many";
    if (mayBeTwice && below(4) === 0)
      return { is: "delivered", toMs, backMs, mark: "retryable", duplicateMs: below(below(2) === 0 ? 60 : 600) };
    return {
      is: below(16) === 0 ? "silent" : pick(FAULTS.slice(1, 5)),
      toMs: toMs + (below(16) === 0 ? below(150) : 0),
      backMs,
      mark: below(2) === 0 ? pick(["retryable", "reset"]) : pick(MARKS),
      duplicateMs: null,
    };
  }

  #kind(): Ask["kind"] {
    const kinds = Object.keys(this.#sale.asks) as Ask["kind"][];
    return kinds[drawn(this.#random, Object.values(this.#sale.asks))] ?? "claim";
  }

  #ask(kind: Ask["kind"], userId: string = this.#user()): Ask {
    const { below } = this.#random;
    switch (kind) {
      case "claim":
        this.#claimants.push(userId);
        return { kind, userId, key: this.#key(userId) };
      case "claim_many":
        return { kind, userIds: this.#users(), key: below(3) === 0 ? `bulk-${below(2)}` : null };
      case "hold":
        this.#holders.push(userId);
        return { kind, userId, ttlMs: 1000 * (below(12) === 0 ? 901 : 1 + below(3)) };
      case "give_back":
        return { kind, userId: this.#oneOf(this.#holders, userId) };
      case "release":
        return { kind, userId: this.#oneOf(this.#claimants, userId), position: below(3) > 0 ? null : 1 + below(3) };
      case "create":
        return { kind, amount: 1 + below(this.#sale.amountMax), startsAt: this.#edge(6), endsAt: this.#edge(12), ...this.#limits() };
      case "change":
        return { kind, isGuarded: below(5) === 0, ...this.#change() };
      case "own":
        return { kind, userId };
      case "erase":
        return { kind, userId };
      case "page":
        return { kind, after: below(3), limit: 1 + below(3) };
      case "restore":
        return { kind, part: 1, of: 1 };
      default:
        return { kind };
    }
  }

  #limits() {
    const { below, pick } = this.#random;
    return {
      ...(below(6) === 0 ? { holdSecondsMax: 1 + below(2) } : {}),
      ...(below(8) === 0 ? { holdsMax: 1 } : {}),
      ...(below(3) === 0 ? pick(TEXTS) : {}),
    };
  }

  #change() {
    const { below, pick } = this.#random;
    switch (below(8)) {
      case 0:
        return { paused: below(2) === 0 };
      case 1:
        return { startsAt: this.#edge(2) };
      case 2:
        return { endsAt: this.#edge(2) };
      case 3:
        return below(2) === 0 ? { holdsMax: pick([1, null]) } : { holdSecondsMax: 1 + below(3) };
      case 4:
        return pick(TEXTS);
      default:
        return { amount: 1 + below(this.#sale.amountMax + 2) };
    }
  }

  /** Draws one of these users, most often the first. */
  #oneOf(users: readonly string[], other: string): string {
    const { below } = this.#random;
    return below(4) === 0 ? other : (users[below(1 + below(users.length))] ?? other);
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
    const { below } = this.#random;
    const count = below(3) === 0 ? 8 + below(3) : 1 + below(4);
    return [...new Set(Array.from({ length: count }, () => this.#user()))];
  }

  /** Draws a key. Most keys belong to one user, so that the user repeats them. */
  #key(userId: string): string | null {
    const { below } = this.#random;
    if (below(3) === 0) return null;
    return below(100) < this.#sale.sharedKeys ? "shared-key" : `key-${below(4) === 0 ? 2 : 1}-of-${userId}`;
  }
}
