// A coupon of the reference model, after each event of its ledger.

import type { Settings } from "./settings.ts";
import type { LedgerEvent } from "./types.ts";

export type Claim = {
  readonly userId: string;
  readonly position: number;
  readonly claimedAt: number;
  readonly remaining: number;
  readonly key: string | null;
  readonly attempt: string | null;
  /** Whether its user was erased since, so that the tables have a pseudonym. */
  readonly isHidden: boolean;
};
type Hold = { readonly heldAt: number; readonly expiresAt: number; readonly attempt: string | null; readonly isHidden: boolean };
type Release = { readonly claim: Claim; readonly releasedAt: number };

/** A coupon as it is after an event. */
export type Coupon = {
  /** `archivedAt` is when the sale was closed for good. */
  settings: Settings & { readonly archivedAt?: number };
  readonly createdAt: number;
  /** The backup that it was restored from. */
  readonly backup: string | null;
  /** The key and the settings of the call that created it. */
  readonly creation: { readonly key: string | null; readonly settings: Settings };
  at: number;
  lastPosition: number;
  /** By position, in claim order. */
  readonly claims: Map<number, Claim>;
  /** The same claims. {@link claimsOf} reads them. */
  readonly claimsByUser: Map<string, readonly Claim[]>;
  /** An erased user's keys are free for others. */
  readonly keyOwners: Map<string, string>;
  /** By user: the events that have the id. */
  readonly namedSeqs: Map<string, readonly number[]>;
  readonly holds: Map<string, Hold>;
  readonly releases: Release[];
  /** The attempts whose holds were released, each with its user. */
  readonly releasedHolds: Set<string>;
  /** The instant at which the next hold expires; Infinity without holds. */
  nextExpiryAt: number;
};

/** A coupon that was just created. */
export function newCoupon(settings: Settings, at: number, key: string | null = null, backup: string | null = null): Coupon {
  const none = {
    claims: new Map(),
    claimsByUser: new Map(),
    keyOwners: new Map(),
    namedSeqs: new Map(),
    holds: new Map(),
    releases: [],
    releasedHolds: new Set<string>(),
  };
  return { settings, createdAt: at, backup, creation: { key, settings }, at, lastPosition: 0, ...none, nextExpiryAt: Infinity };
}

/**
 * Applies a legal event to `coupon`, in place, and returns it. `attempt` and `key` are those of the call
 * behind the event.
 */
export function follow(coupon: Coupon | null, event: LedgerEvent, attempt: string | null, key: string | null): Coupon | null {
  const { kind, at, userId, settings } = event;
  if (kind === "created" && settings !== undefined) return newCoupon(settings, at, key, event.restored?.backup ?? null);
  if (kind === "removed" || coupon === null) return null;
  coupon.at = at;
  if (kind === "changed" && settings !== undefined) coupon.settings = settings;
  if (kind === "archived") {
    coupon.settings = { ...coupon.settings, archivedAt: at };
    coupon.holds.clear();
    coupon.nextExpiryAt = Infinity;
  }
  if (userId === null) return coupon;
  if (kind === "erased") return hide(coupon, userId);
  const isHidden = isOfErased(coupon, event, userId);
  if (!isHidden) coupon.namedSeqs.set(userId, [...(coupon.namedSeqs.get(userId) ?? []), event.seq]);
  if (kind === "claimed") {
    endHold(coupon, userId);
    coupon.lastPosition += 1;
    const made = { userId, position: coupon.lastPosition, claimedAt: at, remaining: left(coupon) - 1, key, attempt, isHidden };
    coupon.claims.set(made.position, made);
    coupon.claimsByUser.set(userId, [...claimsOf(coupon, userId), made]);
    if (key !== null && !isHidden) coupon.keyOwners.set(key, userId);
  } else if (kind === "released") {
    const made = claimsOf(coupon, userId).find(({ position }) => position === event.position);
    if (made === undefined) return coupon;
    const others = claimsOf(coupon, userId).filter((one) => one !== made);
    coupon.claims.delete(made.position);
    coupon.claimsByUser.set(userId, others);
    if (made.key !== null && !isHidden) coupon.keyOwners.delete(made.key);
    coupon.releases.push({ claim: made, releasedAt: at });
  } else if (kind === "held" && event.expiresAt !== undefined) {
    coupon.holds.set(userId, { heldAt: at, expiresAt: event.expiresAt, attempt, isHidden });
    coupon.nextExpiryAt = Math.min(coupon.nextExpiryAt, event.expiresAt);
  } else if (kind === "given_back" || kind === "expired") {
    const by = coupon.holds.get(userId)?.attempt ?? null;
    if (kind === "given_back" && by !== null) coupon.releasedHolds.add(releasedHold(userId, by));
    endHold(coupon, userId);
  }
  return coupon;
}

/** Whether an event is about a claim or a hold from before the user's erasure. */
function isOfErased(coupon: Coupon, { kind, position }: LedgerEvent, userId: string): boolean {
  if (kind === "released") return claimsOf(coupon, userId).some((one) => one.position === position && one.isHidden);
  return kind !== "held" && coupon.holds.get(userId)?.isHidden === true;
}

/** Erases a user: what there is gets the pseudonym, and nothing else changes. */
function hide(coupon: Coupon, userId: string): Coupon {
  coupon.namedSeqs.delete(userId);
  const hidden = claimsOf(coupon, userId).map((made): Claim => Object.assign({}, made, { isHidden: true }));
  coupon.claimsByUser.set(userId, hidden);
  for (const made of hidden) coupon.claims.set(made.position, made);
  for (const [index, { claim, releasedAt }] of coupon.releases.entries())
    if (claim.userId === userId) coupon.releases[index] = { claim: { ...claim, isHidden: true }, releasedAt };
  for (const [key, owner] of coupon.keyOwners) if (owner === userId) coupon.keyOwners.delete(key);
  const held = coupon.holds.get(userId);
  if (held !== undefined) coupon.holds.set(userId, { ...held, isHidden: true });
  return coupon;
}

const NONE: readonly Claim[] = [];

/** The claims of one user, in claim order. */
export function claimsOf({ claimsByUser }: Coupon, userId: string): readonly Claim[] {
  return claimsByUser.get(userId) ?? NONE;
}

/** The entry of one hold in {@link Coupon.releasedHolds}. */
export function releasedHold(userId: string, attempt: string): string {
  return `${attempt} ${userId}`;
}

/** Units that are neither claimed nor held. */
export function left({ settings, claims, holds }: Coupon): number {
  return settings.amount - claims.size - holds.size;
}

function endHold(coupon: Coupon, userId: string): void {
  if (!coupon.holds.delete(userId)) return;
  coupon.nextExpiryAt = Infinity;
  for (const { expiresAt } of coupon.holds.values()) coupon.nextExpiryAt = Math.min(coupon.nextExpiryAt, expiresAt);
}
