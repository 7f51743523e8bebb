// The same app, rules, engine and tables, with one bug: a claim is answered from memory, and written a little
// later.

import { DurableObject } from "cloudflare:workers";

import { sqlOver } from "../../src/object/sql-storage.ts";
import { judgeClaim, userClaimOf, type Claim, type ClaimRequest } from "../../src/domain/claim.ts";
import type { Coupon, Instant, NewCoupon } from "../../src/domain/coupon.ts";
import type { ClaimResult, CreateResult, Cursor, ReadResult } from "../../src/domain/rpc.ts";
import { CouponEngine, type LeaseState } from "../../src/engine/coupon-engine.ts";
import { isAnswerTo, type AnswerTo, type Kind, type MessageOf } from "../../src/engine/message.ts";
import { createApp } from "../../src/http/app.ts";

export * from "../../src/objects.ts";

/** The shortest time of a timer. A longer delay loses more. */
const WRITE_BEHIND_MS = 1;
const PAGE_SIZE = 1000;

/** This object issues no certificates. */
const NO_LEASE: LeaseState = { leaseUntil: 0, mayCertify: false };

/** The coupon in memory, with claims that are not written yet. */
type Memory = { coupon: Coupon; readonly claims: Map<string, readonly Claim[]>; readonly keyOwners: Map<string, string> };

export class CouponObject extends DurableObject {
  readonly #engine = new CouponEngine(sqlOver(this.ctx.storage));
  #memory: Memory | null = null;
  #unwritten: { readonly request: ClaimRequest; readonly at: Instant }[] = [];

  async create(coupon: NewCoupon): Promise<CreateResult> {
    return this.#ask({ kind: "create", coupon, epoch: crypto.randomUUID() });
  }

  async read({ claimedBy }: { readonly claimedBy: boolean }): Promise<ReadResult> {
    return this.#ask({ kind: "read", claimedBy });
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    this.#memory ??= this.#load();
    if (this.#memory === null) return { ok: false, code: "coupon_not_found", seq: 0 };
    const { coupon, claims, keyOwners } = this.#memory;
    const at = Math.max(Date.now(), coupon.clockAt);
    const existing = userClaimOf(claims.get(request.userId) ?? []);
    const keyOwner = request.key === null ? null : (keyOwners.get(request.key) ?? null);
    const verdict = judgeClaim(request, { coupon, existing, keyOwner }, at);
    if (verdict.ok && !verdict.replayed) this.#grant(this.#memory, request, verdict.claim);
    return { ...verdict, seq: this.#memory.coupon.seq };
  }

  #grant(memory: Memory, request: ClaimRequest, claim: Claim): void {
    const { coupon } = memory;
    const { claimedAt: at } = claim;
    remember(claim, memory);
    memory.coupon = { ...coupon, claimed: coupon.claimed + 1, lastPosition: claim.position, seq: coupon.seq + 1, clockAt: at };
    // This is the bug: no write has started for which the answer could wait.
    if (this.#unwritten.length === 0) setTimeout(() => this.#write(), WRITE_BEHIND_MS);
    this.#unwritten.push({ request, at });
  }

  #write(): void {
    const unwritten = this.#unwritten.splice(0);
    this.#engine.apply(
      unwritten.map(({ request, at }) => ({ message: { kind: "claim", request }, at })),
      NO_LEASE,
    );
  }

  #ask<K extends Kind>(message: MessageOf<K>): AnswerTo<K> {
    const [answer] = this.#engine.apply([{ message, at: Date.now() }], NO_LEASE).answers;
    if (answer === undefined || !isAnswerTo(message, answer)) throw new Error("nothing waits without a lease");
    return answer;
  }

  #load(): Memory | null {
    const found = this.#ask({ kind: "read", claimedBy: false });
    if (!found.ok) return null;
    const memory: Memory = { coupon: found.coupon, claims: new Map(), keyOwners: new Map() };
    let next: Cursor | null = { position: 0, seq: 0, epoch: null };
    while (next !== null) {
      const page: AnswerTo<"list_claims"> = this.#ask({ kind: "list_claims", after: next, limit: PAGE_SIZE });
      if (!page.ok) return null;
      for (const claim of page.claims) remember(claim, memory);
      next = page.next;
    }
    return memory;
  }
}

function remember(claim: Claim, { claims, keyOwners }: Memory): void {
  claims.set(claim.userId, [...(claims.get(claim.userId) ?? []), claim]);
  if (claim.key !== null) keyOwners.set(claim.key, claim.userId);
}

export default createApp();
