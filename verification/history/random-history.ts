// Random histories: clients ask a correct coupon, made of the specification, over a network that delays and loses; and what
// such a history extraAnswers like after something went wrong.

import type { Random } from "../random.ts";
import { follow, type Coupon } from "../model/coupon.ts";
import type { Answer, Call, EventKind, LedgerEvent, Settings } from "../model/types.ts";
import type { History, Operation } from "./history.ts";
import { judge, judgeAtEdge, type Verdict } from "../model/judge.ts";

export type Scale = {
  readonly operationCount: number;
  readonly clientCount: number;
  readonly userCount: number;
  /** Most units on offer. */
  readonly amountMax: number;
};

/** What the edge may say by itself. */
const CERTIFIED: ReadonlySet<string> = new Set(["out_of_stock", "sale_ended", "sale_not_started", "sale_paused"]);

/** One request on its way. */
type Pending = {
  readonly call: Call;
  readonly client: string;
  readonly startedAt: number;
  readonly attempt: string;
  /** Null until the coupon has judged it. */
  answer: Answer | null;
  /** When nobody listens any more for its answer, as far as the client goes; null while it does. */
  endedAt: number | null;
  isHeard: boolean;
};

/** A history as a correct coupon makes it. Its clock and the clients' are one. */
export function randomHistory(random: Random, scale: Scale): History {
  return new Sale(random, scale).run();
}

class Sale {
  readonly #random: Random;
  readonly #scale: Scale;
  readonly #all: Pending[] = [];
  readonly #underWay = new Set<Pending>();
  readonly #events: LedgerEvent[] = [];
  #coupon: Coupon | null = null;
  #now = 1_000;
  #incarnation = 0;

  constructor(random: Random, scale: Scale) {
    this.#random = random;
    this.#scale = scale;
  }

  run(): History {
    if (this.#random.below(8) > 0) this.#judge(this.#send("operator", this.#create()));
    while (this.#all.length < this.#scale.operationCount || this.#underWay.size > 0) this.#step();
    this.#expire();
    const operations = this.#all.map((pending) => this.#recorded(pending));
    return { operations, events: this.#events, seenFrom: "object", isClockSteady: true };
  }

  #step(): void {
    this.#now += this.#random.below(3);
    const idle = this.#scale.clientCount - this.#underWay.size;
    if (this.#all.length < this.#scale.operationCount && this.#random.below(this.#scale.clientCount) < idle) {
      // Some requests are delivered once more, as the Worker does with what may be repeated.
      const again =
        this.#random.below(6) === 0 ? this.#all.findLast(({ call }) => call.kind === "hold" || call.kind === "claim") : undefined;
      this.#send(`c${this.#random.below(this.#scale.clientCount)}`, again?.call ?? this.#call(), again?.attempt);
      return;
    }
    if (this.#underWay.size === 0) return;
    const pending = this.#random.pick([...this.#underWay]);
    const faultPlan = this.#random.below(16);
    // Most requests are judged and then heard; some are lost before, some after.
    if (pending.answer === null && faultPlan > 0) this.#judge(pending);
    else {
      this.#underWay.delete(pending);
      pending.isHeard = pending.answer !== null && faultPlan > 1;
      pending.endedAt = this.#now;
    }
  }

  #send(client: string, call: Call, attempt: string = `a${this.#all.length}`): Pending {
    const pending = { call, client, startedAt: this.#now, attempt, answer: null, endedAt: null, isHeard: false };
    this.#all.push(pending);
    this.#underWay.add(pending);
    return pending;
  }

  #judge(pending: Pending): void {
    if (this.#random.below(2) === 0 && this.#refuseAtEdge(pending)) return;
    if (this.#coupon !== null && pending.call.kind !== "remove") this.#expire();
    const verdict = judge(this.#coupon, pending.call, pending.attempt, this.#now);
    if (pending.call.kind === "end_holds") this.#releaseAllHolds();
    else if (verdict.isEvent === true) this.#append(eventOf(verdict, pending, this.#seq(verdict.is), this.#now), pending);
    const { isEvent: _isEvent, ...answered } = verdict;
    pending.answer = { ...answered, seq: this.#coupon === null ? 0 : this.#seq("changed") - 1, incarnation: this.#incarnation };
  }

  /** Refuses a request without the object, by a certificate of any age that is true; false where there can be none. */
  #refuseAtEdge(pending: Pending): boolean {
    const verdict = judgeAtEdge(this.#coupon, pending.call, pending.attempt, this.#now);
    if (!CERTIFIED.has(verdict.is)) return false;
    const seq = 1 + this.#random.below(this.#seq("changed") - 1);
    pending.answer = { ...verdict, seq, servedByEdge: true, incarnation: this.#incarnation };
    return true;
  }

  #releaseAllHolds(): void {
    for (const userId of [...(this.#coupon?.holds.keys() ?? [])].toSorted())
      this.#append({ kind: "given_back", seq: this.#seq("given_back"), at: this.#now, userId, position: null }, null);
  }

  #expire(): void {
    while (this.#coupon !== null && this.#coupon.nextExpiryAt <= this.#now) {
      const over = [...this.#coupon.holds].find(([, { expiresAt }]) => expiresAt === this.#coupon?.nextExpiryAt);
      const event = { kind: "expired", seq: this.#seq("expired"), at: this.#now, userId: over?.[0] ?? null, position: null } as const;
      this.#append(event, null);
    }
  }

  #append(event: LedgerEvent, pending: Pending | null): void {
    if (event.kind === "given_back") this.#nameHold(event.userId);
    this.#events.push(event);
    if (event.kind === "created") this.#incarnation += 1;
    this.#coupon = follow(this.#coupon, event, pending?.attempt ?? null, pending?.call.kind === "claim" ? pending.call.key : null);
  }

  /** Of a hold that is released it stays known who made it. */
  #nameHold(userId: string | null): void {
    const index = this.#events.findLastIndex((event) => event.kind === "held" && event.userId === userId);
    const event = this.#events[index];
    const attempt = this.#coupon?.holds.get(userId ?? "")?.attempt ?? null;
    if (event !== undefined && attempt !== null) this.#events[index] = { ...event, attempt };
  }

  /** The seq of what happens next. */
  #seq(kind: string): number {
    if (kind === "removed") return 0;
    return kind === "created" ? 1 : (this.#events.at(-1)?.seq ?? 0) + 1;
  }

  #recorded({ call, client, startedAt, endedAt, attempt, answer, isHeard }: Pending): Operation {
    const heardAt = isHeard ? endedAt : null;
    return {
      call,
      client,
      startedAt,
      endedAt: heardAt,
      clockFrom: startedAt,
      clockUntil: heardAt,
      attempt,
      answer: isHeard ? answer : null,
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
    if (dice < 90 || (this.#coupon === null && below(2) === 0)) return this.#create();
    if (dice < 91) return { kind: "remove" };
    const change = pick<Partial<Settings>>([
      { amount: 1 + below(this.#scale.amountMax) },
      { paused: below(2) === 0 },
      { startsAt: this.#edge() },
      { endsAt: this.#edge() },
      { holdSecondsMax: 1 + below(2) },
      { holdsMax: this.#holdsMax() },
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

function eventOf(verdict: Verdict, { call, attempt }: Pending, seq: number, at: number): LedgerEvent {
  const kind = verdict.is as EventKind;
  const userId = "userId" in call ? call.userId : null;
  const position = kind === "claimed" || kind === "released" ? (verdict.position ?? null) : null;
  const base = { kind, seq, at, userId, position };
  if (call.kind === "claim") return { ...base, key: call.key, attempt };
  if (verdict.expiresAt !== undefined) return { ...base, expiresAt: verdict.expiresAt };
  const { amount, startsAt, endsAt, paused, holdSecondsMax, holdsMax } = verdict;
  if (amount === undefined || startsAt === undefined || endsAt === undefined || paused === undefined) return base;
  if (holdSecondsMax === undefined || holdsMax === undefined) return base;
  return { ...base, settings: { amount, startsAt, endsAt, paused, holdSecondsMax, holdsMax } };
}
