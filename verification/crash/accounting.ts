// Compares the receipts of callers with the files after each kill. It uses no server and no file.

import type { Answer } from "../client/coupon-client.ts";
import { receiptIn, wordsOf } from "../stress/outcomes.ts";
import type { Check, Receipt } from "../verify/verify.ts";
import { newCounters, type Counters } from "./counters.ts";

/** A user's claim, which is retried with the same key until there is an answer. */
export type Caller = { readonly coupon: string; readonly userId: string; readonly key: string };

/** One row of a coupon's claims in its file. */
export type StoredClaim = Receipt & { readonly key: string | null };

/** The claims in the files by coupon, and why a file is unreadable, one sentence each. */
export type Stored = { readonly claims: ReadonlyMap<string, readonly StoredClaim[]>; readonly unreadable: readonly string[] };

/** So shortly before a kill a claim is late: a server that answers before it writes loses such claims. */
export const LATE_MS = 20;

type CallerState = {
  readonly caller: Caller;
  isWaiting: boolean;
  acknowledged: { readonly receipt: Receipt; readonly atMs: number } | null;
  isLost: boolean;
  /** The user's claim in the file after a kill without an answer. Undefined before the first such kill. */
  found: StoredClaim | null | undefined;
};

/** The account of one sale. */
export class Account {
  readonly counters: Counters = newCounters();
  /** One sentence each. */
  readonly faults: string[] = [];
  readonly #states: ReadonlyMap<Caller, CallerState>;

  constructor(callers: readonly Caller[]) {
    const stateOf = (caller: Caller): CallerState => ({ caller, isWaiting: false, acknowledged: null, isLost: false, found: undefined });
    this.#states = new Map(callers.map((caller) => [caller, stateOf(caller)]));
  }

  /** Every acknowledged claim. */
  get receipts(): Receipt[] {
    return [...this.#states.values()].flatMap(({ acknowledged }) => (acknowledged === null ? [] : [acknowledged.receipt]));
  }

  asked(caller: Caller): void {
    this.#stateOf(caller).isWaiting = true;
  }

  /** Takes a complete answer, at `atMs` of the clock of kills. */
  answered(caller: Caller, answer: Answer, atMs: number): void {
    const state = this.#stateOf(caller);
    state.isWaiting = false;
    const receipt = answer.status === 201 ? receiptIn(answer.body, caller) : null;
    if (receipt !== null) {
      state.acknowledged = { receipt, atMs };
      this.counters.acknowledged += 1;
      this.#granted(state, receipt, answer.headers["idempotent-replayed"] === "true");
    } else if (answer.status === 400 && answer.body["code"] === "out_of_stock") {
      this.#refused(state);
    } else {
      this.#fault(state, `got ${wordsOf(answer)}`);
    }
  }

  /** Compares with the files after the kill at `atMs`. Returns the callers without an answer. */
  killed(stored: Stored, atMs: number): Caller[] {
    const states = [...this.#states.values()];
    const unanswered = states.filter(({ isWaiting }) => isWaiting);
    this.counters.kills += 1;
    if (unanswered.length === 0) this.counters.idleKills += 1;
    this.counters.late += states.filter(({ acknowledged }) => acknowledged !== null && acknowledged.atMs > atMs - LATE_MS).length;
    const claims = this.#compare(stored);
    for (const state of unanswered) this.#unanswered(state, claims.get(nameOf(state.caller)) ?? null);
    return unanswered.map(({ caller }) => caller);
  }

  /** Compares with the files at the end of the sale. `checks` are the verification of the same files. */
  closed(stored: Stored, amounts: ReadonlyMap<string, number>, checks: readonly Check[]): void {
    this.#compare(stored);
    const acknowledged = new Set(this.receipts.map(nameOf));
    for (const [coupon, amount] of amounts) {
      const claims = stored.claims.get(coupon) ?? [];
      const keys = claims.flatMap(({ key }) => key ?? []);
      const repeated = [claims.map(({ userId }) => userId), claims.map(({ position }) => position), keys].map(repeatedCount);
      this.counters.duplicates += Math.max(...repeated);
      this.counters.unacknowledged += claims.filter((claim) => !acknowledged.has(nameOf(claim))).length;
      this.counters.coupons += 1;
      if (claims.length === amount) this.counters.couponsExact += 1;
      else this.faults.push(`${coupon}: ${claims.length} claims are stored, and its amount is ${amount}`);
    }
    const notPassed = checks.filter(({ verdict }) => verdict !== "PASS");
    this.counters.checksPassed += checks.length - notPassed.length;
    this.counters.checksNotPassed += notPassed.length;
    this.counters.receiptChecksFailed += notPassed.filter(({ number, verdict }) => number === 8 && verdict === "FAIL").length;
    for (const { coupon, number, title, verdict, detail } of notPassed) {
      this.faults.push(`${coupon}: verification ${number}, ${title}: ${verdict}, ${detail}`);
    }
  }

  /** Every acknowledged claim must be stored as it is. Returns the stored claims by user. */
  #compare(stored: Stored): ReadonlyMap<string, StoredClaim> {
    const claims = new Map([...stored.claims.values()].flat().map((claim) => [nameOf(claim), claim]));
    this.faults.push(...stored.unreadable);
    for (const state of this.#states.values()) {
      if (state.acknowledged === null || state.isLost) continue;
      const { receipt } = state.acknowledged;
      const claim = claims.get(nameOf(state.caller));
      if (claim !== undefined && isSame(claim, receipt)) continue;
      state.isLost = true;
      this.counters.lost += 1;
      this.#fault(state, `got ${wordsOfClaim(receipt)}, and the file has ${claim === undefined ? "nothing" : wordsOfClaim(claim)}`);
    }
    return claims;
  }

  #unanswered(state: CallerState, claim: StoredClaim | null): void {
    const { found } = state;
    if (found !== undefined) this.counters[found === null ? "missingAgain" : "foundAgain"] += 1;
    if (found && claim === null) this.#fault(state, `had ${wordsOfClaim(found)} in the file, and lost it`);
    state.isWaiting = false;
    state.found = claim;
    this.counters[claim === null ? "missing" : "found"] += 1;
  }

  #granted(state: CallerState, receipt: Receipt, isReplay: boolean): void {
    const { found } = state;
    const got = `got ${wordsOfClaim(receipt)} as a ${isReplay ? "replay" : "new claim"}`;
    if (found === undefined || found === null) {
      if (found === null) this.counters.missingGranted += 1;
      if (isReplay) this.#fault(state, `${got}, and the file had nothing`);
    } else if (isReplay && isSame(found, receipt)) this.counters.foundReplayed += 1;
    else this.#fault(state, `${got}, and had ${wordsOfClaim(found)} in the file`);
  }

  #refused(state: CallerState): void {
    const { found } = state;
    this.counters.refused += 1;
    if (found === null) this.counters.missingRefused += 1;
    if (found) this.#fault(state, `got out_of_stock, and had ${wordsOfClaim(found)} in the file`);
  }

  #fault({ caller }: CallerState, what: string): void {
    this.faults.push(`${caller.coupon}: ${caller.userId} ${what}`);
  }

  #stateOf(caller: Caller): CallerState {
    const state = this.#states.get(caller);
    if (state === undefined) throw new Error(`unknown caller ${caller.userId}`);
    return state;
  }
}

function nameOf({ coupon, userId }: Pick<Receipt, "coupon" | "userId">): string {
  return JSON.stringify([coupon, userId]);
}

function isSame(a: Receipt, b: Receipt): boolean {
  return a.position === b.position && a.claimedAt === b.claimedAt;
}

function wordsOfClaim({ position, claimedAt }: Receipt): string {
  return `position ${position} at ${claimedAt}`;
}

function repeatedCount(values: readonly (string | number)[]): number {
  return values.length - new Set(values).size;
}
