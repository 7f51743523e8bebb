// A sale in front of one coupon's object, simulated in steps of a millisecond.

/** A sale and what it runs on. Durations are in milliseconds. */
export type Sale = {
  readonly users: number;
  readonly stock: number;
  /** How long users go on arriving, in seconds. */
  readonly seconds: number;
  /** `burst`: half of the users arrive in the first tenth of the time. `flat`: all arrive evenly. */
  readonly shape: "burst" | "flat";
  /** Microseconds of the object for one request: its CPU time, or the platform's pace if slower. */
  readonly requestUs: number;
  readonly batchSizeMax: number;
  readonly mailboxLengthMax: number;
  /** An answer leaves when its batch is on disk. */
  readonly flushMs: number;
  /** While a flush is in flight, the next batch starts once its oldest message has waited so long. */
  readonly batchWaitMs: number;
  /** Worker isolates, each with a certificate of its own. 0: there are no certificates. */
  readonly isolates: number;
  /** How long an isolate uses one certificate before it requests the next. */
  readonly renewalMs: number;
  /** How long a change of the closed sale waits for issued certificates. */
  readonly leaseMs: number;
};

/** Users in one tenth of a second of the sale. */
export type Moment = {
  readonly atMs: number;
  readonly arrived: number;
  readonly judged: number;
  readonly refusedAtEdge: number;
  readonly turnedAway: number;
};

export type Forecast = {
  readonly granted: number;
  /** When the last unit was granted. Null where stock is left. */
  readonly soldOutAtMs: number | null;
  /** When the last user had an answer. */
  readonly endedAtMs: number;
  /** Waits without the network's. */
  readonly winners: Waits;
  readonly others: Waits;
  readonly objectRequests: number;
  /** The requests to the object that are for certificates. */
  readonly certificateRequests: number;
  readonly refusedAtEdge: number;
  /** Answers `unavailable` because the mailbox was full. Each of these users comes back a second later. */
  readonly turnedAway: number;
  readonly waitingMax: number;
  readonly moments: readonly Moment[];
};

/** The longest wait of 50 %, of 99 % and of all users. */
export type Waits = { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };

const STEP_MS = 1;
const MOMENT_MS = 100;
/** Users are counted in fractions. Fewer than this is none. */
const NONE = 1e-6;
/** `Retry-After` of `unavailable`. */
const COME_BACK_MS = 1000;

/** Users who arrived together. */
type Group = { readonly arrivedMs: number; count: number };

/** How many users have arrived by `ms`. */
export function arrivedBy({ users, seconds, shape }: Pick<Sale, "users" | "seconds" | "shape">, ms: number): number {
  const share = Math.min(Math.max(ms / (seconds * 1000), 0), 1);
  if (shape === "flat") return users * share;
  return users * (share < 0.1 ? share * 5 : 0.5 + ((share - 0.1) / 0.9) * 0.5);
}

/** How long the answer to a change of a closed sale takes at most, such as a restock. */
export function changeMsMax({ isolates, leaseMs, flushMs }: Pick<Sale, "isolates" | "leaseMs" | "flushMs">): number {
  return (isolates > 0 ? leaseMs : 0) + flushMs;
}

/** Simulates the sale to its end. */
export function forecast(sale: Sale): Forecast {
  const simulation = new Simulation(sale);
  for (let ms = 0; ms < sale.seconds * 1000 || simulation.isBusy; ms += STEP_MS) simulation.step(ms);
  return simulation.forecast();
}

class Simulation {
  readonly #sale: Sale;
  /** The mailbox, oldest group first. */
  readonly #mailbox: Group[] = [];
  #waiting = 0;
  /** How many users come back, by when. */
  readonly #comingBack = new Map<number, number>();
  readonly #winnerWaits = new Map<number, number>();
  readonly #otherWaits = new Map<number, number>();
  readonly #moments: Moment[] = [];
  #moment = { arrived: 0, judged: 0, refusedAtEdge: 0, turnedAway: 0 };
  #nowMs = 0;
  /** When the object is free, and when no flush is in flight. */
  #freeAtMs = 0;
  #flushedAtMs = 0;
  #granted = 0;
  #soldOutAtMs: number | null = null;
  /** Users who reached the object because their isolate had no certificate yet. */
  #uncoveredCount = 0;
  #totals = { objectRequests: 0, certificateRequests: 0, refusedAtEdge: 0, turnedAway: 0, waitingMax: 0 };

  constructor(sale: Sale) {
    this.#sale = sale;
  }

  get isBusy(): boolean {
    return this.#waiting > NONE || this.#comingBack.size > 0;
  }

  step(ms: number): void {
    this.#nowMs = ms;
    const arrived = arrivedBy(this.#sale, ms + STEP_MS) - arrivedBy(this.#sale, ms);
    this.#moment.arrived += arrived;
    this.#arrive(arrived);
    // The 503 was an answer, so the wait of users who come back counts from now.
    this.#arrive(this.#comingBack.get(ms) ?? 0);
    this.#comingBack.delete(ms);
    while (this.#isBatchDue(ms)) this.#serve(ms);
    this.#totals.waitingMax = Math.max(this.#totals.waitingMax, this.#waiting);
    if ((ms + STEP_MS) % MOMENT_MS === 0) this.#closeMoment(ms + STEP_MS - MOMENT_MS);
  }

  forecast(): Forecast {
    const { arrived, judged, refusedAtEdge } = this.#moment;
    if (arrived + judged + refusedAtEdge > NONE) this.#closeMoment(Math.floor(this.#nowMs / MOMENT_MS) * MOMENT_MS);
    return {
      granted: Math.round(this.#granted),
      soldOutAtMs: this.#soldOutAtMs,
      endedAtMs: Math.max(this.#flushedAtMs, this.#sale.seconds * 1000),
      winners: waitsOf(this.#winnerWaits),
      others: waitsOf(this.#otherWaits),
      ...this.#totals,
      moments: this.#moments,
    };
  }

  /** Users are refused at the edge, put into the mailbox, or turned away. */
  #arrive(count: number): void {
    const uncovered = this.#soldOutAtMs === null || this.#sale.isolates === 0 ? count : this.#uncovered(count, this.#soldOutAtMs);
    const refused = count - uncovered;
    this.#totals.refusedAtEdge += refused;
    this.#moment.refusedAtEdge += refused;
    addTo(this.#otherWaits, 0, refused);
    if (uncovered <= NONE) return;

    this.#totals.objectRequests += uncovered;
    const taken = Math.min(uncovered, Math.max(this.#sale.mailboxLengthMax - this.#waiting, 0));
    if (taken > 0) this.#mailbox.push({ arrivedMs: this.#nowMs, count: taken });
    this.#waiting += taken;
    const turnedAway = uncovered - taken;
    addTo(this.#comingBack, this.#nowMs + COME_BACK_MS, turnedAway);
    this.#totals.turnedAway += turnedAway;
    this.#moment.turnedAway += turnedAway;
  }

  /**
   * How many of these users reach the object after the last unit. Each isolate sends two: the first one's
   * refusal makes it request a certificate, and the second one arrives before the certificate. It renews the
   * certificate for as long as users arrive.
   */
  #uncovered(count: number, soldOutAtMs: number): number {
    if (count <= 0) return 0;
    const { isolates, renewalMs, requestUs } = this.#sale;
    const sinceMs = Math.max(this.#nowMs - soldOutAtMs, 0);
    const requested = isolates * (1 + sinceMs / renewalMs) - this.#totals.certificateRequests;
    this.#totals.certificateRequests += requested;
    this.#totals.objectRequests += requested;
    this.#freeAtMs += (requested * requestUs) / 1000;
    const uncovered = Math.min(count, isolates * 2 - this.#uncoveredCount);
    this.#uncoveredCount += uncovered;
    return uncovered;
  }

  /**
   * A batch starts when the object is free and no flush is in flight, or its oldest message waited enough.
   */
  #isBatchDue(ms: number): boolean {
    const [oldest] = this.#mailbox;
    if (oldest === undefined || this.#waiting <= NONE || this.#freeAtMs >= ms + STEP_MS) return false;
    return this.#flushedAtMs <= ms || ms - oldest.arrivedMs >= this.#sale.batchWaitMs;
  }

  /** Judges one batch. All of it is answered when it is on disk. */
  #serve(ms: number): void {
    const { requestUs, batchSizeMax, flushMs, stock } = this.#sale;
    const size = Math.min(this.#waiting, batchSizeMax);
    this.#freeAtMs = Math.max(this.#freeAtMs, ms) + (size * requestUs) / 1000;
    this.#flushedAtMs = this.#freeAtMs + flushMs;
    this.#waiting -= size;
    this.#moment.judged += size;
    for (let left = size; left > NONE;) {
      const [first] = this.#mailbox;
      if (first === undefined) break;
      const count = Math.min(first.count, left);
      const winners = Math.min(count, Math.max(stock - this.#granted, 0));
      const waitMs = Math.ceil(Math.max(this.#flushedAtMs - first.arrivedMs, 0));
      addTo(this.#winnerWaits, waitMs, winners);
      addTo(this.#otherWaits, waitMs, count - winners);
      this.#granted += winners;
      left -= count;
      first.count -= count;
      if (first.count <= NONE) this.#mailbox.shift();
    }
    if (this.#soldOutAtMs === null && this.#granted >= stock - NONE) this.#soldOutAtMs = this.#freeAtMs;
  }

  #closeMoment(atMs: number): void {
    this.#moments.push({ atMs, ...this.#moment });
    this.#moment = { arrived: 0, judged: 0, refusedAtEdge: 0, turnedAway: 0 };
  }
}

function addTo(counts: Map<number, number>, key: number, count: number): void {
  if (count > NONE) counts.set(key, (counts.get(key) ?? 0) + count);
}

function waitsOf(waits: ReadonlyMap<number, number>): Waits {
  const sorted = Array.from(waits).sort(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const at = (share: number): number => {
    let seen = 0;
    for (const [waitMs, count] of sorted) {
      seen += count;
      if (seen >= total * share - NONE) return waitMs;
    }
    return 0;
  };
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1)?.[0] ?? 0 };
}
