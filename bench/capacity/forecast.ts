// Simulates a sale: users arrive at isolates, go to the coupon directly or through lanes, and come back after a 503.

import { laneOf } from "../../src/domain/lanes.ts";
import { leaseEnd } from "../../src/domain/certificate.ts";
import { CALL_DEADLINE_MS, CERTIFICATE_MS_MAX, RETRY_AFTER_SECONDS } from "../../src/domain/limits.ts";
import { waitMs } from "../../packages/client/src/answer.ts";
import { Coupon, OVERLOADED, type Answer, type Code } from "./coupon.ts";
import { Isolate } from "./isolate.ts";
import { Lane } from "./lane.ts";
import { Loop, randomFrom, Thread } from "./loop.ts";
import { arrivalMs, type Sale } from "./sale.ts";

/** Claims in one tenth of a second of the sale. `sent` are all that reach the Worker. */
export type Moment = { readonly atMs: number; sent: number; judged: number; refusedAtEdge: number; turnedAway: number; calls: number };

/** How long the fastest 50, 95 and 99 % of users wait at most, and all. */
export type Waits = {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

export type Forecast = {
  /** Each user has one of these three ends. */
  readonly granted: number;
  readonly refused: number;
  /** Users whose client had no other answer than 503 until its deadline. */
  readonly gaveUp: number;
  /** Milliseconds from the start of the sale. Null where stock is left. */
  readonly soldOutAtMs: number | null;
  readonly endedAtMs: number;
  /** From a user's claim to the final answer, with all retries, without the network between user and Worker. */
  readonly winners: Waits;
  readonly others: Waits;
  /** Answers 503. The client comes back. */
  readonly turnedAway: number;
  readonly refusedAtEdge: number;
  /** Claims that reach the Worker, with those of an early crowd and the retries. */
  readonly workerRequests: number;
  readonly laneRequests: number;
  /** Calls of the coupon's object. */
  readonly calls: number;
  readonly certificateCalls: number;
  /** The most calls of the coupon's object in one second. */
  readonly callsPerSecondMax: number;
  readonly waitingMax: number;
  /** The most lanes that are used. */
  readonly lanesMax: number;
  readonly moments: readonly Moment[];
};

const MOMENT_MS = 100;
const MOMENTS_PER_SECOND = 1000 / MOMENT_MS;
/** An early crowd comes back within this time after the start. */
const COME_BACK_MS = 1000;
/** The deadline of `claim` in packages/client, unless it is set. */
const CLIENT_DEADLINE_MS = 30_000;

/** How long the answer to a change of the closed sale takes at most, such as a restock. */
export function changeMsMax({ hasCertificates, flushMs }: Pick<Sale, "hasCertificates" | "flushMs">): number {
  return (hasCertificates ? leaseEnd(0, CERTIFICATE_MS_MAX) : 0) + flushMs;
}

/** Simulates the sale to its end. The same sale has the same forecast. */
export function forecast(sale: Sale): Forecast {
  const simulation = new Simulation(sale);
  simulation.run();
  return simulation.forecast();
}

class Simulation {
  readonly #sale: Sale;
  readonly #loop = new Loop();
  readonly #random: () => number;
  readonly #thread: Thread;
  readonly #coupon: Coupon;
  readonly #lanes = new Map<string, Lane>();
  readonly #isolates: Isolate[];
  /** The start of the sale on the loop's clock, which begins with the first user. */
  readonly #opensAtMs: number;
  /** Of each user: when the claim began, when its last attempt did, how many there were, and the isolate. */
  readonly #begunMs: Float64Array;
  readonly #sentMs: Float64Array;
  readonly #attempts: Uint8Array;
  readonly #isolateOf: Uint32Array;
  readonly #comingBack = new Map<number, number[]>();
  readonly #waits = { winners: [] as number[], others: [] as number[] };
  readonly #moments: Moment[] = [];
  #totals = { refused: 0, gaveUp: 0, turnedAway: 0, refusedAtEdge: 0, workerRequests: 0, laneRequests: 0, lanesMax: 0, endedAtMs: 0 };

  constructor(sale: Sale) {
    this.#sale = sale;
    this.#random = randomFrom(sale.seed);
    this.#opensAtMs = Math.max(0, -arrivalMs(sale, 0));
    this.#thread = new Thread(this.#loop);
    this.#coupon = new Coupon(sale, this.#loop, this.#newThread(), this.#opensAtMs, this.#random, {
      called: () => (this.#moment().calls += 1),
      judged: (count) => (this.#moment().judged += count),
    });
    this.#isolates = Array.from({ length: sale.isolates }, () => new Isolate(sale, this.#loop, this.#coupon, this.#random));
    this.#begunMs = new Float64Array(sale.users);
    this.#sentMs = new Float64Array(sale.users);
    this.#attempts = new Uint8Array(sale.users);
    this.#isolateOf = Uint32Array.from({ length: sale.users }, () => Math.floor(this.#random() * sale.isolates));
  }

  run(): void {
    this.#arriveFrom(0);
    this.#loop.run();
  }

  forecast(): Forecast {
    const { granted, calls, certificateCalls, waitingMax } = this.#coupon.totals;
    const { soldOutAtMs } = this.#coupon;
    const perSecond = this.#moments.map((_, index) =>
      this.#moments.slice(index, index + MOMENTS_PER_SECOND).reduce((sum, moment) => sum + moment.calls, 0),
    );
    return {
      ...this.#totals,
      granted,
      calls,
      certificateCalls,
      waitingMax,
      soldOutAtMs: soldOutAtMs === null ? null : soldOutAtMs - this.#opensAtMs,
      endedAtMs: this.#totals.endedAtMs - this.#opensAtMs,
      winners: waitsOf(this.#waits.winners),
      others: waitsOf(this.#waits.others),
      callsPerSecondMax: Math.max(0, ...perSecond),
      moments: this.#moments,
    };
  }

  #newThread(): Thread {
    return this.#sale.isOneThread ? this.#thread : new Thread(this.#loop);
  }

  /** Lets all users arrive who come in the same millisecond as `first`, and then the next ones. */
  #arriveFrom(first: number): void {
    if (first >= this.#sale.users) return;
    const atMs = arrivalMs(this.#sale, first) + this.#opensAtMs;
    this.#loop.at(atMs, () => {
      const users: number[] = [];
      for (let user = first; user < this.#sale.users && arrivalMs(this.#sale, user) + this.#opensAtMs === atMs; user += 1) {
        this.#begunMs[user] = atMs;
        users.push(user);
      }
      this.#send(users);
      this.#arriveFrom(first + users.length);
    });
  }

  /** Sends the claims of these users to their isolates. */
  #send(users: readonly number[]): void {
    this.#totals.workerRequests += users.length;
    this.#moment().sent += users.length;
    for (const user of users) this.#sentMs[user] = this.#loop.nowMs;
    this.#inWorker(users, 1, () => this.#route(users));
  }

  /** Does `work` after so many of the Worker's three tasks for each of these users: read, render, and write. */
  #inWorker(users: readonly number[], taskCount: number, work: () => void): void {
    if (!this.#sale.isOneThread || taskCount === 0) return work();
    const tookMs = (users.length * this.#sale.costs.workerUs) / 3000;
    this.#thread.post(() => {
      this.#loop.at(this.#loop.nowMs + tookMs, () => this.#inWorker(users, taskCount - 1, work));
      return tookMs;
    });
  }

  #route(users: readonly number[]): void {
    const direct: number[] = [];
    const ofLanes = new Map<string, number[]>();
    for (const user of users) {
      const isolate = this.#isolate(user);
      const refusal = isolate.refusal();
      const count = refusal === null ? isolate.lanes(this.#sale.lanes) : 0;
      if (refusal !== null) this.#refuseAtEdge(user, refusal);
      else if (count === 0) direct.push(user);
      else {
        this.#totals.lanesMax = Math.max(this.#totals.lanesMax, count);
        const lane = laneOf(`user_${user}`, count, null);
        const together = ofLanes.get(lane);
        if (together === undefined) ofLanes.set(lane, [user]);
        else together.push(user);
      }
    }
    const arriveMs = this.#loop.nowMs + this.#sale.roundTripMs / 2;
    for (const [lane, together] of ofLanes) this.#loop.at(arriveMs, () => this.#enterLane(lane, together));
    if (direct.length > 0) this.#loop.at(arriveMs, () => this.#call(direct));
  }

  #call(users: readonly number[]): void {
    const { room } = this.#coupon;
    for (const user of users.slice(0, room)) {
      const alone = [user];
      this.#coupon.call({ isOfLane: false, users: alone, respond: (answer) => this.#return(alone, answer) });
    }
    if (users.length > room) this.#return(users.slice(room), OVERLOADED);
  }

  #enterLane(name: string, users: readonly number[]): void {
    this.#totals.laneRequests += users.length;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new Lane(this.#sale, this.#loop, this.#newThread(), this.#coupon, (of, answer) => this.#return(of, answer));
      this.#lanes.set(name, lane);
    }
    lane.submit(users);
  }

  /** An answer goes back to the isolates of its users. */
  #return(users: readonly number[], answer: Answer): void {
    this.#loop.at(this.#loop.nowMs + this.#sale.roundTripMs / 2, () => this.#inWorker(users, 2, () => this.#take(users, answer)));
  }

  #take(users: readonly number[], { codes, lanes }: Answer): void {
    for (const [index, user] of users.entries()) {
      const code = codes[index] ?? "unavailable";
      this.#isolate(user).take(code, lanes);
      this.#settle(user, code);
    }
  }

  #refuseAtEdge(user: number, code: Code): void {
    this.#totals.refusedAtEdge += 1;
    this.#moment().refusedAtEdge += 1;
    this.#settle(user, code);
  }

  #settle(user: number, code: Code): void {
    if (code === "sale_not_started") return this.#comeBack(user, this.#opensAtMs + this.#random() * COME_BACK_MS, "new");
    // The Worker gives up before so late an answer, with a 503. The retry finds it.
    const isLate = this.#loop.nowMs - (this.#sentMs[user] ?? 0) > CALL_DEADLINE_MS;
    if (code === "unavailable" || isLate) {
      this.#totals.turnedAway += 1;
      this.#moment().turnedAway += 1;
    }
    if (code === "unavailable") return this.#retry(user);
    if (code === "out_of_stock") this.#totals.refused += 1;
    this.#end(user, code === "granted" ? this.#waits.winners : this.#waits.others);
  }

  /** As `call` in packages/client/src/call.ts. */
  #retry(user: number): void {
    const attempt = this.#attempts[user] ?? 0;
    const atMs = this.#loop.nowMs + waitMs(attempt, RETRY_AFTER_SECONDS * 1000, this.#random());
    this.#attempts[user] = attempt + 1;
    if (atMs < (this.#begunMs[user] ?? 0) + CLIENT_DEADLINE_MS) return this.#comeBack(user, atMs, "retry");
    this.#totals.gaveUp += 1;
    this.#end(user, this.#waits.others);
  }

  #end(user: number, waits: number[]): void {
    waits.push(this.#loop.nowMs - (this.#begunMs[user] ?? 0));
    this.#totals.endedAtMs = this.#loop.nowMs;
  }

  /** Users who come back in the same millisecond come together. A claim before the start is not a part of the wait. */
  #comeBack(user: number, exactMs: number, claim: "new" | "retry"): void {
    const atMs = Math.ceil(exactMs);
    if (claim === "new") this.#begunMs[user] = atMs;
    const together = this.#comingBack.get(atMs);
    if (together !== undefined) return void together.push(user);
    const users = [user];
    this.#comingBack.set(atMs, users);
    this.#loop.at(atMs, () => {
      this.#comingBack.delete(atMs);
      this.#send(users);
    });
  }

  #isolate(user: number): Isolate {
    const isolate = this.#isolates[this.#isolateOf[user] ?? 0];
    if (isolate === undefined) throw new Error("a sale has at least one isolate");
    return isolate;
  }

  #moment(): Moment {
    const index = Math.floor(this.#loop.nowMs / MOMENT_MS);
    while (this.#moments.length <= index) {
      const atMs = this.#moments.length * MOMENT_MS - this.#opensAtMs;
      this.#moments.push({ atMs, sent: 0, judged: 0, refusedAtEdge: 0, turnedAway: 0, calls: 0 });
    }
    const moment = this.#moments[index];
    if (moment === undefined) throw new Error("the loop's clock never goes back");
    return moment;
  }
}

function waitsOf(waits: readonly number[]): Waits {
  const sorted = Float64Array.from(waits).sort();
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { count: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: at(1) };
}
