// Claims and holds in the middle of a batch: their facts, the verdict, and what is drafted.

import { judgeClaim, type ClaimRequest } from "../domain/claim.ts";
import { remaining } from "../domain/coupon.ts";
import { judgeHold, type HoldRequest } from "../domain/hold.ts";
import type { ClaimResult, HoldResult } from "../domain/rpc.ts";
import type { Draft } from "./draft.ts";

/** Judges one claim on the draft, and drafts what it is granted. */
export function claim(draft: Draft, request: ClaimRequest): ClaimResult {
  const existing = draft.userClaim(request.userId, request);
  const keyOwner = request.key === null ? null : draft.keyOwner(request.key);
  const verdict = judgeClaim(request, { coupon: draft.coupon, existing, keyOwner }, draft.at);
  if (verdict.ok && !verdict.replayed) draft.grant(verdict.claim, existing.hold);
  return { ...verdict, seq: draft.coupon.seq };
}

/** Judges one hold on the draft, and drafts the unit that is kept. */
export function hold(draft: Draft, request: HoldRequest): HoldResult {
  const { userId, attemptId } = request;
  const existing = draft.userClaim(userId);
  const isReleased = existing.claim === null && existing.hold === null && draft.isHoldReleased(userId, attemptId);
  const verdict = judgeHold(request, { coupon: draft.coupon, existing, isReleased }, draft.at);
  if (!verdict.ok) return { ...verdict, seq: draft.coupon.seq };
  if (verdict.hold !== existing.hold) draft.keep(verdict.hold);
  return { ...verdict, remaining: remaining(draft.coupon), seq: draft.coupon.seq };
}
