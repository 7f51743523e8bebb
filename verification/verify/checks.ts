// The checks of one coupon: eight of its file, and one of the read model where the state has one.

import { apiFindings, type ApiReading } from "./api.ts";
import { deliveryFindings, forgottenFaults } from "./delivery-check.ts";
import { ledgerFindings } from "./ledger-check.ts";
import type { ReadModel } from "./read-model.ts";
import { isPseudonym, replay, type Replayed } from "./replay.ts";
import { once, readable, Unreadable, type ClaimRow, type CouponRow, type HoldAttempt, type Tables } from "./tables.ts";
import type { Check, Receipt, Stock } from "./verify.ts";
import { counted, instant, listed, quoted } from "./words.ts";

/** What the checks of one coupon work on. */
export type Evidence = {
  readonly coupon: string;
  /** Its getters throw {@link Unreadable}. */
  readonly tables: Tables;
  /** Whether the file belongs to the object with the coupon's name. */
  readonly isInItsFile: boolean;
  /** The API's answer, or why there is none. */
  readonly api: ApiReading | string;
  /** The receipts that clients got for this coupon, where they are known. */
  readonly receipts: readonly Receipt[] | null;
  /** Null where the state has none. */
  readonly readModel: ReadModel | null;
  readonly isDelivered: boolean;
};

/**
 * The faults, and a summary for a check without faults. A string alone says why there was nothing to check.
 */
export type Findings = { readonly faults: readonly string[]; readonly summary: string } | string;

export const TITLES = {
  1: "claims and holds are no more than the amount",
  2: "no user, position or key appears twice",
  3: "distinct users, claims and the counter are the same",
  4: "the API's numbers are the file's",
  5: "remaining is the amount less what is claimed and held",
  6: "remaining and all counters are at least 0",
  7: "the ledger has no gap and replays to the same tables",
  8: "every acknowledged claim is stored",
  9: "the read model has the events of the ledgers",
} as const satisfies Record<Check["number"], string>;

const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8] as const satisfies readonly Check["number"][];

/** Makes the checks of a file with a coupon. */
export function checksOf(evidence: Evidence): Check[] {
  const { tables, api, receipts } = evidence;
  const replayed = once(() => replay(tables.ledger));
  const examinations: Record<(typeof NUMBERS)[number], () => Findings> = {
    1: () => noMoreThanAmount(tables),
    2: () => nothingTwice(evidence),
    3: () => usersAreClaims(tables),
    4: () => (typeof api === "string" ? api : apiFindings(api, tables)),
    5: () => remainingAddsUp(tables),
    6: () => nothingNegative(tables),
    7: () => ledgerFindings(tables, replayed()),
    8: () => (receipts === null ? "no receipts to compare with: set --receipts" : acknowledgedIsStored(receipts, tables, replayed)),
  };
  const stock = readable(() => stockOf(tables.coupon), null);
  const checks = NUMBERS.map((number) => checkOf(evidence.coupon, number, stock, examinations[number]));
  const { readModel } = evidence;
  return readModel === null ? checks : [...checks, { ...deliveryCheck({ ...evidence, readModel }, true), ...(stock && { stock }) }];
}

/** Makes the ninth check. `hasCoupon` is false where the file has only ledgers of deleted incarnations. */
export function deliveryCheck(
  { coupon, tables, readModel, isDelivered }: Pick<Evidence, "coupon" | "tables" | "isDelivered"> & { readonly readModel: ReadModel },
  hasCoupon: boolean,
): Check {
  return checkOf(coupon, 9, null, () => deliveryFindings(tables, readModel, hasCoupon, isDelivered));
}

/** The ninth check of an incarnation that only the read model has, or null if it passes. */
export function forgottenCheck(epoch: string, readModel: ReadModel): Check | null {
  const rows = readable(() => readModel.rowsOf(epoch), null);
  const faults = rows === null ? [] : forgottenFaults(epoch, rows);
  return faults.length === 0 ? null : checkOf(rows?.coupon?.name ?? epoch, 9, null, () => ({ faults, summary: "" }));
}

/** The failed check of acknowledged claims whose coupon is not in the state. */
export function lostWithItsCoupon(coupon: string, receipts: readonly Receipt[]): Check {
  const detail = `${counted(receipts.length, "claim")} acknowledged, and the state has no such coupon`;
  return { coupon, number: 8, title: TITLES[8], verdict: "FAIL", detail };
}

function stockOf({ amount, claimed, held }: CouponRow): Stock {
  return { amount, claimed, held, remaining: amount - claimed - held };
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

function nothingTwice({ tables, coupon, isInItsFile }: Evidence): Findings {
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
    ...(isInItsFile ? [] : [`the file belongs to another object than that of ${quoted(coupon)}, so its units exist twice`]),
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
  const summary = `${counted(users, "user")}, ${counted(claims.length, "claim")}, counter ${coupon.claimed}`;
  return { faults: isSame ? [] : [summary], summary };
}

function remainingAddsUp({ coupon, claims, holds }: Tables): Findings {
  const { amount, claimed, held, clockAt } = coupon;
  const byCounters = amount - claimed - held;
  const byRows = amount - claims.length - holds.length;
  const late = holds.filter(({ expiresAt }) => expiresAt <= clockAt);
  const over = holds.filter(({ expiresAt }) => expiresAt <= Date.now()).length;
  const faults = [
    ...(held === holds.length ? [] : [`the counter says ${held} held, and the table has ${counted(holds.length, "hold")}`]),
    ...(byCounters === byRows ? [] : [`${byCounters} remain by the counters, and ${byRows} by the rows`]),
    // Every write that moves the coupon's clock expires the holds that end by then.
    ...late.map(({ userId }) => `the hold of ${quoted(userId)} should have expired by the coupon's own clock`),
  ];
  const note = over === 0 ? "" : `; ${counted(over, "hold")} will expire at the next call`;
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
    ...short.map(({ userId, remainingAfter }) => `${quoted(userId)} has a receipt with ${remainingAfter} remaining`),
  ];
  return { faults, summary: `${amount - claimed - held} remaining` };
}

/** Each acknowledged claim is stored, or was revoked by the table of releases and by the ledger. */
function acknowledgedIsStored(receipts: readonly Receipt[], { claims, releases }: Tables, replayed: () => Replayed): Findings {
  const wanted = new Set(receipts.map(({ userId }) => userId));
  const stored = new Map<string, ClaimRow[]>();
  for (const claim of claims) if (wanted.has(claim.userId)) stored.set(claim.userId, [...(stored.get(claim.userId) ?? []), claim]);
  const revoked = new Set(releases.map(wordsOf));
  const erased = new Map(
    [...claims, ...releases].filter(({ userId }) => isPseudonym(userId)).map((claim) => [claim.position, claim.claimedAt]),
  );
  const faults: string[] = [];
  let [storedCount, erasedCount] = [0, 0];
  for (const receipt of receipts) {
    const found = (stored.get(receipt.userId) ?? []).map(wordsOf);
    const words = wordsOf({ ...receipt, claimedAt: Date.parse(receipt.claimedAt) });
    if (found.includes(words)) storedCount += 1;
    else if (erased.get(receipt.position) === Date.parse(receipt.claimedAt)) erasedCount += 1;
    else if (!revoked.has(words)) faults.push(`${words} was acknowledged, but stored is ${found.join(" and ") || "nothing of this user"}`);
    else if (replayed().releases.get(receipt.position)?.userId !== receipt.userId)
      faults.push(`${words} was revoked, but not by the ledger`);
  }
  const revokedCount = receipts.length - storedCount - erasedCount;
  const ofErased = erasedCount === 0 ? "" : `, ${erasedCount} of erased users`;
  const summary = `${receipts.length} acknowledged: ${storedCount} stored, ${revokedCount} revoked later${ofErased}`;
  return { faults, summary };
}

function wordsOf({ userId, position, claimedAt }: Pick<ClaimRow, "userId" | "position" | "claimedAt">): string {
  return `${quoted(userId)} at position ${position} at ${instant(claimedAt)}`;
}

/** The values that occur more than once. */
function twice<Value>(values: readonly Value[]): Value[] {
  const seen = new Set<Value>();
  const again = new Set<Value>();
  for (const value of values) {
    if (seen.has(value)) again.add(value);
    seen.add(value);
  }
  return [...again];
}
