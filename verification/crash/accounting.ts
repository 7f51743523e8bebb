// What callers were told, what the files say after each kill, and whether the two agree. No server and no file in here.

import type { Answer } from "../client/coupon-client.ts";
import { wordsOf } from "../stress/outcomes.ts";
import type { Check, Receipt as Told } from "../verify/verify.ts";
import { nothing, type Tally } from "./tally.ts";

/** One user who wants one unit, and asks under the same key until there is an answer. */
export type Caller = { readonly coupon: string; readonly userId: string; readonly key: string };

/** One row of a coupon's claims, as its file has it. */
export type StoredClaim = Told & { readonly key: string | null };

/** What is in the files: claims by their coupon's name, and why a file can't be read, one sentence each. */
export type Stored = { readonly claims: ReadonlyMap<string, readonly StoredClaim[]>; readonly unreadable: readonly string[] };

/** Claims that were told so shortly before a kill are counted apart: what is answered before it is written is lost among them. */
export const LATE_MS = 20;

/** What is known of one caller. */
type Line = {
  readonly caller: Caller;
  isAsking: boolean;
  told: { readonly receipt: Told; readonly atMs: number } | null;
  isLost: boolean;
  /** After a kill that left it without an answer: what its user had in the file then. Undefined before the first such kill. */
  found: StoredClaim | null | undefined;
};

/** The books of one sale. */
export class Account {
  readonly tally: Tally = nothing();
  /** What was wrong, one sentence each. */
  readonly faults: string[] = [];
  readonly #lines: ReadonlyMap<Caller, Line>;

  constructor(callers: readonly Caller[]) {
    this.#lines = new Map(callers.map((caller) => [caller, { caller, isAsking: false, told: null, isLost: false, found: undefined }]));
  }

  /** Every claim that a caller was told about. */
  get told(): Told[] {
    return [...this.#lines.values()].flatMap(({ told }) => (told === null ? [] : [told.receipt]));
  }

  asked(caller: Caller): void {
    this.#line(caller).isAsking = true;
  }

  /** Notes an answer that has arrived as a whole, at `atMs` of the same clock as kills. */
  answered(caller: Caller, answer: Answer, atMs: number): void {
    const line = this.#line(caller);
    line.isAsking = false;
    const receipt = receiptIn(caller, answer);
    if (receipt !== null) {
      line.told = { receipt, atMs };
      this.tally.acknowledged += 1;
      this.#granted(line, receipt, answer.headers["idempotent-replayed"] === "true");
    } else if (answer.status === 400 && answer.body["code"] === "out_of_stock") {
      this.#refused(line);
    } else {
      this.#fault(line, `was answered ${wordsOf(answer)}`);
    }
  }

  /** Compares with the files as the kill at `atMs` left them. Whoever has no answer by now has to ask again, and is returned. */
  killed(stored: Stored, atMs: number): Caller[] {
    const unanswered = [...this.#lines.values()].filter(({ isAsking }) => isAsking);
    this.tally.kills += 1;
    if (unanswered.length === 0) this.tally.idleKills += 1;
    this.tally.late += [...this.#lines.values()].filter(({ told }) => told !== null && told.atMs > atMs - LATE_MS).length;
    const claims = this.#compare(stored);
    for (const line of unanswered) this.#unanswered(line, claims.get(nameOf(line.caller)) ?? null);
    return unanswered.map(({ caller }) => caller);
  }

  /** Compares with the files at the end of the sale, when nobody asks any more; `checks` are the verification of the same files. */
  closed(stored: Stored, amounts: ReadonlyMap<string, number>, checks: readonly Check[]): void {
    this.#compare(stored);
    const told = new Set(this.told.map(nameOf));
    for (const [coupon, amount] of amounts) {
      const claims = stored.claims.get(coupon) ?? [];
      const keys = claims.flatMap(({ key }) => key ?? []);
      const repeated = [claims.map(({ userId }) => userId), claims.map(({ position }) => position), keys].map(repeatedCount);
      this.tally.twice += Math.max(...repeated);
      this.tally.untold += claims.filter((claim) => !told.has(nameOf(claim))).length;
      this.tally.coupons += 1;
      if (claims.length === amount) this.tally.couponsExact += 1;
      else this.faults.push(`${coupon}: ${claims.length} claims are stored, and its amount is ${amount}`);
    }
    this.tally.checksPassed += checks.filter(({ verdict }) => verdict === "PASS").length;
    const notPassed = checks.filter(({ verdict }) => verdict !== "PASS");
    this.tally.checksNotPassed += notPassed.length;
    this.tally.toldChecksFailed += notPassed.filter(({ number, verdict }) => number === 8 && verdict === "FAIL").length;
    for (const { coupon, number, title, verdict, detail } of notPassed) {
      this.faults.push(`${coupon}: verification ${number}, ${title}: ${verdict}, ${detail}`);
    }
  }

  /** Whoever was told of a claim must have it, with that position and that instant. Answers the claims that are stored. */
  #compare(stored: Stored): ReadonlyMap<string, StoredClaim> {
    const claims = byUser(stored);
    this.faults.push(...stored.unreadable);
    for (const line of this.#lines.values()) {
      if (line.told === null || line.isLost) continue;
      const { position, claimedAt } = line.told.receipt;
      const claim = claims.get(nameOf(line.caller));
      if (claim?.position === position && claim.claimedAt === claimedAt) continue;
      line.isLost = true;
      this.tally.lost += 1;
      this.#fault(
        line,
        `was told of ${claimWords(line.told.receipt)}, and the file has ${claim === undefined ? "nothing" : claimWords(claim)}`,
      );
    }
    return claims;
  }

  #unanswered(line: Line, claim: StoredClaim | null): void {
    if (line.found !== undefined) this.tally[line.found === null ? "missingAgain" : "foundAgain"] += 1;
    if (line.found !== undefined && line.found !== null && claim === null)
      this.#fault(line, `had ${claimWords(line.found)} in the file, and has no more`);
    line.isAsking = false;
    line.found = claim;
    this.tally[claim === null ? "missing" : "found"] += 1;
  }

  #granted(line: Line, receipt: Told, isReplay: boolean): void {
    const { found } = line;
    if (found === undefined || found === null) {
      if (found === null) this.tally.missingGranted += 1;
      if (isReplay) this.#fault(line, `was told of ${claimWords(receipt)} as a replay, and the file had nothing`);
      return;
    }
    if (isReplay && found.position === receipt.position && found.claimedAt === receipt.claimedAt) this.tally.foundReplayed += 1;
    else
      this.#fault(
        line,
        `had ${claimWords(found)} in the file, and was told of ${claimWords(receipt)}${isReplay ? "" : " as if it were new"}`,
      );
  }

  #refused(line: Line): void {
    this.tally.refused += 1;
    if (line.found === null) this.tally.missingRefused += 1;
    if (line.found !== null && line.found !== undefined)
      this.#fault(line, `had ${claimWords(line.found)} in the file, and was told out_of_stock`);
  }

  #fault({ caller }: Line, what: string): void {
    this.faults.push(`${caller.coupon}: ${caller.userId} ${what}`);
  }

  #line(caller: Caller): Line {
    const line = this.#lines.get(caller);
    if (line === undefined) throw new Error(`nobody knows the caller ${caller.userId}`);
    return line;
  }
}

/** The claim that an answer tells of, null where it tells of none. */
function receiptIn({ coupon, userId }: Caller, { status, body }: Answer): Told | null {
  const { user_id: toldUser, coupon_name: toldCoupon, position, claimed_at: claimedAt } = body;
  if (status !== 201 || toldUser !== userId || toldCoupon !== coupon) return null;
  return typeof position === "number" && typeof claimedAt === "string" ? { coupon, userId, position, claimedAt } : null;
}

function byUser({ claims }: Stored): ReadonlyMap<string, StoredClaim> {
  return new Map([...claims.values()].flat().map((claim) => [nameOf(claim), claim]));
}

function nameOf({ coupon, userId }: Pick<Told, "coupon" | "userId">): string {
  return JSON.stringify([coupon, userId]);
}

function claimWords({ position, claimedAt }: Told): string {
  return `position ${position} at ${claimedAt}`;
}

function repeatedCount(values: readonly (string | number)[]): number {
  return values.length - new Set(values).size;
}
