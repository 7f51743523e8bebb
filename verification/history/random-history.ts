// Random histories: clients call a correct coupon over a network that delays and loses messages.

import { isCertifiable, judgeAtEdge } from "../model/judge.ts";
import { Reference } from "../model/reference.ts";
import { TEXTS, type Settings } from "../model/settings.ts";
import type { Answer, Call } from "../model/types.ts";
import type { Random } from "../random.ts";
import type { History, Operation } from "./history.ts";

export type Scale = {
  readonly operationCount: number;
  readonly clientCount: number;
  readonly userCount: number;
  /** The largest amount. */
  readonly amountMax: number;
};

/** A request on its way. */
type Pending = {
  readonly call: Call;
  readonly client: string;
  readonly startedAt: number;
  readonly attempt: string;
  /** Null until the coupon has judged it. */
  answer: Answer | null;
  /** When its client stopped waiting; null until then. */
  endedAt: number | null;
  isAnswered: boolean;
};

/** Returns a history of a correct coupon. Its clock is also the clock of its clients. */
export function randomHistory(random: Random, scale: Scale): History {
  return new Sale(random, scale).run();
}

class Sale {
  readonly #random: Random;
  readonly #scale: Scale;
  readonly #all: Pending[] = [];
  readonly #underWay = new Set<Pending>();
  readonly #coupon = new Reference();
  #now = 1_000;

  constructor(random: Random, scale: Scale) {
    this.#random = random;
    this.#scale = scale;
  }

  run(): History {
    if (this.#random.below(8) > 0) this.#judge(this.#send("operator", this.#create()));
    while (this.#all.length < this.#scale.operationCount || this.#underWay.size > 0) this.#step();
    this.#coupon.expire(this.#now);
    const operations = this.#all.map((pending) => this.#recorded(pending));
    return { operations, events: this.#coupon.events, seenFrom: "object", isClockSteady: true };
  }

  #step(): void {
    this.#now += this.#random.below(3);
    const idle = this.#scale.clientCount - this.#underWay.size;
    if (this.#all.length < this.#scale.operationCount && this.#random.below(this.#scale.clientCount) < idle) {
      // Some requests are delivered again, as the Worker does with repeatable calls.
      const again =
        this.#random.below(6) === 0 ? this.#all.findLast(({ call }) => call.kind === "hold" || call.kind === "claim") : undefined;
      this.#send(`c${this.#random.below(this.#scale.clientCount)}`, again?.call ?? this.#call(), again?.attempt);
      return;
    }
    if (this.#underWay.size === 0) return;
    const pending = this.#random.pick([...this.#underWay]);
    const faultPlan = this.#random.below(16);
    // Most requests are judged and then answered. Some are lost before, some after.
    if (pending.answer === null && faultPlan > 0) this.#judge(pending);
    else {
      this.#underWay.delete(pending);
      pending.isAnswered = pending.answer !== null && faultPlan > 1;
      pending.endedAt = this.#now;
    }
  }

  #send(client: string, call: Call, attempt: string = `a${this.#all.length}`): Pending {
    const pending = { call, client, startedAt: this.#now, attempt, answer: null, endedAt: null, isAnswered: false };
    this.#all.push(pending);
    this.#underWay.add(pending);
    return pending;
  }

  #judge(pending: Pending): void {
    if (this.#random.below(2) === 0 && this.#refuseAtEdge(pending)) return;
    pending.answer = this.#coupon.answer(pending.call, pending.attempt, this.#now);
  }

  /**
   * Refuses a request without the object, by a true certificate of any age. Returns false where no
   * certificate can refuse it.
   */
  #refuseAtEdge(pending: Pending): boolean {
    const { coupon, seq, incarnation } = this.#coupon;
    const verdict = judgeAtEdge(coupon, pending.call, pending.attempt, this.#now);
    if (!isCertifiable(verdict.is)) return false;
    pending.answer = { ...verdict, seq: 1 + this.#random.below(seq), servedByEdge: true, incarnation };
    return true;
  }

  #recorded({ call, client, startedAt, endedAt, attempt, answer, isAnswered }: Pending): Operation {
    const heardAt = isAnswered ? endedAt : null;
    return {
      call,
      client,
      startedAt,
      endedAt: heardAt,
      clockFrom: startedAt,
      clockUntil: heardAt,
      attempt,
      answer: isAnswered ? answer : null,
    };
  }

  #create(): Call {
    const amount = 1 + this.#random.below(this.#scale.amountMax);
    return { kind: "create", amount, startsAt: this.#edge(), endsAt: null, holdsMax: this.#holdsMax() };
  }

  #call(): Call {
    const { below, pick } = this.#random;
    const userId = `u${below(this.#scale.userCount)}`;
    const dice = below(100);
    if (dice < 40) return { kind: "claim", userId, key: below(3) === 0 ? null : `k${below(this.#scale.userCount + 1)}` };
    if (dice < 55) return { kind: "hold", userId, ttlMs: below(8) === 0 ? 2_000 : 1 + below(12) };
    if (dice < 59) return { kind: "give_back", userId };
    if (dice < 62) return { kind: "end_holds" };
    if (dice < 72) return { kind: "release", userId, position: below(2) === 0 ? null : 1 + below(4) };
    if (dice < 80) return { kind: "read" };
    if (dice < 82) return { kind: "holds" };
    if (dice < 88) return { kind: "own", userId };
    if (dice < 90 || (this.#coupon.coupon === null && below(2) === 0)) return this.#create();
    if (dice < 91) return { kind: "remove" };
    const change = pick<Partial<Settings>>([
      { amount: 1 + below(this.#scale.amountMax) },
      { paused: below(2) === 0 },
      { startsAt: this.#edge() },
      { endsAt: this.#edge() },
      { holdSecondsMax: 1 + below(2) },
      { holdsMax: this.#holdsMax() },
      pick(TEXTS),
    ]);
    return { kind: "change", ...change };
  }

  #holdsMax(): number | null {
    return this.#random.below(2) === 0 ? null : 1 + this.#random.below(2);
  }

  #edge(): number | null {
    return this.#random.below(3) > 0 ? null : this.#now + this.#random.below(20) - 5;
  }
}
