// The reference model: how a coupon answers each call. It shares no code with the product.

import { claimsOf, left, newCoupon, releasedHold, type Claim, type Coupon } from "./coupon.ts";
import { changed, isSame, UNSET, type Settings } from "./settings.ts";
import type { Call, Facts, LedgerEvent, Outcome } from "./types.ts";

/**
 * The right answer to a call. With `isEvent` the call also causes an event of that kind; `ended` causes one
 * for each hold. With `replayed`, `attempt` is the one that got the claim.
 */
export type Verdict = Facts &
  Pick<LedgerEvent, "erasedSeqs"> & { readonly is: Outcome; readonly isEvent?: true; readonly attempt?: string | null };

/** Judges `call` at the instant `at`. Holds that expire by then must be removed before. */
export function judge(coupon: Coupon | null, call: Call, attempt: string | null, at: number): Verdict {
  if (call.kind === "create") return coupon === null ? created(call, at) : createdAlready(coupon, call, at);
  if (coupon === null) return { is: "coupon_not_found" };
  switch (call.kind) {
    case "remove":
      return { is: "removed", isEvent: true };
    case "archive":
      return archive(coupon, at);
    case "read":
      return { is: "found", ...view(coupon, at), claimants: Array.from(coupon.claims.values(), ({ userId }) => userId) };
    case "own":
      return own(coupon, call.userId);
    case "claim":
      return claim(coupon, call.userId, call.key, attempt, at);
    case "hold":
      return hold(coupon, call.userId, call.ttlMs, attempt, at);
    case "give_back":
      return coupon.holds.has(call.userId) ? { is: "given_back", isEvent: true } : { is: "given_back" };
    case "end_holds":
      return releaseAllHolds(coupon);
    case "holds":
      return { is: "listed", holders: [...coupon.holds.keys()].toSorted() };
    case "release":
      return release(coupon, call.userId, call.position, at);
    case "erase":
      return erase(coupon, call.userId);
    case "restore":
      return { is: call.isLast && call.backup === coupon.backup ? "restored" : "coupon_exists" };
    default:
      return change(coupon, call, at);
  }
}

/** Judges `call` as {@link judge} does, where the ledger may not have removed expired holds yet. */
export function judgeAtEdge(coupon: Coupon | null, call: Call, attempt: string | null, at: number): Verdict {
  if (coupon === null || coupon.nextExpiryAt > at) return judge(coupon, call, attempt, at);
  const holds = new Map([...coupon.holds].filter(([, { expiresAt }]) => expiresAt > at));
  return judge({ ...coupon, holds }, call, attempt, at);
}

/** Whether an isolate may give this answer by itself, from a certificate. */
export function isCertifiable(is: Outcome): boolean {
  return is === "out_of_stock" || is === "sale_ended" || is === "sale_not_started" || is === "sale_paused";
}

/** The state of a sale with `remaining` units. */
export function stateAt({ startsAt, endsAt, paused, archivedAt }: Coupon["settings"], remaining: number, at: number): string {
  if (archivedAt !== undefined) return "archived";
  if (endsAt !== null && at >= endsAt) return "ended";
  if (startsAt !== null && at < startsAt) return "scheduled";
  if (paused) return "paused";
  return remaining === 0 ? "sold_out" : "open";
}

function closed(coupon: Coupon, at: number): Verdict | null {
  switch (stateAt(coupon.settings, left(coupon), at)) {
    case "archived":
    case "ended":
      return { is: "sale_ended" };
    case "scheduled":
      return { is: "sale_not_started", startsAt: coupon.settings.startsAt };
    case "paused":
      return { is: "sale_paused" };
    case "sold_out":
      return { is: "out_of_stock" };
    default:
      return null;
  }
}

function view(coupon: Coupon, at: number): Facts {
  const remaining = left(coupon);
  return {
    ...coupon.settings,
    remaining,
    held: coupon.holds.size,
    state: stateAt(coupon.settings, remaining, at),
    createdAt: coupon.createdAt,
  };
}

function receipt({ position, claimedAt, isHidden }: Claim): Facts {
  return { position, claimedAt, isHidden };
}

function created(call: Call & { kind: "create" }, at: number): Verdict {
  return { is: "created", isEvent: true, ...view(newCoupon(changed(UNSET, call), at), at) };
}

/** A create with the key and the settings of the coupon is a read of it. */
function createdAlready(coupon: Coupon, call: Call & { kind: "create" }, at: number): Verdict {
  const { key, settings } = coupon.creation;
  if (call.key === undefined || call.key !== key) return { is: "coupon_exists" };
  return isSame(changed(UNSET, call), settings) ? { is: "found", ...view(coupon, at) } : { is: "idempotency_key_reused" };
}

function own(coupon: Coupon, userId: string): Verdict {
  const mine = claimsOf(coupon, userId).at(-1);
  if (mine !== undefined) return { is: "has_claim", ...receipt(mine) };
  const held = coupon.holds.get(userId);
  return held === undefined ? { is: "claim_not_found" } : { is: "has_hold", heldAt: held.heldAt, expiresAt: held.expiresAt };
}

/** The last claim of a user who can get no further one. */
function lastOfAll(coupon: Coupon, userId: string): Claim | null {
  return claimsOf(coupon, userId).at(-1) ?? null;
}

function claim(coupon: Coupon, userId: string, key: string | null, attempt: string | null, at: number): Verdict {
  const isMine = (made: Claim) => (key !== null && made.key === key) || (attempt !== null && made.attempt === attempt);
  const mine = claimsOf(coupon, userId).find(isMine);
  if (mine !== undefined) return { is: "replayed", ...receipt(mine), remaining: mine.remaining, attempt: mine.attempt };
  const last = lastOfAll(coupon, userId);
  if (last !== null) return { is: "already_claimed", ...receipt(last) };
  if (key !== null && coupon.keyOwners.has(key)) return { is: "idempotency_key_reused" };
  const taken = coupon.releases.findLast((past) => past.claim.userId === userId && isMine(past.claim));
  if (taken !== undefined) return { is: "claim_released", ...receipt(taken.claim) };
  const isHolder = coupon.holds.has(userId);
  const remaining = left(coupon) - (isHolder ? 0 : 1);
  const isHidden = coupon.holds.get(userId)?.isHidden === true;
  const granted: Verdict = { is: "claimed", isEvent: true, position: coupon.lastPosition + 1, claimedAt: at, remaining, isHidden };
  return isHolder ? granted : (closed(coupon, at) ?? granted);
}

function hold(coupon: Coupon, userId: string, ttlMs: number, attempt: string | null, at: number): Verdict {
  const last = lastOfAll(coupon, userId);
  if (last !== null) return { is: "already_claimed", ...receipt(last) };
  const held = coupon.holds.get(userId);
  if (held !== undefined) {
    const isMine = attempt !== null && held.attempt === attempt;
    return { is: isMine ? "held" : "held_already", heldAt: held.heldAt, expiresAt: held.expiresAt, remaining: left(coupon) };
  }
  const refusal = closed(coupon, at);
  if (refusal !== null) return refusal;
  const { holdSecondsMax, holdsMax } = coupon.settings;
  if (attempt !== null && coupon.releasedHolds.has(releasedHold(userId, attempt))) return { is: "hold_released" };
  if (ttlMs > holdSecondsMax * 1000) return { is: "hold_too_long", ttlSecondsMax: holdSecondsMax };
  if (holdsMax !== null && coupon.holds.size >= holdsMax) return { is: "hold_limit_reached" };
  return { is: "held", isEvent: true, heldAt: at, expiresAt: at + ttlMs, remaining: left(coupon) - 1 };
}

function releaseAllHolds(coupon: Coupon): Verdict {
  const count = coupon.holds.size;
  const answered = { is: "ended", count, remaining: left(coupon) + count } as const;
  return count === 0 ? answered : { ...answered, isEvent: true };
}

function release(coupon: Coupon, userId: string, position: number | null, at: number): Verdict {
  const all = claimsOf(coupon, userId);
  const last = all.at(-1);
  const mine = position === null ? last : all.find((one) => one.position === position);
  if (mine === undefined && last !== undefined) return { is: "position_mismatch", ...receipt(last) };
  if (mine !== undefined) return { is: "released", isEvent: true, ...receipt(mine), releasedAt: at, remaining: left(coupon) + 1 };
  const taken = coupon.releases.findLast(
    (past) => past.claim.userId === userId && (position ?? past.claim.position) === past.claim.position,
  );
  if (taken === undefined) return { is: "claim_not_found" };
  return { is: "released", ...receipt(taken.claim), releasedAt: taken.releasedAt, remaining: left(coupon) };
}

/** A user without an event under the id is erased, or was never there. */
function erase({ namedSeqs }: Coupon, userId: string): Verdict {
  const erasedSeqs = namedSeqs.get(userId);
  return erasedSeqs === undefined ? { is: "erased" } : { is: "erased", isEvent: true, erasedSeqs };
}

function archive(coupon: Coupon, at: number): Verdict {
  const { settings } = coupon;
  if (settings.archivedAt !== undefined) return { is: "archived", ...view(coupon, at) };
  return { is: "archived", isEvent: true, ...view({ ...coupon, settings: { ...settings, archivedAt: at }, holds: new Map() }, at) };
}

function change(coupon: Coupon, asked: Partial<Settings>, at: number): Verdict {
  if (coupon.settings.archivedAt !== undefined) return { is: "coupon_archived" };
  const settings = changed(coupon.settings, asked);
  const { startsAt, endsAt } = settings;
  if (startsAt !== null && endsAt !== null && endsAt <= startsAt) return { is: "invalid_request" };
  const amountMin = coupon.claims.size + coupon.holds.size;
  if (settings.amount < amountMin) return { is: "amount_below_claimed", amountMin };
  const answered = { is: "changed", ...view({ ...coupon, settings }, at) } as const;
  return isSame(settings, coupon.settings) ? answered : { ...answered, isEvent: true };
}
