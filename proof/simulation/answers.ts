// What the object answers, in the words of a history.

import type { Certificate } from "../../src/domain/sold-out.ts";
import type * as messages from "../../src/domain/messages.ts";
import type { Answer, Outcome } from "../history/history.ts";
import type { Ask } from "./plan.ts";

/** Anything that an object answers. */
export type Result =
  | messages.ClaimResult
  | messages.BulkClaimResult
  | messages.CreateResult
  | messages.ReadResult
  | messages.ChangeResult
  | messages.DeleteResult
  | messages.HoldResult
  | messages.GiveBackResult
  | messages.OwnResult
  | messages.ReleaseResult
  | messages.PageResult
  | messages.MetricsResult;

type Refused = messages.Refused & { readonly certificate?: Certificate };

/**
 * The answers that a result tells, one for each operation that the ask is counted as. `life` is that of the coupon that was
 * asked. What a history has no word for is told as a look at the coupon without any facts.
 */
export function answersOf({ kind }: Ask, result: Result, life: number): Answer[] {
  if (kind === "claim_many" && result.ok && "results" in result) return result.results.map((one) => answerOf("claim", one, life));
  return [answerOf(kind, result, life)];
}

function answerOf(kind: Ask["kind"], result: Result, life: number): Answer {
  if (!result.ok) return refusal(result, life);
  const { seq } = result;
  switch (kind) {
    case "create":
    case "change":
      if (!("coupon" in result && "now" in result)) break;
      return { is: kind === "create" ? "created" : "changed", seq, life, at: result.now, ...view(result.coupon) };
    case "read":
    case "metrics":
      if (!("coupon" in result && "now" in result)) break;
      return found(result, life);
    case "claim":
      if (!("replayed" in result)) break;
      return {
        is: result.replayed ? "replayed" : "claimed",
        seq,
        life,
        position: result.claim.position,
        claimedAt: result.claim.claimedAt,
        remaining: result.claim.remainingAfter,
      };
    case "hold":
      if (!("isNew" in result)) break;
      return {
        is: result.isNew ? "held" : "held_already",
        seq,
        life,
        heldAt: result.hold.heldAt,
        expiresAt: result.hold.expiresAt,
        remaining: result.remaining,
      };
    case "own":
      if ("hold" in result) return { is: "has_hold", seq, life, heldAt: result.hold.heldAt, expiresAt: result.hold.expiresAt };
      if (!("claim" in result)) break;
      return { is: "has_claim", seq, life, position: result.claim.position, claimedAt: result.claim.claimedAt };
    case "release":
      if (!("release" in result)) break;
      return {
        is: "released",
        seq,
        life,
        position: result.release.claim.position,
        claimedAt: result.release.claim.claimedAt,
        releasedAt: result.release.releasedAt,
        remaining: result.remaining,
      };
    case "give_back":
      return { is: "given_back", seq, life };
    case "remove":
      return { is: "removed", seq, life };
    default:
      return { is: "found", seq, life };
  }
  throw new Error(`no answer to ${kind}: ${JSON.stringify(result)}`);
}

function found({ seq, now, coupon }: messages.Found, life: number): Answer {
  const { claimedBy } = coupon;
  const told = { is: "found", seq, life, at: now, ...view(coupon) } as const;
  return claimedBy === undefined ? told : { ...told, claimants: claimedBy };
}

function view({ amount, claimed, held, startsAt, endsAt, paused, state, createdAt }: messages.CouponView) {
  return { amount, startsAt, endsAt, paused, state, createdAt, remaining: amount - claimed - held };
}

function refusal({ code, seq, claim, startsAt, startsInMs, amountMin }: Refused, life: number): Answer {
  // A tag that does not fit, and a list that began in another coupon, are words about the coupon that is there, and change nothing.
  const isThere = code === "precondition_failed" || (code === "coupon_not_found" && seq > 0);
  const is = (isThere ? "found" : code) as Outcome;
  if (claim !== undefined) return { is, seq, life, position: claim.position, claimedAt: claim.claimedAt };
  if (amountMin !== undefined) return { is, seq, life, amountMin };
  if (startsAt === undefined) return { is, seq, life };
  return { is, seq, life, startsAt, at: startsAt - (startsInMs ?? 0) };
}
