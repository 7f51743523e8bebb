// Claims and holds in the middle of a batch: their facts, the verdict, and what is drafted and answered.

import { grantedClaim, judgeClaim, type ClaimRequest, type ClaimVerdict, type Closed } from "../domain/claim.ts";
import { remaining } from "../domain/coupon.ts";
import { judgeHold, type HoldRequest } from "../domain/hold.ts";
import type { ClaimResult, ClosedSale, HoldResult } from "../domain/messages.ts";
import type { Draft } from "./draft.ts";

/** Judges one claim on what the draft has come to, and grants it there if it may be. */
export function claim(draft: Draft, request: ClaimRequest): ClaimResult {
  const own = draft.own(request.userId, request);
  const keyOwner = request.key === null ? null : draft.keyOwner(request.key);
  const verdict = judgeClaim(request, { coupon: draft.coupon, own, keyOwner }, draft.at);
  if (verdict.is !== "granted") return refusedOrReplayed(draft, verdict);
  const granted = grantedClaim(request, draft.coupon, verdict.fromHold, draft.at);
  draft.grant(granted, verdict.fromHold ? own.hold : null);
  return { ok: true, claim: granted, replayed: false, seq: draft.coupon.seq };
}

/** Judges one hold on what the draft has come to, and keeps a unit there if it may be. */
export function hold(draft: Draft, request: HoldRequest): HoldResult {
  const { userId, ttlMs, attemptId } = request;
  const own = draft.own(userId);
  const isReleased = own.claim === null && own.hold === null && draft.isHoldReleased(userId, attemptId);
  const verdict = judgeHold(request, { coupon: draft.coupon, own, isReleased }, draft.at);
  const { seq } = draft.coupon;
  switch (verdict.is) {
    case "held": {
      const made = { userId, heldAt: draft.at, expiresAt: draft.at + ttlMs, attemptId };
      draft.keep(made);
      return { ok: true, hold: made, isNew: true, remaining: remaining(draft.coupon), seq: draft.coupon.seq };
    }
    case "held_already":
      return { ok: true, hold: verdict.hold, isNew: verdict.hold.attemptId === attemptId, remaining: remaining(draft.coupon), seq };
    case "already_claimed":
      return { ok: false, code: verdict.is, claim: verdict.claim, seq };
    case "hold_too_long":
      return { ok: false, code: verdict.is, ttlSecondsMax: draft.coupon.holdSecondsMax, seq };
    case "hold_released":
    case "hold_limit_reached":
      return { ok: false, code: verdict.is, seq };
    default:
      return closed(draft, verdict.is);
  }
}

function closed({ coupon, at }: Draft, code: Closed["is"]): ClosedSale {
  if (code !== "sale_not_started" || coupon.startsAt === null) return { ok: false, code, seq: coupon.seq };
  return { ok: false, code, startsAt: coupon.startsAt, startsInMs: coupon.startsAt - at, seq: coupon.seq };
}

function refusedOrReplayed(draft: Draft, verdict: Exclude<ClaimVerdict, { is: "granted" }>): ClaimResult {
  const { seq } = draft.coupon;
  if (verdict.is === "replayed") return { ok: true, claim: verdict.claim, replayed: true, seq };
  if (verdict.is === "already_claimed" || verdict.is === "claim_released")
    return { ok: false, code: verdict.is, claim: verdict.claim, seq };
  return verdict.is === "idempotency_key_reused" ? { ok: false, code: verdict.is, seq } : closed(draft, verdict.is);
}
