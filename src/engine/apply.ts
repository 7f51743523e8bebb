// Applies each kind of message to a draft, and returns its answer.

import { assert, BrokenAssertion } from "../domain/assert.ts";
import type { BackupEvent } from "../domain/backup.ts";
import { certifiable, contradicts } from "../domain/certificate.ts";
import { judgeChange } from "../domain/change.ts";
import { judgeCreate } from "../domain/create.ts";
import { remaining, saleState, settingsOf, type Coupon, type Instant } from "../domain/coupon.ts";
import { isMet, type Precondition } from "../domain/etag.ts";
import { BACKUP_DETAILS_MAX } from "../domain/backup-limits.ts";
import { CLAIMANTS_AT_ONCE_MAX, EXPORT_PAGE_SIZE, HOLDS_ENDED_AT_ONCE_MAX, PAGE_SIZE_MAX } from "../domain/limits.ts";
import type * as rpc from "../domain/rpc.ts";
import type { ClaimCounts } from "../domain/claim-counts.ts";
import { judgeRevoke } from "../domain/revoke.ts";
import type { BypassSet } from "./bypass-set.ts";
import { claim, hold, type ClaimJudgment } from "./claims.ts";
import type { Draft } from "./draft.ts";
import { outboxPage } from "./outbox.ts";
import { DEFERRED, type Answer, type Deferred, type Kind, type MessageOf } from "./message.ts";

/** The facts from outside the draft. */
export type ApplyContext = {
  readonly bypassSet: BypassSet;
  /** Returns the claim counts up to the current message. */
  readonly claimCounts: () => ClaimCounts;
  /** Until when issued certificates may be in use, by the coupon's time. */
  readonly leaseUntil: Instant;
  /** False while a message waits for the lease to lapse. */
  readonly mayCertify: boolean;
};

export type Applicable = Exclude<Kind, "remove" | "forget" | "erase" | "restore">;

/** Judges `message` on the draft as it is, and drafts its changes. Throws what storage throws. */
export function apply(message: MessageOf<Applicable>, draft: Draft, context: ApplyContext): Answer | Deferred {
  const { seq } = draft.coupon;
  switch (message.kind) {
    case "claim":
      return claim(draft, message.request);
    case "hold":
      return hold(draft, message.request);
    case "claim_many": {
      const requests = message.userIds.map((userId) => ({ userId, key: null, attemptId: message.attemptId }));
      draft.readAhead(requests);
      const results = requests.map((request) => bulkPart(claim(draft, request)));
      return { ok: true, results, remaining: remaining(draft.coupon), seq: draft.coupon.seq };
    }
    case "release_hold":
      return releaseHold(message, draft, context);
    case "release_all_holds":
      return releaseAllHolds(draft, context);
    case "revoke":
      return revoke(message, draft, context);
    case "create":
      return createAgain(message, draft);
    case "change":
      return change(message, draft, context);
    case "archive":
      return archive(message, draft, context);
    case "read":
      return read(message, draft);
    case "user_claim": {
      const { claims, hold: held } = draft.userClaim(draft.identityOf(message.userId));
      const claimed = claims.at(-1);
      if (claimed !== undefined) return { ok: true, claim: claimed, seq };
      return held === null ? { ok: false, code: "claim_not_found", seq } : { ok: true, hold: held, seq };
    }
    case "list_holds": {
      const rows = draft.store.holds.page(message.after, message.limit + 1, draft.at);
      const holds = rows.slice(0, message.limit);
      return { ok: true, holds, next: rows.length > holds.length ? (holds.at(-1)?.userId ?? null) : null, seq };
    }
    case "history":
      return history(message, draft);
    case "outbox":
      confirmHead(draft);
      return { ok: true, page: outboxPage(draft.store, draft, message.after, message.limit), seq };
    case "list_claims":
      return listClaims(message, draft);
    case "claimants":
      return claimants(message, draft);
    case "backup":
      return backup(message, draft);
    case "metrics": {
      const { claims, ...batches } = context.claimCounts();
      confirmHead(draft);
      // The coupon itself counts its grants. That count is never lost.
      return { ...found(draft.coupon, draft.at), outcomes: { claims: { ...claims, granted: draft.coupon.lastPosition }, ...batches } };
    }
    case "certify":
      return certify(message, draft, context);
    default:
      return { ok: true, seq };
  }
}

function bulkPart(result: ClaimJudgment): rpc.BulkPart {
  if (!result.ok && result.code === "idempotency_key_reused") throw new BrokenAssertion("a bulk claim carries no keys");
  return result;
}

/** Returns the answer that shows a coupon at `now`. */
export function found(coupon: Coupon, now: Instant): rpc.Found {
  return { ok: true, coupon: { ...coupon, state: saleState(coupon, now) }, now, seq: coupon.seq };
}

function read({ claimedBy: isWanted }: MessageOf<"read">, draft: Draft): rpc.ReadResult {
  confirmHead(draft);
  const { coupon } = draft;
  const view = found(coupon, draft.at);
  if (!isWanted || coupon.claimed > CLAIMANTS_AT_ONCE_MAX) return view;
  const claimedBy = draft.store.ledger.claimants();
  assert(claimedBy.length === coupon.claimed, "as many claimants as units claimed");
  return { ...view, coupon: { ...view.coupon, claimedBy } };
}

/** Answers a create while there is a coupon. */
function createAgain({ coupon, key = null }: MessageOf<"create">, draft: Draft): rpc.CreateResult {
  const { seq } = draft.coupon;
  const [made] = key === null ? [] : draft.store.ledger.events(0, 1);
  if (made?.settings === undefined) return { ok: false, code: "coupon_exists", seq };
  const code = judgeCreate({ key, settings: { ...coupon, paused: false } }, { key: made.key ?? null, settings: made.settings });
  return code === "replayed" ? { ...found(draft.coupon, draft.at), replayed: true } : { ok: false, code, seq };
}

function change(
  { change: requested, precondition }: MessageOf<"change">,
  draft: Draft,
  context: ApplyContext,
): rpc.ChangeResult | Deferred {
  const { coupon, at } = draft;
  const { seq } = coupon;
  const stale = staleTag(precondition, draft);
  if (stale !== null) return stale;
  const verdict = judgeChange(requested, coupon);
  if (!verdict.ok) return { ...verdict, seq };
  if (verdict.coupon !== coupon) {
    if (contradicts(coupon, verdict.coupon, at, context.leaseUntil)) return DEFERRED;
    draft.configure(verdict.coupon);
  }
  return found(draft.coupon, at);
}

/** Returns the refusal if the coupon's entity tag does not meet the precondition. */
function staleTag(precondition: Precondition | null, { coupon, at }: Draft): rpc.Refused<"precondition_failed"> | null {
  return isMet(precondition, coupon, at) ? null : { ok: false, code: "precondition_failed", seq: coupon.seq };
}

/** A repeated call changes nothing. */
function archive({ precondition }: MessageOf<"archive">, draft: Draft, context: ApplyContext): rpc.ArchiveResult | Deferred {
  const { coupon, at } = draft;
  const stale = staleTag(precondition, draft);
  if (stale !== null) return stale;
  if (coupon.archivedAt === null) {
    if (contradicts(coupon, { ...coupon, archivedAt: at }, at, context.leaseUntil)) return DEFERRED;
    draft.archive();
  }
  return found(draft.coupon, at);
}

function revoke({ request }: MessageOf<"revoke">, draft: Draft, context: ApplyContext): rpc.RevokeResult | Deferred {
  const { coupon, at } = draft;
  const userId = draft.identityOf(request.userId);
  const past = draft.allRevokedClaimsOf(userId);
  const { claims } = draft.userClaim(userId);
  const verdict = judgeRevoke(request, { claims, past }, at);
  if (!verdict.ok) return { ...verdict, seq: coupon.seq };
  if (!past.includes(verdict.revoked)) {
    if (contradicts(coupon, { ...coupon, claimed: coupon.claimed - 1 }, at, context.leaseUntil)) return DEFERRED;
    draft.revoke(verdict.revoked);
  }
  return { ...verdict, remaining: remaining(draft.coupon), seq: draft.coupon.seq };
}

function releaseHold({ userId }: MessageOf<"release_hold">, draft: Draft, context: ApplyContext): rpc.ReleaseHoldResult | Deferred {
  const { coupon, at } = draft;
  const held = draft.userClaim(draft.identityOf(userId)).hold;
  if (held !== null) {
    if (contradicts(coupon, { ...coupon, held: coupon.held - 1 }, at, context.leaseUntil)) return DEFERRED;
    draft.releaseHold(held);
  }
  return { ok: true, seq: draft.coupon.seq };
}

function releaseAllHolds(draft: Draft, context: ApplyContext): rpc.ReleaseAllHoldsResult | Deferred {
  const { coupon, at } = draft;
  const holds = draft.store.holds.page("", HOLDS_ENDED_AT_ONCE_MAX, at);
  if (contradicts(coupon, { ...coupon, held: coupon.held - holds.length }, at, context.leaseUntil)) return DEFERRED;
  for (const held of holds) draft.releaseHold(held);
  return { ok: true, count: holds.length, remaining: remaining(draft.coupon), seq: draft.coupon.seq };
}

function history({ after, limit }: MessageOf<"history">, draft: Draft): rpc.HistoryResult {
  confirmHead(draft);
  const events = draft.eventsAfter(after, limit + 1);
  const page = events.slice(0, limit);
  return { ok: true, events: page, next: events.length > page.length ? (page.at(-1)?.seq ?? null) : null, seq: draft.coupon.seq };
}

function listClaims({ after, limit }: MessageOf<"list_claims">, { coupon, store }: Draft): rpc.ListClaimsResult {
  const { epoch, seq } = coupon;
  // The same name with another epoch is another coupon.
  if (after.epoch !== null && after.epoch !== epoch) return { ok: false, code: "coupon_not_found", seq };
  // The seq of a claim's event is greater than its position: the ledger begins with the coupon's creation.
  const rows = store.ledger.page({ position: after.position, seq: Math.max(after.seq, after.position) }, limit + 1);
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  const claims = rows.slice(0, limit).map(({ seq: _seq, ...claimed }) => claimed);
  return { ok: true, claims, next: last === undefined ? null : { position: last.position, seq: last.seq, epoch }, seq };
}

function claimants({ asOf, after, limit }: MessageOf<"claimants">, { coupon, store }: Draft): rpc.ClaimantsResult {
  const { epoch, seq } = coupon;
  if (asOf.epoch !== epoch) return { ok: false, code: "coupon_not_found", seq };
  return { ok: true, ...store.ledger.claimantsAsOf(asOf.seq, after, limit), seq };
}

/**
 * Events that this very message makes, of holds that expire, are on the next page. A user who is erased meanwhile would have two names
 * in one backup, so it ends.
 */
function backup({ epoch, after, until }: MessageOf<"backup">, draft: Draft): rpc.BackupResult {
  confirmHead(draft);
  const { coupon, at, store } = draft;
  const { seq, name, createdAt, archivedAt, claimed, held, lastPosition } = coupon;
  if (epoch !== null && epoch !== coupon.epoch) return { ok: false, code: "coupon_not_found", seq };
  const facts = { name, epoch: coupon.epoch, seq, at, createdAt, archivedAt, claimed, held, lastPosition, erasureKey: draft.erasureKey };
  const last = until ?? seq;
  if (store.ledger.isErasedAfter(last)) return { ok: false, code: "unavailable", seq };
  const events: BackupEvent[] = [];
  let detailsLength = 0;
  while (events.length < EXPORT_PAGE_SIZE && detailsLength < BACKUP_DETAILS_MAX) {
    const rows = store.ledger.backup(events.at(-1)?.seq ?? after, last, PAGE_SIZE_MAX);
    events.push(...rows);
    detailsLength += rows.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
    if (rows.length < PAGE_SIZE_MAX) break;
  }
  const reached = events.at(-1)?.seq ?? after;
  return { ok: true, header: { ...settingsOf(coupon), ...facts }, events, next: reached < last ? reached : null, seq };
}

function certify({ request }: MessageOf<"certify">, draft: Draft, { bypassSet, mayCertify }: ApplyContext): Answer {
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
    erasureKey: draft.erasureKey,
    bypassSeq: bypass.seq,
    bypass: isKnown ? null : bypass.members,
  };
  return { ok: true, certificate, seq };
}

/** Compares the head in memory with the stored one: an instance that was replaced must not answer. */
function confirmHead({ store, storedSeq }: Draft): void {
  assert(store.head() === storedSeq, "stored and remembered ledger heads are equal");
}
