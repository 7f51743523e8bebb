// A sale in front of one coupon's object, simulated in steps of a millisecond: how long users wait, and what the object is asked.

/** What is to be sold, to how many, and what it runs on. Durations in milliseconds, costs in microseconds. */
export type Sale = {
  readonly users: number;
  readonly stock: number;
  /** How long they go on arriving, in seconds. */
  readonly seconds: number;
  /** `burst`: half of them in the first tenth of the time, the rest evenly. `flat`: evenly. */
  readonly shape: "burst" | "flat";
  /** Requests that the platform lets one object take in a second. */
  readonly objectPerSecond: number;
  /** What a batch costs the object, whatever its size, and what each claim in it adds. */
  readonly batchUs: number;
  readonly claimUs: number;
  readonly batchSizeMax: number;
  readonly mailboxLengthMax: number;
  /** What a flush takes: an answer leaves when its batch is on disk. */
  readonly flushMs: number;
  /** While a flush is in flight, the next batch starts once its oldest message has waited so long. */
  readonly batchWaitMs: number;
  /** Worker isolates that the users are spread over; each requests a certificate of its own. 0: there are no certificates. */
  readonly isolates: number;
  /** How long an isolate uses one certificate before it requests the next. */
  readonly renewalMs: number;
  /** How long an issued certificate may be in use: a change of the closed sale waits until it no longer is. */
  readonly leaseMs: number;
  /** Objects in front that collect claims and hand them on in bulk; 0: there are none, as in the product today. */
  readonly lanes: number;
  /** How long a lane collects, and what a claim costs the coupon's object then. */
  readonly laneMs: number;
  readonly bulkClaimUs: number;
};

/** One tenth of a second of the sale. */
export type Moment = {
  readonly atMs: number;
  readonly arrived: number;
  readonly judged: number;
  readonly refusedAtEdge: number;
  readonly turnedAway: number;
  readonly waiting: number;
};

export type Forecast = {
  readonly granted: number;
  /** When the last unit went out; null where stock is left. */
  readonly soldOutAtMs: number | null;
  /** When everybody had an answer. */
  readonly endedAtMs: number;
  /** Waits in milliseconds, without the network's. */
  readonly winners: Waits;
  readonly others: Waits;
  /** Requests that reached the coupon's object, one for each bulk where there are lanes. */
  readonly askedOfObject: number;
  readonly askedOfLanes: number;
  /** Of the requests to the object, those for certificates. */
  readonly certificateRequests: number;
  readonly refusedAtEdge: number;
  /** Answers `unavailable`: the mailbox was full. Each came back a second later. */
  readonly turnedAway: number;
  readonly waitingMax: number;
  readonly moments: readonly Moment[];
};

/** What a share of them waited at most. */
export type Waits = { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };

const STEP_MS = 1;
/** Users come in fractions here; less than this is none. */
const NOBODY = 1e-6;
const MOMENT_MS = 100;
/** What `Retry-After` says on `unavailable`. */
const COME_BACK_MS = 1000;

/** People who arrived together. */
type Group = { readonly arrivedMs: number; count: number };

/** How many users have arrived by `ms`. */
export function arrivedBy({ users, seconds, shape }: Pick<Sale, "users" | "seconds" | "shape">, ms: number): number {
  const share = Math.min(Math.max(ms / (seconds * 1000), 0), 1);
  if (shape === "flat") return users * share;
  return users * (share < 0.1 ? share * 5 : 0.5 + (share - 0.1) * (0.5 / 0.9));
}

/** How long the answer to a change of a closed sale takes at most, such as a restock. */
export function changeMsMax({ isolates, leaseMs, flushMs }: Pick<Sale, "isolates" | "leaseMs" | "flushMs">): number {
  return (isolates > 0 ? leaseMs : 0) + flushMs;
}

/** Plays the sale to its end. */
export function forecast(sale: Sale): Forecast {
  const run = new Run(sale);
  const endMs = sale.seconds * 1000;
  for (let ms = 0; ms < endMs || run.isBusy; ms += STEP_MS) run.step(ms);
  return run.forecast();
}

class Run {
  readonly #sale: Sale;
  /** Before the lanes, and before the object: the first of them first. */
  readonly #beforeLanes: Group[] = [];
  readonly #queue: Group[] = [];
  /** How many come back when. */
  readonly #comingBack = new Map<number, number>();
  readonly #waits = { winners: new Map<number, number>(), others: new Map<number, number>() };
  readonly #moments: Moment[] = [];
  #moment = { arrived: 0, judged: 0, refusedAtEdge: 0, turnedAway: 0 };
  #waiting = 0;
  #laneCredit = 0;
  #fromLanes: Group[] = [];
  #freeAtMs = 0;
  /** When no flush is in flight any more. */
  #flushedAtMs = 0;
  #nowMs = 0;
  #granted = 0;
  #soldOutAtMs: number | null = null;
  /** Users who had to ask because their isolate had no certificate yet. */
  #askerCount = 0;
  #totals = { askedOfObject: 0, askedOfLanes: 0, certificateRequests: 0, refusedAtEdge: 0, turnedAway: 0, waitingMax: 0 };

  constructor(sale: Sale) {
    this.#sale = sale;
  }

  get isBusy(): boolean {
    return this.#waiting > NOBODY || this.#comingBack.size > 0 || this.#beforeLanes.length > 0 || this.#fromLanes.length > 0;
  }

  step(ms: number): void {
    this.#nowMs = ms;
    const fresh = arrivedBy(this.#sale, ms + STEP_MS) - arrivedBy(this.#sale, ms);
    this.#moment.arrived += fresh;
    this.#arrive({ arrivedMs: ms, count: fresh });
    // The wait of those who come back counts from now: a 503 was an answer.
    this.#arrive({ arrivedMs: ms, count: this.#comingBack.get(ms) ?? 0 });
    this.#comingBack.delete(ms);
    if (this.#sale.lanes > 0) this.#passLanes(ms);
    while (this.#isBatchDue(ms)) this.#serve(ms);
    const inLanes = this.#sale.lanes > 0 ? this.#beforeLanes.reduce((sum, { count }) => sum + count, 0) : 0;
    this.#totals.waitingMax = Math.max(this.#totals.waitingMax, this.#waiting + inLanes);
    if ((ms + STEP_MS) % MOMENT_MS === 0) this.#closeMoment(ms + STEP_MS - MOMENT_MS);
  }

  forecast(): Forecast {
    const { arrived, judged, refusedAtEdge } = this.#moment;
    if (arrived + judged + refusedAtEdge > NOBODY) this.#closeMoment(Math.floor(this.#nowMs / MOMENT_MS) * MOMENT_MS);
    return {
      granted: Math.round(this.#granted),
      soldOutAtMs: this.#soldOutAtMs,
      endedAtMs: Math.max(this.#flushedAtMs, this.#sale.seconds * 1000),
      winners: waitsOf(this.#waits.winners),
      others: waitsOf(this.#waits.others),
      ...this.#totals,
      moments: this.#moments,
    };
  }

  /** Refused at the edge, sent to the lanes, queued, or turned away. */
  #arrive(group: Group): void {
    const rest = this.#soldOutAtMs === null || this.#sale.isolates === 0 ? group.count : this.#askers(group.count);
    this.#refuseAtEdge(group.count - rest);
    if (rest <= NOBODY) return;
    if (this.#sale.lanes > 0) {
      this.#beforeLanes.push({ arrivedMs: group.arrivedMs, count: rest });
      this.#totals.askedOfLanes += rest;
      return;
    }
    const taken = Math.min(rest, Math.max(this.#sale.mailboxLengthMax - this.#waiting, 0));
    this.#totals.askedOfObject += rest;
    if (taken > 0) this.#enqueue({ arrivedMs: group.arrivedMs, count: taken });
    if (rest - taken > NOBODY) {
      const backMs = this.#nowMs + COME_BACK_MS;
      this.#comingBack.set(backMs, (this.#comingBack.get(backMs) ?? 0) + rest - taken);
      this.#totals.turnedAway += rest - taken;
      this.#moment.turnedAway += rest - taken;
    }
  }

  /**
   * Of those who arrive after the last unit, the ones who have to ask: two in each isolate, one whose refusal makes it request a
   * certificate, and one who arrives before that has come. The isolate renews it for as long as users arrive.
   */
  #askers(count: number): number {
    if (count <= 0) return 0;
    const { isolates, renewalMs, claimUs, objectPerSecond } = this.#sale;
    const sinceMs = Math.max(this.#nowMs - (this.#soldOutAtMs ?? this.#nowMs), 0);
    const requested = isolates * (1 + sinceMs / renewalMs) - this.#totals.certificateRequests;
    this.#totals.certificateRequests += requested;
    this.#totals.askedOfObject += requested;
    this.#freeAtMs += (requested * Math.max(claimUs, 1e6 / objectPerSecond)) / 1000;
    const asking = Math.min(count, isolates * 2 - this.#askerCount);
    this.#askerCount += asking;
    return asking;
  }

  #refuseAtEdge(count: number): void {
    if (count <= 0) return;
    this.#totals.refusedAtEdge += count;
    this.#moment.refusedAtEdge += count;
    this.#note(this.#waits.others, 0, count);
  }

  /** Lanes take what the platform lets them, and hand it on each time they have collected. */
  #passLanes(ms: number): void {
    this.#laneCredit = Math.min(this.#laneCredit, 0) + (this.#sale.lanes * this.#sale.objectPerSecond * STEP_MS) / 1000;
    while (this.#laneCredit > 0 && this.#beforeLanes[0] !== undefined) {
      const [first] = this.#beforeLanes;
      const count = Math.min(first.count, this.#laneCredit);
      this.#laneCredit -= count;
      this.#fromLanes.push({ arrivedMs: first.arrivedMs, count });
      first.count -= count;
      if (first.count <= NOBODY) this.#beforeLanes.shift();
    }
    if (ms % this.#sale.laneMs !== 0) return;
    const collected = this.#fromLanes.reduce((sum, { count }) => sum + count, 0);
    for (const group of this.#fromLanes) this.#enqueue(group);
    this.#fromLanes = [];
    if (collected > 0) this.#totals.askedOfObject += Math.min(this.#sale.lanes, Math.ceil(collected));
  }

  #enqueue(group: Group): void {
    this.#queue.push(group);
    this.#waiting += group.count;
  }

  /** A batch starts when the object has time, and either no flush is in flight or its oldest message has waited long enough. */
  #isBatchDue(ms: number): boolean {
    const [oldest] = this.#queue;
    if (oldest === undefined || this.#waiting <= NOBODY || this.#freeAtMs >= ms + STEP_MS) return false;
    return this.#flushedAtMs <= ms || ms - oldest.arrivedMs >= this.#sale.batchWaitMs;
  }

  /** One batch: judged together, answered together when it is on disk. */
  #serve(ms: number): void {
    const { batchUs, claimUs, bulkClaimUs, batchSizeMax, objectPerSecond, flushMs, lanes, stock } = this.#sale;
    const size = Math.min(this.#waiting, batchSizeMax);
    const workUs = batchUs + size * (lanes > 0 ? bulkClaimUs : claimUs);
    const pacedUs = lanes > 0 ? 0 : (size * 1e6) / objectPerSecond;
    this.#freeAtMs = Math.max(this.#freeAtMs, ms) + Math.max(workUs, pacedUs) / 1000;
    this.#flushedAtMs = this.#freeAtMs + flushMs;
    this.#waiting -= size;
    this.#moment.judged += size;
    for (let left = size; left > NOBODY;) {
      const [first] = this.#queue;
      if (first === undefined) break;
      const count = Math.min(first.count, left);
      const winners = Math.min(count, Math.max(stock - this.#granted, 0));
      const waitMs = Math.max(this.#flushedAtMs - first.arrivedMs, 0);
      this.#note(this.#waits.winners, waitMs, winners);
      this.#note(this.#waits.others, waitMs, count - winners);
      this.#granted += winners;
      left -= count;
      first.count -= count;
      if (first.count <= NOBODY) this.#queue.shift();
    }
    if (this.#soldOutAtMs === null && this.#granted >= stock - 1e-6) this.#soldOutAtMs = this.#freeAtMs;
  }

  #note(waits: Map<number, number>, waitMs: number, count: number): void {
    if (count <= NOBODY) return;
    const rounded = Math.ceil(waitMs);
    waits.set(rounded, (waits.get(rounded) ?? 0) + count);
  }

  #closeMoment(atMs: number): void {
    this.#moments.push({ atMs, ...this.#moment, waiting: this.#waiting });
    this.#moment = { arrived: 0, judged: 0, refusedAtEdge: 0, turnedAway: 0 };
  }
}

function waitsOf(waits: ReadonlyMap<number, number>): Waits {
  const sorted = Array.from(waits).sort(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const at = (share: number): number => {
    let seen = 0;
    for (const [waitMs, count] of sorted) {
      seen += count;
      if (seen >= total * share - NOBODY) return waitMs;
    }
    return 0;
  };
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1)?.[0] ?? 0 };
}
