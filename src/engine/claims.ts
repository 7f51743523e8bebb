// One claim in the middle of a transaction: its facts, its verdict, and what is written and told of it.

import { grantedClaim, judgeClaim, type ClaimRequest, type ClaimVerdict, type Closed } from "../domain/claim.ts";
import type { ClaimResult, ClosedSale } from "../domain/messages.ts";
import type { Draft } from "./draft.ts";

/** Judges one claim on what the draft has come to, and grants it there if it may be. */
export function claimIn(draft: Draft, request: ClaimRequest): ClaimResult {
  const own = draft.own(request.userId, request);
  const keyOwner = request.key === null ? null : draft.keyOwner(request.key);
  const verdict = judgeClaim(request, { coupon: draft.coupon, own, keyOwner }, draft.at);
  if (verdict.is !== "granted") return refusedOrReplayed(draft, verdict);
  const claim = grantedClaim(request, draft.coupon, verdict.fromHold, draft.at);
  draft.grant(claim, verdict.fromHold ? own.hold : null);
  return { ok: true, claim, replayed: false, seq: draft.coupon.seq };
}

/** What is told where the sale is not open to somebody new. */
export function closedIn({ coupon, at }: Draft, code: Closed["is"]): ClosedSale {
  if (code !== "sale_not_started" || coupon.startsAt === null) return { ok: false, code, seq: coupon.seq };
  return { ok: false, code, startsAt: coupon.startsAt, startsInMs: coupon.startsAt - at, seq: coupon.seq };
}

/** Puts what was not granted now into the words of RPC. */
function refusedOrReplayed(draft: Draft, verdict: Exclude<ClaimVerdict, { is: "granted" }>): ClaimResult {
  const { seq } = draft.coupon;
  if (verdict.is === "replayed") return { ok: true, claim: verdict.claim, replayed: true, seq };
  if (verdict.is === "already_claimed" || verdict.is === "claim_released")
    return { ok: false, code: verdict.is, claim: verdict.claim, seq };
  return verdict.is === "idempotency_key_reused" ? { ok: false, code: verdict.is, seq } : closedIn(draft, verdict.is);
}
