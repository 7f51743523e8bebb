// The state of one coupon over the SQL port: facts in, rule, rows and ledger out, in one transaction.

import { assert } from "../domain/assert.ts";
import { judgeChange, type Change } from "../domain/change.ts";
import type { ClaimRequest } from "../domain/claim.ts";
import { remaining, saleState, type Coupon, type Instant, type NewCoupon } from "../domain/coupon.ts";
import { etagOf, isMatched } from "../domain/etag.ts";
import { judgeHold, type HoldRequest } from "../domain/hold.ts";
import { CLAIMANTS_AT_ONCE_MAX } from "../domain/limits.ts";
import type * as messages from "../domain/messages.ts";
import { outcomeOf } from "../domain/messages.ts";
import { counted, countedApart, NO_OUTCOMES, type Outcome, type OutcomeCounts } from "../domain/outcomes.ts";
import { judgeRelease, type ReleaseRequest } from "../domain/release.ts";
import { certifiable, type Certificate, type CertificateWish } from "../domain/sold-out.ts";
import { Certifier } from "./certifier.ts";
import { claimIn, closedIn } from "./claims.ts";
import { CouponStore } from "./coupon-store.ts";
import { Draft } from "./draft.ts";
import type { Sql } from "./sql.ts";

type NoCoupon = messages.Refused<"coupon_not_found">;
const NO_COUPON: NoCoupon = { ok: false, code: "coupon_not_found", seq: 0 };

/**
 * One coupon. Every method is synchronous and takes the instant at which it happens. A method that throws has written
 * nothing, but memory may be behind: call {@link CouponEngine.reload} before going on.
 */
export class CouponEngine {
  readonly #store: CouponStore;
  readonly #certifier: Certifier;
  /** The coupon as stored, null where there is none; undefined until the first look. Changes only after a commit. */
  #coupon: Coupon | null | undefined = undefined;
  #seqBeforeReload = 0;
  /** Counted in memory, written along with what is written anyway; null until they were read. */
  #outcomes: OutcomeCounts | null = null;
  #areOutcomesWritten = true;

  constructor(sql: Sql) {
    this.#store = new CouponStore(sql);
    this.#certifier = new Certifier(this.#store);
  }

  /** Creates the coupon and its tables, or answers `coupon_exists` and changes nothing. `epoch` must be new. */
  create(asked: NewCoupon, epoch: string, now: Instant): messages.CreateResult {
    const existing = this.#load();
    if (existing !== null) return { ok: false, code: "coupon_exists", seq: existing.seq };
    const stored = this.#store.transaction(() => {
      this.#store.create(asked, epoch, now, NO_OUTCOMES);
      return this.#store.read();
    });
    this.#coupon = stored.coupon;
    this.#outcomes = stored.outcomes;
    return found(stored.coupon, now);
  }

  /** Answers the coupon as it is at `now`, and on demand all who hold a claim, unless they are too many for one answer. */
  read(wanted: { readonly claimedBy: boolean }, now: Instant): messages.ReadResult {
    this.#confirm();
    return this.#transact(now, ({ coupon, at }) => {
      const view = found(coupon, at);
      if (!wanted.claimedBy || coupon.claimed > CLAIMANTS_AT_ONCE_MAX) return view;
      const claimedBy = this.#store.claimants();
      assert(claimedBy.length === coupon.claimed, "as many claimants as units claimed");
      return { ...view, coupon: { ...view.coupon, claimedBy } };
    });
  }

  /** Sets what the operator asks for; with `ifMatch`, only if that names the coupon as it is. */
  change(change: Change, ifMatch: string | null, now: Instant): messages.ChangeResult {
    return this.#transact(now, (draft) => {
      const { coupon, at } = draft;
      if (ifMatch !== null && !isMatched(ifMatch, etagOf(coupon, at))) return { ok: false, code: "precondition_failed", seq: coupon.seq };
      const verdict = judgeChange(change, coupon);
      if (verdict.is === "empty_window") return { ok: false, code: "invalid_request", seq: coupon.seq };
      if (verdict.is === "amount_below_claimed") return { ok: false, code: verdict.is, amountMin: verdict.amountMin, seq: coupon.seq };
      if (verdict.is === "changed") draft.configure(verdict.coupon);
      return found(draft.coupon, at);
    });
  }

  /**
   * Judges claims in their order, in one transaction, and answers each. The same user may appear more than once. Throws
   * when storage fails; then none of them was granted.
   */
  claimMany(requests: readonly ClaimRequest[], now: Instant): readonly messages.ClaimResult[] {
    const results = this.#transact(now, (draft) => {
      const { claimed } = draft.coupon;
      draft.readAhead(requests);
      const answers = requests.map((request) => claimIn(draft, request));
      const grantedCount = answers.filter((result) => result.ok && !result.replayed).length;
      assert(grantedCount === draft.coupon.claimed - claimed, "granted equals the change of claimed");
      return answers;
    });
    if ("code" in results) return requests.map(() => results);
    this.#count(results.map(outcomeOf));
    return results;
  }

  /** As {@link CouponEngine.claimMany}, with what is left afterwards. */
  claimBulk(requests: readonly ClaimRequest[], now: Instant): messages.BulkClaimResult {
    const results = this.claimMany(requests, now);
    return this.#coupon ? { ok: true, results, remaining: remaining(this.#coupon), seq: this.#coupon.seq } : NO_COUPON;
  }

  /** Keeps one unit for a user, or answers the hold that the user has. */
  hold(request: HoldRequest, now: Instant): messages.HoldResult {
    return this.#transact(now, (draft) => {
      const { userId, ttlMs, attemptId } = request;
      const verdict = judgeHold(draft.coupon, draft.own(userId), draft.at);
      if (verdict.is === "held_already") {
        const isNew = verdict.hold.attemptId === attemptId;
        return { ok: true, hold: verdict.hold, isNew, remaining: remaining(draft.coupon), seq: draft.coupon.seq };
      }
      if (verdict.is === "already_claimed") return { ok: false, code: verdict.is, claim: verdict.claim, seq: draft.coupon.seq };
      if (verdict.is !== "held") return closedIn(draft, verdict.is);
      const hold = { userId, heldAt: draft.at, expiresAt: draft.at + ttlMs, attemptId };
      draft.keep(hold);
      return { ok: true, hold, isNew: true, remaining: remaining(draft.coupon), seq: draft.coupon.seq };
    });
  }

  /** Ends a user's hold, if there is one. */
  giveBack(userId: string, now: Instant): messages.GiveBackResult {
    return this.#transact(now, (draft) => {
      const { hold } = draft.own(userId);
      if (hold !== null) draft.giveBack(hold);
      return { ok: true, seq: draft.coupon.seq };
    });
  }

  /** What one user has: a claim, or a hold that runs. */
  own(userId: string, now: Instant): messages.OwnResult {
    return this.#transact(now, (draft) => {
      const { claim, hold } = draft.own(userId);
      const { seq } = draft.coupon;
      if (claim !== null) return { ok: true, claim, seq };
      return hold === null ? { ok: false, code: "claim_not_found", seq } : { ok: true, hold, seq };
    });
  }

  /** Takes a claim back; the unit returns to the stock once, however often this is asked. */
  release(request: ReleaseRequest, now: Instant): messages.ReleaseResult {
    return this.#transact(now, (draft) => {
      const own = draft.own(request.userId).claim;
      const past = this.#store.releasesOf(request.userId);
      const last = request.position === null ? past[0] : past.find(({ claim }) => claim.position === request.position);
      const verdict = judgeRelease(request, own, last ?? null);
      if (verdict.is === "claim_not_found") return { ok: false, code: verdict.is, seq: draft.coupon.seq };
      if (verdict.is === "position_mismatch") return { ok: false, code: verdict.is, claim: verdict.claim, seq: draft.coupon.seq };
      const release = verdict.is === "released" ? { claim: verdict.claim, releasedAt: draft.at } : verdict.release;
      if (verdict.is === "released") draft.release(release);
      return { ok: true, release, remaining: remaining(draft.coupon), seq: draft.coupon.seq };
    });
  }

  /** At most `limit` claims in the order of their positions. A coupon of another epoch is another coupon. */
  page(after: messages.Cursor, limit: number, now: Instant): messages.PageResult {
    return this.#transact(now, ({ coupon }) => {
      if (after.epoch !== null && after.epoch !== coupon.epoch) return { ...NO_COUPON, seq: coupon.seq };
      // A claim's event stands behind as many events as its position counts, at least.
      const from = { position: after.position, seq: Math.max(after.seq, after.position) };
      const rows = this.#store.page(from, limit + 1);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      const claims = rows.slice(0, limit).map(({ seq: _seq, ...claim }) => claim);
      const next = last === undefined ? null : { position: last.position, seq: last.seq, epoch: coupon.epoch };
      return { ok: true, claims, next, seq: coupon.seq };
    });
  }

  /** The coupon and how its claims ended so far. Writes what is counted in memory alone: a counter that was shown never goes back. */
  metrics(now: Instant): messages.MetricsResult {
    this.#confirm();
    return this.#transact(
      now,
      ({ coupon, at }) => {
        const { claims, ...batches } = this.#outcomes ?? NO_OUTCOMES;
        // Grants are told from the coupon, which forgets none.
        return { ...found(coupon, at), outcomes: { claims: { ...claims, granted: coupon.lastPosition }, ...batches } };
      },
      !this.#areOutcomesWritten,
    );
  }

  /** Counts claims that were refused by a certificate. */
  countAtEdge(refused: CertificateWish["refused"]): void {
    if (!this.#coupon) return;
    if (refused?.out_of_stock !== undefined) this.#countRefused("out_of_stock", refused.out_of_stock);
    if (refused?.sale_ended !== undefined) this.#countRefused("sale_ended", refused.sale_ended);
  }

  /** The certificate that is wished for, as the coupon is at `now`; null where there is none to give. */
  certificate({ known }: CertificateWish, now: Instant): Certificate | null {
    this.#confirm();
    const coupon = this.#load();
    if (coupon === null) return null;
    const certified = certifiable(coupon, Math.max(now, coupon.clockAt));
    const members = certified === null ? null : this.#certifier.membersOf(coupon);
    if (certified === null || members === null) return null;
    const { epoch, seq } = coupon;
    const isKnown = known !== null && known.epoch === epoch && known.seq === seq;
    return { ...certified, epoch, seq, members: isKnown ? null : members };
  }

  /** Does what is due at `now`: gives up holds that are over, and writes counts that are in memory alone. */
  tick(now: Instant): void {
    if (this.#load() !== null) this.#transact(now, () => undefined, !this.#areOutcomesWritten);
  }

  /** When {@link CouponEngine.tick} is wanted next; null while there is nothing to do. `flushAt` is when counts are due. */
  wakeAt(flushAt: Instant): Instant | null {
    const expiryAt = this.#coupon?.nextExpiryAt ?? null;
    if (this.#areOutcomesWritten) return expiryAt;
    return expiryAt === null ? flushAt : Math.min(flushAt, expiryAt);
  }

  /** Whether there is a coupon, even one that can't be read. */
  exists(): boolean {
    return this.#store.exists();
  }

  /** Counts a claim that was turned away before it was judged. */
  countUnavailable(): void {
    if (this.#coupon) this.#countRefused("unavailable", 1);
  }

  /** The ledger's head as last seen, 0 where no coupon was seen. A failure does not change it: what failed wrote nothing. */
  get seq(): number {
    return this.#coupon?.seq ?? this.#seqBeforeReload;
  }

  /** Forgets what memory believes of the coupon; the next call reads storage again. Counts that are not written stay. */
  reload(): void {
    this.#seqBeforeReload = this.seq;
    this.#coupon = undefined;
  }

  /** Forgets everything, because storage was emptied. */
  forget(): void {
    this.#coupon = undefined;
    this.#seqBeforeReload = 0;
    this.#outcomes = null;
    this.#areOutcomesWritten = true;
  }

  /** Runs `work` on a draft of the coupon, in one transaction; memory follows once it is committed. */
  #transact<Result>(now: Instant, work: (draft: Draft) => Result, isFlush = false): Result | NoCoupon {
    const before = this.#load();
    if (before === null) return NO_COUPON;
    const { after, isSaved, result } = this.#store.transaction(() => {
      const draft = new Draft(this.#store, before, now);
      const outcome = work(draft);
      const saved = draft.save(this.#outcomes ?? NO_OUTCOMES, isFlush);
      return { after: saved.coupon, isSaved: saved.isSaved, result: outcome };
    });
    this.#coupon = after;
    if (isSaved) this.#areOutcomesWritten = true;
    return result;
  }

  /** Counts a batch. */
  #count(outcomes: readonly Outcome[]): void {
    this.#outcomes = counted(this.#outcomes ?? NO_OUTCOMES, outcomes);
    this.#areOutcomesWritten = false;
  }

  #countRefused(outcome: Outcome, count: number): void {
    this.#outcomes = countedApart(this.#outcomes ?? NO_OUTCOMES, outcome, count);
    this.#areOutcomesWritten = false;
  }

  /** Asks storage for the head: an instance that the platform has replaced learns so there, and answers nothing stale. */
  #confirm(): void {
    const coupon = this.#load();
    if (coupon !== null) assert(this.#store.head() === coupon.seq, "stored and remembered ledger heads are equal");
  }

  /** The coupon as memory has it; while there is none, storage is asked each time. */
  #load(): Coupon | null {
    if (this.#coupon !== undefined && this.#coupon !== null) return this.#coupon;
    const stored = this.#store.exists() ? this.#store.read() : null;
    this.#coupon = stored?.coupon ?? null;
    this.#outcomes ??= stored?.outcomes ?? null;
    return this.#coupon;
  }
}

function found(coupon: Coupon, now: Instant): messages.Found {
  return { ok: true, coupon: { ...coupon, state: saleState(coupon, now) }, now, seq: coupon.seq };
}
