// The wire form of the domain's values: snake_case fields, and times in UTC with milliseconds.

import type { Claim, Hold } from "./domain/claim.ts";
import { outcomeCounts, type ClaimCounts } from "./domain/claim-counts.ts";
import { named, remaining, type Changeable, type Instant, type Sale } from "./domain/coupon.ts";
import type { SinkLag } from "./domain/delivery.ts";
import type { LedgerEvent } from "./domain/ledger-event.ts";
import { outcomeOf, type BulkPart, type CouponView, type Found } from "./domain/rpc.ts";
import type { RevokedClaim } from "./domain/revoke.ts";
import type { ListedCoupon, ReportedClaim, TimelineBucket, WalletClaim } from "./read-model/queries.ts";
import type { FailingSink } from "./read-model/failing-sinks.ts";
import type { Endpoint } from "./read-model/webhooks.ts";

/** The version of the HTTP interface and of the webhooks, equal to the package's version. */
export const API_VERSION = "0.1.0";

let written = { at: 0, text: new Date(0).toISOString() };

/** Returns an instant as RFC 3339. Caches the last one, because all claims of a batch share it. */
export function instant(at: Instant): string {
  if (at !== written.at) written = { at, text: new Date(at).toISOString() };
  return written.text;
}

export function instantOrNull(at: Instant | null): string | null {
  return at === null ? null : instant(at);
}

/** Returns the receipt of a claim. Every replay returns the same one. */
export function receipt(couponName: string, claim: Pick<Claim, "userId" | "position" | "claimedAt">) {
  return { coupon_name: couponName, user_id: claim.userId, position: claim.position, claimed_at: instant(claim.claimedAt) };
}

/** Returns the outcome of one user's part of a bulk claim, with the user's claim, if any. */
export function bulkOutcome(userId: string, part: BulkPart) {
  const claim = part.ok || part.code === "already_claimed" ? part.claim : undefined;
  const receiptFields = claim === undefined ? {} : { position: claim.position, claimed_at: instant(claim.claimedAt) };
  return { user_id: userId, outcome: outcomeOf(part), ...receiptFields };
}

export function settings(made: Changeable) {
  return { ...named(made), starts_at: instantOrNull(made.startsAt), ends_at: instantOrNull(made.endsAt) };
}

/** Returns a coupon, with its claimants if `view` has them. */
export function coupon(view: Sale & Pick<CouponView, "name" | "state" | "createdAt" | "claimedBy">) {
  return {
    name: view.name,
    ...settings(view),
    remaining_amount: remaining(view),
    state: view.state,
    held_amount: view.held,
    created_at: instant(view.createdAt),
    ...(view.claimedBy === undefined ? {} : { claimed_by: view.claimedBy }),
  };
}

/** Returns a coupon of the read model. */
export function listedCoupon(listed: ListedCoupon) {
  return { ...coupon(listed), claimed_amount: listed.claimed, as_of: instant(listed.asOf) };
}

/** Returns a claim of a user's list. */
export function walletClaim(userId: string, { coupon: of, ...claim }: WalletClaim) {
  return { ...receipt(of.name, { userId, ...claim }), state: of.state };
}

/** Returns a line of the report. */
export function reportedClaim(claim: ReportedClaim) {
  return { ...receipt(claim.name, claim), released_at: instantOrNull(claim.revokedAt) ?? "" };
}

export function timelineBucket({ at, granted, revoked }: TimelineBucket) {
  return { at: instant(at), granted, revoked };
}

/** Returns the snapshot of a sale. `now` is the server's time. */
export function status({ coupon: view, seq }: Found, now: Instant) {
  return {
    name: view.name,
    state: view.state,
    amount: view.amount,
    remaining_amount: remaining(view),
    held_amount: view.held,
    starts_at: instantOrNull(view.startsAt),
    ends_at: instantOrNull(view.endsAt),
    server_time: instant(now),
    seq,
    epoch: view.epoch,
  };
}

/** Returns how the claims of a coupon ended, and what became of its units. */
export function couponMetrics(view: CouponView, counts: ClaimCounts) {
  const units = { claimed_amount: view.claimed, held_amount: view.held, remaining_amount: remaining(view) };
  return { coupon_name: view.name, outcomes: outcomeCounts(counts), ...units };
}

export function hold(couponName: string, { userId, heldAt, expiresAt }: Pick<Hold, "userId" | "heldAt" | "expiresAt">) {
  return { coupon_name: couponName, user_id: userId, held_at: instant(heldAt), expires_at: instant(expiresAt) };
}

/** Returns a revoked claim. A repeated revoke returns the same one. */
export function revokedClaim(couponName: string, { claim, revokedAt }: RevokedClaim) {
  return { ...receipt(couponName, claim), released_at: instant(revokedAt) };
}

/** Returns JSON in one line. JSON allows U+2028 and U+2029 in strings, but many readers end a line at them. */
export function jsonLine(value: object): string {
  return JSON.stringify(value).replaceAll(/[\u2028\u2029]/g, unicodeEscape);
}

/** `\u2028` for the character U+2028. */
export function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Returns a sink of a coupon's delivery. Its lag is the age of the oldest event that it does not have. */
export function sink({ id, cursor, status: sinkStatus, attemptCount, lagEvents, oldestAt, ...at }: SinkLag, now: Instant) {
  return {
    sink: id,
    status: sinkStatus,
    epoch: cursor?.epoch ?? null,
    seq: cursor?.seq ?? 0,
    lag_events: lagEvents,
    lag_seconds: oldestAt === null ? 0 : Math.max(now - oldestAt, 0) / 1000,
    failed_attempts: attemptCount,
    failing_since: instantOrNull(at.failingSince),
    next_attempt_at: instantOrNull(at.nextAttemptAt),
    last_error: at.lastError,
    delivered_at: instantOrNull(at.deliveredAt),
  };
}

export function failingSink({ coupon: name, sink: id, status: sinkStatus, attemptCount }: FailingSink) {
  return { coupon_name: name, sink: id, status: sinkStatus, failed_attempts: attemptCount };
}

/** Returns an event of the ledger, with the details of its kind. */
export function event({ seq, at, kind, actor, userId, position, settings: made, expiresAt }: LedgerEvent) {
  const details = { ...(made === undefined ? {} : settings(made)), ...(expiresAt === undefined ? {} : { expires_at: instant(expiresAt) }) };
  return { seq, at: instant(at), kind, actor, user_id: userId, position, ...details };
}

/** Returns a webhook without its secrets. */
export function webhook({ id, url, events, coupons, paused, disabledAt, createdAt, updatedAt }: Endpoint) {
  const times = { disabled_at: instantOrNull(disabledAt), created_at: instant(createdAt), updated_at: instant(updatedAt) };
  return { id, url, events, coupons, paused, ...times };
}
