// The product's results as answers of the model.

import type * as messages from "../../src/domain/rpc.ts";
import { isPseudonym } from "./pseudonym.ts";
import { settingsIn } from "./settings.ts";
import type { Answer, Call, Outcome } from "./types.ts";

/** A result of any call of the object. */
export type Result = Awaited<ReturnType<messages.CouponCalls[keyof messages.CouponCalls]>>;

type Refused = messages.Refused;

/**
 * Returns one answer for each of `calls`. `incarnation` is that of the coupon, where it is known. A result
 * that the model has no word for becomes a read without facts.
 */
export function answersOf(calls: readonly Call[], result: Result, incarnation: number | undefined): Answer[] {
  const about = incarnation === undefined ? {} : { incarnation };
  if (result.ok && "results" in result) return result.results.map((one) => ({ ...answerOf("claim", one), ...about }));
  return calls.map(({ kind }) => ({ ...answerOf(kind, result), ...about }));
}

const DONE = { create: "created", change: "changed", archive: "archived" } as const;

function answerOf(kind: Call["kind"], result: Result): Answer {
  if (!result.ok) return refusal(result);
  const { seq } = result;
  switch (kind) {
    case "create":
    case "change":
    case "archive":
      if (!("coupon" in result && "now" in result)) break;
      if ("replayed" in result && result.replayed) return found(result);
      return { is: DONE[kind], seq, at: result.now, ...view(result.coupon) };
    case "read":
      return "coupon" in result && "now" in result ? found(result) : { is: "found", seq };
    case "claim":
      if (!("claim" in result && "replayed" in result)) break;
      return {
        is: result.replayed ? "replayed" : "claimed",
        seq,

        ...receipt(result.claim),
        remaining: result.claim.remainingAfter,
      };
    case "hold":
      if (!("isNew" in result)) break;
      return { is: result.isNew ? "held" : "held_already", seq, ...held(result.hold), remaining: result.remaining };
    case "holds":
      if (!("holds" in result)) break;
      return { is: "listed", seq, holders: result.holds.map(({ userId }) => userId) };
    case "end_holds":
      if (!("count" in result)) break;
      return { is: "ended", seq, count: result.count, remaining: result.remaining };
    case "own":
      if ("hold" in result) return { is: "has_hold", seq, ...held(result.hold) };
      if (!("claim" in result)) break;
      return { is: "has_claim", seq, ...receipt(result.claim) };
    case "release":
      if (!("revoked" in result)) break;
      return {
        is: "released",
        seq,

        ...receipt(result.revoked.claim),
        releasedAt: result.revoked.revokedAt,
        remaining: result.remaining,
      };
    // A part that is stored says that there is no coupon yet.
    case "restore":
      return "nextPart" in result ? { is: "coupon_not_found", seq } : { is: "restored", seq };
    // Without a coupon, a user of deleted ones can be erased.
    case "erase":
      return { is: seq === 0 ? "coupon_not_found" : "erased", seq };
    case "give_back":
      return { is: "given_back", seq };
    default:
      return { is: "removed", seq };
  }
  throw new Error(`no answer to ${kind}: ${JSON.stringify(result)}`);
}

function receipt({ userId, position, claimedAt }: { readonly userId: string; readonly position: number; readonly claimedAt: number }) {
  return { position, claimedAt, isHidden: isPseudonym(userId) };
}

function held({ heldAt, expiresAt }: { readonly heldAt: number; readonly expiresAt: number }) {
  return { heldAt, expiresAt };
}

function found({ seq, now, coupon }: messages.Found): Answer {
  const { claimedBy } = coupon;
  const answered = { is: "found", seq, at: now, ...view(coupon) } as const;
  return claimedBy === undefined ? answered : { ...answered, claimants: claimedBy };
}

function view(coupon: messages.CouponView) {
  const { amount, claimed, held: heldCount, state, createdAt } = coupon;
  return { ...settingsIn(coupon), state, createdAt, remaining: amount - claimed - heldCount, held: heldCount };
}

function refusal({ code, seq, claim, startsAt, startsInMs, amountMin, ttlSecondsMax }: Refused): Answer {
  // A tag that does not match, and a page of another incarnation, say only that the coupon exists.
  const isThere = code === "precondition_failed" || (code === "coupon_not_found" && seq > 0);
  // A part that can't be restored says that there is no coupon.
  const isPart = code === "part_missing" || code === "backup_invalid";
  const is = (isThere ? "found" : isPart ? "coupon_not_found" : code) as Outcome;
  if (claim !== undefined) return { is, seq, ...receipt(claim) };
  if (amountMin !== undefined) return { is, seq, amountMin };
  if (ttlSecondsMax !== undefined) return { is, seq, ttlSecondsMax };
  if (startsAt === undefined) return { is, seq };
  return { is, seq, startsAt, at: startsAt - (startsInMs ?? 0) };
}
