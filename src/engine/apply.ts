// What each message does to a draft, and what it is answered.

import { assert } from "../domain/assert.ts";
import { certifiable, contradicts } from "../domain/certificate.ts";
import { judgeChange } from "../domain/change.ts";
import { remaining, saleState, type Coupon, type Instant } from "../domain/coupon.ts";
import { etagOf, isMatched } from "../domain/etag.ts";
import { CLAIMANTS_AT_ONCE_MAX, HOLDS_ENDED_AT_ONCE_MAX } from "../domain/limits.ts";
import type * as rpc from "../domain/messages.ts";
import type { OutcomeCounts } from "../domain/outcomes.ts";
import { judgeRelease } from "../domain/release.ts";
import type { BypassSet } from "./bypass-set.ts";
import { claim, hold } from "./claims.ts";
import type { Draft } from "./draft.ts";
import { DEFERRED, type Answer, type Deferred, type Kind, type MessageOf } from "./message.ts";

/** What is known around a draft. */
export type Surroundings = {
  readonly bypassSet: BypassSet;
  /** Claim counts up to the message that is judged. */
  readonly outcomes: () => OutcomeCounts;
  /** Until when certificates may be in use, by the coupon's time. */
  readonly leaseUntil: Instant;
  /** False while a message waits for the lease to lapse. */
  readonly mayCertify: boolean;
};

export type Applicable = Exclude<Kind, "create" | "remove">;

/** Judges `message` on what the draft has come to, and drafts what it does. Throws what storage throws. */
export function apply(message: MessageOf<Applicable>, draft: Draft, around: Surroundings): Answer | Deferred {
  const { seq } = draft.coupon;
  switch (message.kind) {
    case "claim":
      return claim(draft, message.request);
    case "hold":
      return hold(draft, message.request);
    case "claim_many": {
      const requests = message.userIds.map((userId) => ({ userId, key: null, attemptId: message.attemptId }));
      draft.readAhead(requests);
      const results = requests.map((request) => claim(draft, request));
      return { ok: true, results, remaining: remaining(draft.coupon), seq: draft.coupon.seq };
    }
    case "give_back":
      return giveBack(message, draft, around);
    case "end_holds":
      return endHolds(draft, around);
    case "release":
      return release(message, draft, around);
    case "change":
      return change(message, draft, around);
    case "read":
      return read(message, draft);
    case "own": {
      const { claim: claimed, hold: held } = draft.own(message.userId);
      if (claimed !== null) return { ok: true, claim: claimed, seq };
      return held === null ? { ok: false, code: "claim_not_found", seq } : { ok: true, hold: held, seq };
    }
    case "holds": {
      const rows = draft.store.holdsPage(message.after, message.limit + 1, draft.at);
      const holds = rows.slice(0, message.limit);
      return { ok: true, holds, next: rows.length > holds.length ? (holds.at(-1)?.userId ?? null) : null, seq };
    }
    case "page":
      return page(message, draft);
    case "metrics": {
      const { claims, ...batches } = around.outcomes();
      confirmHead(draft);
      // Grants are counted by the coupon, which forgets none.
      return { ...found(draft.coupon, draft.at), outcomes: { claims: { ...claims, granted: draft.coupon.lastPosition }, ...batches } };
    }
    case "certify":
      return certify(message, draft, around);
    default:
      return { ok: true, seq };
  }
}

/** A coupon as an answer shows it. */
export function found(coupon: Coupon, now: Instant): rpc.Found {
  return { ok: true, coupon: { ...coupon, state: saleState(coupon, now) }, now, seq: coupon.seq };
}

function read({ claimedBy: isWanted }: MessageOf<"read">, draft: Draft): rpc.ReadResult {
  confirmHead(draft);
  const { coupon } = draft;
  const view = found(coupon, draft.at);
  if (!isWanted || coupon.claimed > CLAIMANTS_AT_ONCE_MAX) return view;
  const claimedBy = draft.store.claimants();
  assert(claimedBy.length === coupon.claimed, "as many claimants as units claimed");
  return { ...view, coupon: { ...view.coupon, claimedBy } };
}

function change({ change: asked, ifMatch }: MessageOf<"change">, draft: Draft, around: Surroundings): rpc.ChangeResult | Deferred {
  const { coupon, at } = draft;
  const { seq } = coupon;
  if (ifMatch !== null && !isMatched(ifMatch, etagOf(coupon, at))) return { ok: false, code: "precondition_failed", seq };
  const verdict = judgeChange(asked, coupon);
  if (verdict.is === "empty_window") return { ok: false, code: "invalid_request", seq };
  if (verdict.is === "amount_below_claimed") return { ok: false, code: verdict.is, amountMin: verdict.amountMin, seq };
  if (verdict.is === "changed") {
    if (contradicts(coupon, verdict.coupon, at, around.leaseUntil)) return DEFERRED;
    draft.configure(verdict.coupon);
  }
  return found(draft.coupon, at);
}

function release({ request }: MessageOf<"release">, draft: Draft, around: Surroundings): rpc.ReleaseResult | Deferred {
  const { coupon, at } = draft;
  const { seq } = coupon;
  const own = draft.own(request.userId).claim;
  const past = draft.releasesOf(request.userId);
  const last = request.position === null ? past[0] : past.find((one) => one.claim.position === request.position);
  const verdict = judgeRelease(request, own, last ?? null);
  if (verdict.is === "claim_not_found") return { ok: false, code: verdict.is, seq };
  if (verdict.is === "position_mismatch") return { ok: false, code: verdict.is, claim: verdict.claim, seq };
  if (verdict.is === "released_already") return { ok: true, release: verdict.release, remaining: remaining(coupon), seq };
  if (contradicts(coupon, { ...coupon, claimed: coupon.claimed - 1 }, at, around.leaseUntil)) return DEFERRED;
  const released = { claim: verdict.claim, releasedAt: at };
  draft.release(released);
  return { ok: true, release: released, remaining: remaining(draft.coupon), seq: draft.coupon.seq };
}

function giveBack({ userId }: MessageOf<"give_back">, draft: Draft, around: Surroundings): rpc.GiveBackResult | Deferred {
  const { coupon, at } = draft;
  const held = draft.own(userId).hold;
  if (held !== null) {
    if (contradicts(coupon, { ...coupon, held: coupon.held - 1 }, at, around.leaseUntil)) return DEFERRED;
    draft.releaseHold(held);
  }
  return { ok: true, seq: draft.coupon.seq };
}

function endHolds(draft: Draft, around: Surroundings): rpc.EndHoldsResult | Deferred {
  const { coupon, at } = draft;
  const holds = draft.store.holdsPage("", HOLDS_ENDED_AT_ONCE_MAX, at);
  if (contradicts(coupon, { ...coupon, held: coupon.held - holds.length }, at, around.leaseUntil)) return DEFERRED;
  for (const held of holds) draft.releaseHold(held);
  return { ok: true, count: holds.length, remaining: remaining(draft.coupon), seq: draft.coupon.seq };
}

function page({ after, limit }: MessageOf<"page">, { coupon, store }: Draft): rpc.PageResult {
  const { epoch, seq } = coupon;
  // A coupon of another epoch is another coupon.
  if (after.epoch !== null && after.epoch !== epoch) return { ok: false, code: "coupon_not_found", seq };
  // A claim's event stands behind as many events as its position counts, at least.
  const rows = store.page({ position: after.position, seq: Math.max(after.seq, after.position) }, limit + 1);
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  const claims = rows.slice(0, limit).map(({ seq: _seq, ...claimed }) => claimed);
  return { ok: true, claims, next: last === undefined ? null : { position: last.position, seq: last.seq, epoch }, seq };
}

function certify({ request }: MessageOf<"certify">, draft: Draft, { bypassSet, mayCertify }: Surroundings): Answer {
  confirmHead(draft);
  const { coupon, at } = draft;
  const { epoch, seq } = coupon;
  const certified = mayCertify ? certifiable(coupon, at) : null;
  if (certified === null) return { ok: true, certificate: null, seq };
  const bypass = bypassSet.read(coupon);
  if (bypass === null) return { ok: false, code: "bypass_incomplete" };
  const isKnown = request.known?.epoch === epoch && request.known.bypassSeq === bypass.seq;
  const certificate = {
    ...certified,
    epoch,
    seq,
    startsInMs: certified.startsAt === null ? 0 : certified.startsAt - at,
    isAnyKeyNew: coupon.held > 0,
    bypassSeq: bypass.seq,
    bypass: isKnown ? null : bypass.members,
  };
  return { ok: true, certificate, seq };
}

/** Reads the head that storage has: an instance that the platform has replaced learns so there, and answers nothing stale. */
function confirmHead({ store, storedSeq }: Draft): void {
  assert(store.head() === storedSeq, "stored and remembered ledger heads are equal");
}
