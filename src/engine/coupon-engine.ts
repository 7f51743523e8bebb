// The state of one coupon over the SQL port: facts in, rule, rows and ledger out, in one transaction.

import { assert } from "../domain/assert.ts";
import { grantedClaim, judgeClaim, withClaim, type Claim, type ClaimRequest, type ClaimVerdict } from "../domain/claim.ts";
import { saleState, type Coupon, type Instant, type NewCoupon } from "../domain/coupon.ts";
import type { ClaimResult, CreateResult, Found, ReadResult } from "../domain/messages.ts";
import * as statements from "./statements.ts";
import type { Sql, SqlRow } from "./sql.ts";

/**
 * One coupon. Every method is synchronous and takes the instant at which it happens. A method that throws has written
 * nothing, but memory may be behind: call {@link CouponEngine.reload} before going on.
 */
export class CouponEngine {
  readonly #sql: Sql;
  /** The coupon as stored, null where there is none; undefined until the first look. Changes only after a commit. */
  #coupon: Coupon | null | undefined = undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Creates the coupon and its tables, or answers `coupon_exists` and changes nothing. `epoch` must be new. */
  create(asked: NewCoupon, epoch: string, now: Instant): CreateResult {
    const existing = this.#confirmed();
    if (existing !== null) return { ok: false, code: "coupon_exists", seq: existing.seq };
    this.#coupon = this.#sql.transaction(() => {
      for (const statement of statements.SCHEMA) this.#sql.all(statement);
      this.#sql.all(statements.INSERT_COUPON, asked.name, asked.amount, asked.startsAt, asked.endsAt, now, epoch, now);
      this.#append(1, now, "created", null, null, { amount: asked.amount, starts_at: asked.startsAt, ends_at: asked.endsAt });
      return this.#readCoupon();
    });
    return this.#found(this.#coupon, now);
  }

  /** Answers the coupon as it is at `now`, and on demand all who hold a claim. */
  read(wanted: { readonly claimedBy: boolean }, now: Instant): ReadResult {
    const coupon = this.#confirmed();
    if (coupon === null) return { ok: false, code: "coupon_not_found", seq: 0 };
    const found = this.#found(coupon, now);
    if (!wanted.claimedBy) return found;
    const claimedBy = this.#sql.all<{ userId: string }>(statements.SELECT_CLAIMANTS).map(({ userId }) => userId);
    assert(claimedBy.length === coupon.claimed, "as many claimants as units claimed");
    return { ...found, coupon: { ...found.coupon, claimedBy } };
  }

  /**
   * Judges claims in their order, in one transaction, and answers each. The same user may appear more than once. Throws
   * when storage fails; then none of them was granted.
   */
  claimMany(requests: readonly ClaimRequest[], now: Instant): ClaimResult[] {
    const before = this.#load();
    if (before === null) return requests.map(() => ({ ok: false, code: "coupon_not_found", seq: 0 }));
    const at = Math.max(now, before.clockAt);
    const { after, results } = this.#sql.transaction(() => this.#judgeAll(requests, before, at));
    this.#coupon = after;
    return results;
  }

  /** The ledger's head as memory knows it, 0 where it knows of no coupon. */
  get seq(): number {
    return this.#coupon?.seq ?? 0;
  }

  /** Forgets what memory believes; the next call reads storage again. */
  reload(): void {
    this.#coupon = undefined;
  }

  #judgeAll(requests: readonly ClaimRequest[], before: Coupon, at: Instant): { after: Coupon; results: ClaimResult[] } {
    let coupon = before;
    let grantedCount = 0;
    const results = requests.map((request) => {
      const facts = { coupon, own: this.#claimOf(request.userId), keyOwner: this.#keyOwner(request.key) };
      const verdict = judgeClaim(request, facts, at);
      if (verdict.is !== "granted") return answer(verdict, coupon, at);
      const claim = grantedClaim(request, coupon, at);
      coupon = withClaim(coupon, claim);
      grantedCount += 1;
      this.#write(claim, coupon.seq);
      return { ok: true, claim, replayed: false, seq: coupon.seq } satisfies ClaimResult;
    });
    if (grantedCount > 0) this.#advance(before, coupon);
    assert(grantedCount === coupon.claimed - before.claimed, "granted equals the change of claimed");
    return { after: coupon, results };
  }

  #claimOf(userId: string): Claim | null {
    return this.#sql.all<Claim>(statements.SELECT_CLAIM, userId)[0] ?? null;
  }

  #keyOwner(key: string | null): string | null {
    if (key === null) return null;
    return this.#sql.all<{ userId: string }>(statements.SELECT_KEY_OWNER, key)[0]?.userId ?? null;
  }

  #write(claim: Claim, seq: number): void {
    const { userId, position, claimedAt, remainingAfter, key, attemptId } = claim;
    this.#sql.all(statements.INSERT_CLAIM, userId, position, claimedAt, remainingAfter, key, attemptId);
    this.#append(seq, claimedAt, "claimed", userId, position, null);
  }

  #append(seq: number, at: Instant, kind: string, userId: string | null, position: number | null, data: SqlRow | null): void {
    this.#sql.all(statements.INSERT_EVENT, seq, at, kind, userId, position, data === null ? null : JSON.stringify(data));
  }

  /** Moves the stored counters from `before` to `after` and makes sure that they arrived there. */
  #advance(before: Coupon, after: Coupon): void {
    const moved = [
      after.claimed - before.claimed,
      after.lastPosition - before.lastPosition,
      after.seq - before.seq,
      after.clockAt,
    ] as const;
    const [stored] = this.#sql.all<Pick<Coupon, "claimed" | "held" | "lastPosition" | "seq">>(statements.ADVANCE_COUPON, ...moved);
    assert(stored !== undefined, "there is a coupon row");
    assert(stored.claimed === after.claimed, "stored and remembered units claimed are equal");
    assert(stored.held === after.held, "stored and remembered units held are equal");
    assert(stored.lastPosition === after.lastPosition, "stored and remembered last positions are equal");
    assert(stored.seq === after.seq, "stored and remembered ledger heads are equal");
  }

  /** The coupon, once storage was asked: an instance that the platform has replaced learns so there, and answers nothing stale. */
  #confirmed(): Coupon | null {
    const coupon = this.#load();
    if (coupon !== null)
      assert(this.#sql.all(statements.SELECT_HEAD)[0]?.["seq"] === coupon.seq, "stored and remembered ledger heads are equal");
    return coupon;
  }

  /** The coupon as memory has it; while there is none, storage is asked each time. */
  #load(): Coupon | null {
    if (this.#coupon !== undefined && this.#coupon !== null) return this.#coupon;
    this.#coupon = this.#sql.all(statements.HAS_SCHEMA).length === 0 ? null : this.#readCoupon();
    return this.#coupon;
  }

  #readCoupon(): Coupon {
    type Row = Omit<Coupon, "paused"> & { paused: number; schemaVersion: number; ledgerHead: number; ledgerPosition: number | null };
    const [row] = this.#sql.all<Row>(statements.SELECT_COUPON);
    assert(row !== undefined, "there is a coupon row");
    const { paused, schemaVersion, ledgerHead, ledgerPosition, ...rest } = row;
    assert(schemaVersion === statements.SCHEMA_VERSION, "the schema is the one that this version writes");
    assert(ledgerHead === rest.seq, "the ledger ends where the coupon says");
    assert(ledgerPosition === null || ledgerPosition === rest.lastPosition, "the ledger granted last what the coupon says");
    assert(rest.claimed + rest.held <= rest.amount, "no more units given and held than there are");
    return { ...rest, paused: paused === 1 };
  }

  #found(coupon: Coupon, now: Instant): Found {
    const at = Math.max(now, coupon.clockAt);
    return { ok: true, seq: coupon.seq, coupon: { ...coupon, state: saleState(coupon, at) } };
  }
}

/** Puts what was not granted now into the words of RPC. */
function answer(verdict: Exclude<ClaimVerdict, { is: "granted" }>, coupon: Coupon, at: Instant): ClaimResult {
  const { seq } = coupon;
  switch (verdict.is) {
    case "replayed":
      return { ok: true, claim: verdict.claim, replayed: true, seq };
    case "already_claimed":
      return { ok: false, code: "already_claimed", claim: verdict.claim, seq };
    case "sale_not_started": {
      const startsAt = coupon.startsAt ?? at;
      return { ok: false, code: "sale_not_started", startsAt, startsInMs: startsAt - at, seq };
    }
    default:
      return { ok: false, code: verdict.is, seq };
  }
}
