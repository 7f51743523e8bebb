// Random plans: which history a seed stands for.

import { seeded, type Random } from "../random.ts";
import {
  FATES,
  MARKS,
  NOBODY,
  T0,
  type Ask,
  type AskStep,
  type BreakStep,
  type Fate,
  type Plan,
  type RestartStep,
  type Step,
} from "./plan.ts";

const USERS = ["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida", "jon", "kim", "leo", "mia", "ned"] as const;

/** How one history is made. */
type Scale = {
  readonly askCount: number;
  readonly userCount: number;
  readonly amountMax: number;
  /** Longest pause between two asks; 0 has them all at once. */
  readonly gapMsMax: number;
  /** Longest way of a message. */
  readonly wayMsMax: number;
  /** Of a hundred attempts, how many do not simply go well. */
  readonly badFates: number;
  /** Of a hundred asks, how many are claims, and how many return something to the stock, before anything else is drawn. */
  readonly claims: number;
  readonly restocks: number;
};

/** The plan of a seed, always the same. */
export function planOf(seed: number): Plan {
  // Neighbouring seeds would begin alike.
  const random = seeded(Math.imul(seed, 0x9e3779b1));
  const isEdgeOn = random.below(6) === 0;
  const scale = isEdgeOn ? saleAtTheEdge(random) : scaleOf(random);
  const asks = new Asking(random, scale).steps();
  const lastAt = asks.at(-1)?.at ?? 0;
  return {
    seed,
    diskMs: random.pick([0, 0, 1, 2, 4, 12]),
    diskJitterMs: random.below(3),
    alarmLateMs: random.pick([0, 0, 5, 60]),
    isEdgeOn,
    isDrained: random.below(2) === 0,
    steps: withFaults(random, asks, lastAt),
  };
}

/** Most are small, because most mistakes show in a few steps; crowds, because some show only in large batches. */
function scaleOf(random: Random): Scale {
  const dice = random.below(100);
  const askCount =
    dice < 65 ? 3 + random.below(4) : dice < 93 ? 6 + random.below(6) : dice < 99 ? 12 + random.below(9) : 21 + random.below(30);
  const isCrowd = askCount >= 12 && random.below(2) === 0;
  return {
    askCount,
    userCount: isCrowd ? 8 + random.below(USERS.length - 7) : 2 + random.below(3),
    amountMax: isCrowd ? 12 : random.pick([1, 2, 2, 3, 4]),
    gapMsMax: isCrowd ? random.below(2) : random.pick([0, 1, 2, 2, 4, 4, 10, 40, 400]),
    wayMsMax: random.pick([0, 1, 2, 3, 6]),
    badFates: random.pick([0, 0, 4, 8, 25]),
    claims: 0,
    restocks: 0,
  };
}

/** Certificates matter where many come too late, some time after each other. */
function saleAtTheEdge(random: Random): Scale {
  return {
    askCount: 6 + random.below(8),
    userCount: USERS.length,
    amountMax: 1,
    gapMsMax: random.pick([20, 100, 400, 900]),
    wayMsMax: random.pick([0, 1, 3]),
    badFates: random.pick([0, 0, 8]),
    claims: 60,
    restocks: 20,
  };
}

/** Makes the asks of one plan. */
class Asking {
  readonly #random: Random;
  readonly #scale: Scale;
  /** Who asked for a claim or a hold: of whom there may be something to take back. */
  readonly #claimants: string[] = [];
  readonly #holders: string[] = [];
  #at = 0;

  constructor(random: Random, scale: Scale) {
    this.#random = random;
    this.#scale = scale;
  }

  steps(): AskStep[] {
    const steps: AskStep[] = [];
    if (this.#random.below(32) > 0) {
      steps.push({ ...this.#step(this.#create()), patience: 3, patienceMs: 1 });
      // Most often the coupon is there before anybody asks for it.
      if (this.#random.below(4) > 0) this.#at += 2 * this.#scale.wayMsMax + 1;
    }
    while (steps.length < this.#scale.askCount) {
      this.#at += this.#random.below(this.#scale.gapMsMax + 1);
      const ask = this.#ask();
      steps.push(this.#step(ask));
      if (ask.kind !== "remove" || this.#random.below(4) === 0) continue;
      this.#at += this.#random.below(2 * this.#scale.wayMsMax + 2);
      steps.push(this.#step(this.#create()));
    }
    return steps;
  }

  #step(ask: Ask): AskStep {
    const { below } = this.#random;
    const isPatient = this.#scale.badFates > 0 && below(3) === 0;
    return {
      is: "ask",
      at: this.#at,
      client: below(4),
      isolate: below(2),
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
    const { wayMsMax, badFates } = this.#scale;
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
    const { claims, restocks, amountMax } = this.#scale;
    const face = below(100);
    if (face < claims) return this.#claim(userId);
    if (face < claims + restocks / 2) return { kind: "release", userId: this.#oneOf(this.#claimants, userId), position: null };
    if (face < claims + restocks) return { kind: "change", isGuarded: false, amount: 1 + below(amountMax + 2) };
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
    if (dice < 185) return { kind: "page", after: below(3), limit: 1 + below(3) };
    if (dice < 189) return { kind: "metrics" };
    return dice < 194 ? { kind: "remove" } : this.#create();
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
    return { kind: "create", amount: 1 + this.#random.below(this.#scale.amountMax), startsAt: this.#edge(10), endsAt: this.#edge(12) };
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
        return { kind: "change", isGuarded, amount: 1 + below(this.#scale.amountMax + 1) };
    }
  }

  /** An end of the sale window near this moment; of `oneOf` there is one, otherwise it is open. */
  #edge(oneOf: number): number | null {
    const { below } = this.#random;
    return below(oneOf) > 0 ? null : T0 + this.#at + below(60) - 20;
  }

  #user(): string {
    return USERS[this.#random.below(this.#scale.userCount)] ?? "ann";
  }

  #users(): string[] {
    const count = this.#random.below(3) === 0 ? 8 + this.#random.below(3) : 1 + this.#random.below(4);
    return Array.from({ length: count }, () => this.#user());
  }

  /** Most keys are one user's own, so that they come again with that user. */
  #key(userId: string): string | null {
    const dice = this.#random.below(8);
    if (dice < 3) return null;
    return dice === 3 ? "key of nobody" : `key ${dice === 4 ? 2 : 1} of ${userId}`;
  }
}

/** Most histories have something fail, a few have much. */
function withFaults(random: Random, asks: readonly AskStep[], lastAt: number): Step[] {
  const count = random.pick([0, 0, 0, 1, 1, 1, 1, 2, 2, 3]);
  const faults = Array.from({ length: count }, () => (random.below(4) > 0 ? breakStep(random, asks) : restartStep(random, lastAt)));
  // Stable: a fault comes before what is asked at its instant.
  return count === 0 ? [...asks] : [...faults, ...asks].sort((a, b) => a.at - b.at);
}

/** Armed when some request reaches the object, or when what it holds runs out. */
function breakStep(random: Random, asks: readonly AskStep[]): BreakStep {
  const { at, ask, fates } = aimOf(random, asks);
  const arrivesAt = at + (fates[0]?.toMs ?? 0);
  const isOfAlarm = ask.kind === "hold" && random.below(2) === 0;
  return {
    is: "break",
    at: isOfAlarm ? arrivesAt + ask.ttlMs : arrivesAt,
    skip: random.below(6) === 0 ? random.below(24) : random.below(10),
    how: random.below(2) === 0 ? "throw" : "crash",
    ...end(random),
  };
}

/** Claims are many, and without its creation there is no coupon: most faults are for the others. */
function aimOf(random: Random, asks: readonly AskStep[]): AskStep {
  const first = random.pick(asks);
  return first.ask.kind === "create" || (first.ask.kind === "claim" && random.below(2) === 0) ? random.pick(asks) : first;
}

function restartStep(random: Random, lastAt: number): RestartStep {
  return { is: "restart", at: random.below(lastAt + 8), ...end(random) };
}

function end(random: Random): { isLossy: boolean; skewMs: number | null; mark: Fate["mark"] } {
  const { below, pick } = random;
  const skewMs = below(2) === 0 ? null : below(4) === 0 ? pick([-5_000, 5_000]) : below(61) - 30;
  return { isLossy: below(2) === 0, skewMs, mark: pick(["reset", "reset", "retryable", "unmarked"]) };
}
