// Judges claims and holds within a batch: reads the facts, calls the rule, and drafts the changes.

import { judgeClaim, type ClaimRequest, type ClaimVerdict } from "../domain/claim.ts";
import { remaining } from "../domain/coupon.ts";
import { judgeHold, type HoldRequest } from "../domain/hold.ts";
import type { HoldResult } from "../domain/rpc.ts";
import type { Draft } from "./draft.ts";

/** The verdict on a claim of a coupon that exists. */
export type ClaimJudgment = ClaimVerdict & { readonly seq: number };

/** Judges one claim on the draft, and drafts its grant. */
export function claim(draft: Draft, request: ClaimRequest): ClaimJudgment {
  const known = draft.identified(request);
  const existing = draft.userClaim(known.userId, known);
  const keyOwner = request.key === null ? null : draft.keyOwner(request.key);
  const verdict = judgeClaim(known, { coupon: draft.coupon, existing, keyOwner }, draft.at);
  if (verdict.ok && !verdict.replayed) draft.grant(verdict.claim, existing.hold);
  const { seq } = draft.coupon;
  const isHiddenOwn = known !== request && verdict.ok && verdict.claim.attemptId === known.attemptId;
  // The Worker recognizes its own attempt by the id that it has sent.
  return isHiddenOwn ? { ...verdict, claim: { ...verdict.claim, attemptId: request.attemptId }, seq } : { ...verdict, seq };
}

/** Judges one hold on the draft, and drafts a new hold. */
export function hold(draft: Draft, request: HoldRequest): HoldResult {
  const known = draft.identified(request);
  const { userId, attemptId } = known;
  const existing = draft.userClaim(userId);
  const isReleased = existing.inTheWay === null && existing.hold === null && draft.isHoldReleased(userId, attemptId);
  const verdict = judgeHold(known, { coupon: draft.coupon, existing, isReleased }, draft.at);
  if (!verdict.ok) return { ...verdict, seq: draft.coupon.seq };
  if (verdict.hold !== existing.hold) draft.hold(verdict.hold);
  return { ...verdict, remaining: remaining(draft.coupon), seq: draft.coupon.seq };
}
