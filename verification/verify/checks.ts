// The eight checks of one coupon. Each answers with what it found, in words.

import { apiFindings, type ApiReading } from "./api.ts";
import { ledgerFindings } from "./ledger-check.ts";
import { retold, type Retold } from "./replay.ts";
import { Unreadable, type ClaimRow, type HoldAttempt, type Tables } from "./tables.ts";
import type { Check, Stock, Told } from "./verify.ts";
import { counted, instant, listed, quoted } from "./words.ts";

/** What one coupon is checked by. */
export type Evidence = {
  readonly coupon: string;
  /** Throws {@link Unreadable} wherever the file can't be read. */
  readonly tables: Tables;
  /** Whether the file is the one of the object with the coupon's name. */
  readonly isInItsFile: boolean;
  /** What the API said, or why it was not asked. */
  readonly api: ApiReading | string;
  /** What clients were told of this coupon, where that is known. */
  readonly told: readonly Told[] | null;
};

/** What is wrong, a sentence each, and what is said where nothing is. A string alone: why there was nothing to check. */
export type Findings = { readonly faults: readonly string[]; readonly summary: string } | string;

export const TITLES = {
  1: "claims and holds are no more than the amount",
  2: "nobody has two",
  3: "distinct users, claims and the counter are the same",
  4: "the API's numbers are the file's",
  5: "remaining is the amount less what is claimed and held",
  6: "remaining and all counters are at least 0",
  7: "the ledger has no gap and tells the same story",
  8: "every claim that a client was told about is there",
} as const satisfies Record<Check["number"], string>;

const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8] as const satisfies readonly Check["number"][];

/** Makes all eight checks. */
export function checksOf(evidence: Evidence): Check[] {
  const { tables, api, told } = evidence;
  const story = once(() => retold(tables.ledger));
  const examinations: Record<Check["number"], () => Findings> = {
    1: () => noMoreThanAmount(tables),
    2: () => nobodyTwice(evidence),
    3: () => usersAreClaims(tables),
    4: () => (typeof api === "string" ? api : apiFindings(api, tables)),
    5: () => remainingAddsUp(tables),
    6: () => nothingNegative(tables),
    7: () => ledgerFindings(tables, story()),
    8: () => (told === null ? "what clients were told is not known: --told FILE" : toldIsThere(told, tables, story)),
  };
  const stock = stockOf(tables);
  return NUMBERS.map((number) => checkOf(evidence.coupon, number, stock, examinations[number]));
}

/** A claim of a coupon that is nowhere in the state. */
export function lostWithItsCoupon(coupon: string, told: readonly Told[]): Check {
  const detail = `${counted(told.length, "claim")} told, and there is no such coupon in the state`;
  return { coupon, number: 8, title: TITLES[8], verdict: "FAIL", detail };
}

function checkOf(coupon: string, number: Check["number"], stock: Stock | null, examine: () => Findings): Check {
  return { coupon, number, title: TITLES[number], ...verdictOf(examine), ...(stock === null ? {} : { stock }) };
}

function verdictOf(examine: () => Findings): Pick<Check, "verdict" | "detail"> {
  try {
    const findings = examine();
    if (typeof findings === "string") return { verdict: "SKIP", detail: findings };
    const { faults, summary } = findings;
    return faults.length === 0 ? { verdict: "PASS", detail: summary } : { verdict: "FAIL", detail: listed(faults) };
  } catch (cause) {
    if (cause instanceof Unreadable) return { verdict: "FAIL", detail: `the file can't be read: ${cause.message}` };
    throw cause;
  }
}

function noMoreThanAmount({ coupon, claims, holds }: Tables): Findings {
  const given = `${counted(claims.length, "claim")} + ${counted(holds.length, "hold")}`;
  const isWithin = claims.length + holds.length <= coupon.amount;
  return { faults: isWithin ? [] : [`${given} > ${coupon.amount}`], summary: `${given} ≤ ${coupon.amount}` };
}

function nobodyTwice({ tables, coupon, isInItsFile }: Evidence): Findings {
  const { claims, holds, releases, holdAttempts, releasedHolds, integrityFaults } = tables;
  const claimants = new Set(claims.map(({ userId }) => userId));
  const released = new Set(releases.map(({ position }) => position));
  const both = holds.filter(({ userId }) => claimants.has(userId));
  const over = new Set(releasedHolds.map(attemptOf));
  const again = claims.filter(({ position }) => released.has(position));
  const faults = [
    ...twice(claims.map(({ userId }) => userId)).map((user) => `${quoted(user)} has two claims`),
    ...twice(claims.map(({ position }) => position)).map((position) => `position ${position} was given twice`),
    ...twice(claims.flatMap(({ key }) => (key === null ? [] : [key]))).map((key) => `two claims have the key ${quoted(key)}`),
    ...twice(holds.map(({ userId }) => userId)).map((user) => `${quoted(user)} has two holds`),
    ...holdAttempts.filter((hold) => over.has(attemptOf(hold))).map(({ userId }) => `${quoted(userId)} has a hold that was released`),
    ...twice(releasedHolds.map(attemptOf)).map((attempt) => `the hold ${attempt} was released twice`),
    ...both.map(({ userId }) => `${quoted(userId)} has a claim and a hold`),
    ...again.map(({ userId, position }) => `${quoted(userId)} has position ${position}, which was released`),
    ...(isInItsFile ? [] : [`this is not the file of the object called ${quoted(coupon)}, which has the same units to give`]),
    ...integrityFaults.map((fault) => `SQLite finds: ${fault}`),
  ];
  return { faults, summary: `${claimants.size} users, ${counted(holds.length, "hold")} of others, no position twice` };
}

function attemptOf({ userId, attemptId }: HoldAttempt): string {
  return JSON.stringify([userId, attemptId]);
}

function usersAreClaims({ coupon, claims }: Tables): Findings {
  const users = new Set(claims.map(({ userId }) => userId)).size;
  const isSame = users === claims.length && users === coupon.claimed;
  const said = `${counted(users, "user")}, ${counted(claims.length, "claim")}, counter ${coupon.claimed}`;
  return { faults: isSame ? [] : [said], summary: said };
}

function remainingAddsUp({ coupon, claims, holds }: Tables): Findings {
  const { amount, claimed, held, clockAt } = coupon;
  const byCounters = amount - claimed - held;
  const byRows = amount - claims.length - holds.length;
  const late = holds.filter(({ expiresAt }) => expiresAt <= clockAt);
  const over = holds.filter(({ expiresAt }) => expiresAt <= Date.now()).length;
  const faults = [
    ...(held === holds.length ? [] : [`the counter says ${held} held, and there are ${counted(holds.length, "hold")}`]),
    ...(byCounters === byRows ? [] : [`${byCounters} remain by the counters, and ${byRows} by the rows`]),
    // Whatever moves the coupon's clock gives up what is over by then.
    ...late.map(({ userId }) => `the hold of ${quoted(userId)} was over by the coupon's own clock`),
  ];
  const note = over === 0 ? "" : `; ${counted(over, "hold")} over by now: the next call returns what they keep`;
  return { faults, summary: `${amount} − ${claimed} − ${held} = ${byCounters}${note}` };
}

function nothingNegative({ coupon, claims, holds }: Tables): Findings {
  const { amount, claimed, held, lastPosition, seq } = coupon;
  const numbers = {
    "remaining by the counters": amount - claimed - held,
    "remaining by the rows": amount - claims.length - holds.length,
    amount,
    claimed,
    held,
    "the last position": lastPosition,
    "the ledger's head": seq,
  };
  const wrong = Object.entries(numbers).filter(([, count]) => !(Number.isSafeInteger(count) && count >= 0));
  const short = claims.filter(({ remainingAfter }) => remainingAfter < 0);
  const faults = [
    ...wrong.map(([what, count]) => `${what}: ${String(count)}`),
    ...short.map(({ userId, remainingAfter }) => `${quoted(userId)} was told of ${remainingAfter} remaining`),
  ];
  return { faults, summary: `${amount - claimed - held} remaining` };
}

/** Each told claim is among the claims, or was released as just that claim, by the table of releases and by the ledger. */
function toldIsThere(told: readonly Told[], { claims, releases }: Tables, story: () => Retold): Findings {
  const wanted = new Set(told.map(({ userId }) => userId));
  const own = new Map<string, ClaimRow[]>();
  for (const claim of claims) if (wanted.has(claim.userId)) own.set(claim.userId, [...(own.get(claim.userId) ?? []), claim]);
  const past = new Set(releases.map(wordsOf));
  const faults: string[] = [];
  let storedCount = 0;
  for (const receipt of told) {
    const found = own.get(receipt.userId) ?? [];
    const wording = wordsOf({ ...receipt, claimedAt: Date.parse(receipt.claimedAt) });
    if (found.some((claim) => wordsOf(claim) === wording)) storedCount += 1;
    else if (!past.has(wording))
      faults.push(`${wording}, told, but ${found.map(wordsOf).join(" and ") || "nothing of this user"} is stored`);
    else if (story().releases.get(receipt.position)?.userId !== receipt.userId) faults.push(`${wording}, released, but not by the ledger`);
  }
  const summary =
    told.length === 0 ? "nobody was told" : `${told.length} told: ${storedCount} stored, ${told.length - storedCount} released later`;
  return { faults, summary };
}

function wordsOf({ userId, position, claimedAt }: Pick<ClaimRow, "userId" | "position" | "claimedAt">): string {
  return `${quoted(userId)} at position ${position} at ${instant(claimedAt)}`;
}

/** The file's own numbers, where they can be read. */
function stockOf(tables: Tables): Stock | null {
  try {
    const { amount, claimed, held } = tables.coupon;
    return { amount, claimed, held, remaining: amount - claimed - held };
  } catch (cause) {
    if (cause instanceof Unreadable) return null;
    throw cause;
  }
}

/** What occurs more than once, each once. */
function twice<Value>(values: readonly Value[]): Value[] {
  const seen = new Set<Value>();
  const again = new Set<Value>();
  for (const value of values) {
    if (seen.has(value)) again.add(value);
    seen.add(value);
  }
  return [...again];
}

function once<Value>(make: () => Value): () => Value {
  let known: { readonly value: Value } | undefined;
  return () => (known ??= { value: make() }).value;
}
