// A coupon on node:sqlite: how the tests open it, send it messages, and read its tables past the engine.

import { expect } from "vitest";

import type { CertificateRequest } from "../../src/domain/certificate.ts";
import type { Change } from "../../src/domain/change.ts";
import type { ClaimRequest } from "../../src/domain/claim.ts";
import type { NewCoupon } from "../../src/domain/coupon.ts";
import type { HoldRequest } from "../../src/domain/hold.ts";
import { outcomeOf, type AsOf, type ClaimResult, type Cursor } from "../../src/domain/rpc.ts";
import type { RevokeRequest } from "../../src/domain/revoke.ts";
import { CouponEngine, type LeaseState } from "../../src/engine/coupon-engine.ts";
import { isAnswerTo, type AnswerTo, type Deferred, type Kind, type MessageOf } from "../../src/engine/message.ts";
import type { Sql, SqlRow } from "../../src/engine/sql.ts";
import { expectReplayed } from "../support/ledger.ts";
import { newCoupon } from "../support/new-coupon.ts";
import type { Replayed } from "../../verification/verify/replay.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";

export { newCoupon };

/** The instant at which every coupon of these tests is created. */
export const T0 = 1_700_000_000_000;

/** No certificate is in use. */
export const NO_LEASE: LeaseState = { leaseUntil: 0, mayCertify: true };

/** The key that the first erasure of a coupon stores. */
export const ERASURE_KEY = "0f".repeat(32);

/** An engine without a mailbox: every call is a batch of its own, judged at the instant that the test names. */
export class EngineCalls {
  readonly engine: CouponEngine;
  lease = NO_LEASE;

  constructor(sql: Sql) {
    this.engine = new CouponEngine(sql);
  }

  get seq(): number {
    return this.engine.seq;
  }

  reload(): void {
    this.engine.reload();
  }

  create(coupon: NewCoupon, epoch: string, at: number) {
    return this.one({ kind: "create", coupon, epoch }, at);
  }
  read({ claimedBy }: { readonly claimedBy: boolean }, at: number) {
    return this.one({ kind: "read", claimedBy }, at);
  }
  change(change: Change, ifMatch: string | null, at: number) {
    const precondition = ifMatch === null ? null : { ifMatch, ifNoneMatch: null };
    return this.one({ kind: "change", change, precondition }, at);
  }
  hold(request: HoldRequest, at: number) {
    return this.one({ kind: "hold", request }, at);
  }
  releaseHold(userId: string, at: number) {
    return this.one({ kind: "release_hold", userId }, at);
  }
  releaseAllHolds(at: number) {
    return this.one({ kind: "release_all_holds" }, at);
  }
  listHolds(after: string, limit: number, at: number) {
    return this.one({ kind: "list_holds", after, limit }, at);
  }
  getUserClaim(userId: string, at: number) {
    return this.one({ kind: "user_claim", userId }, at);
  }
  revoke(request: RevokeRequest, at: number) {
    return this.one({ kind: "revoke", request }, at);
  }
  listClaims(after: Cursor, limit: number, at: number) {
    return this.one({ kind: "list_claims", after, limit }, at);
  }
  claimants(asOf: AsOf, after: number, limit: number, at: number) {
    return this.one({ kind: "claimants", asOf, after, limit }, at);
  }
  archive(at: number) {
    return this.one({ kind: "archive", precondition: null, actor: "alice" }, at);
  }
  metrics(at: number) {
    return this.one({ kind: "metrics" }, at);
  }
  certify(request: CertificateRequest, at: number) {
    return this.one({ kind: "certify", request }, at);
  }
  expire(at: number) {
    return this.one({ kind: "expire" }, at);
  }
  writeCounts(at: number) {
    return this.one({ kind: "write_counts" }, at);
  }
  erase(userId: string, at: number) {
    return this.one({ kind: "erase", userId, newKey: ERASURE_KEY, actor: "alice" }, at);
  }
  remove(at: number) {
    return this.one({ kind: "remove" }, at);
  }

  /** A bulk claim: one message. */
  claimMany(userIds: readonly string[], attemptId: string, at: number) {
    return this.one({ kind: "claim_many", userIds, attemptId }, at);
  }

  /** A batch of claims: a message each, and one transaction. */
  claimAll(requests: readonly ClaimRequest[], at: number): ClaimResult[] {
    return this.batch(
      requests.map((request) => ({ kind: "claim", request })),
      at,
    );
  }

  /** The answers to a batch of messages of one kind. Throws where one is deferred. */
  batch<K extends Kind>(messages: readonly MessageOf<K>[], at: number): AnswerTo<K>[] {
    const { answers } = this.engine.apply(
      messages.map((message) => ({ message, at })),
      this.lease,
    );
    return messages.map((message, index) => {
      const answer = answers[index];
      if (answer === undefined || !isAnswerTo(message, answer)) throw new Error(`${message.kind} is deferred`);
      return answer;
    });
  }

  /** The answer to one message. Throws where it is deferred. */
  one<K extends Kind>(message: MessageOf<K>, at: number): AnswerTo<K> {
    const [answer] = this.batch([message], at);
    if (answer === undefined) throw new Error(`${message.kind} is not answered`);
    return answer;
  }

  /** The code of the answer to one message: `ok` for a success, `deferred` while the lease runs. */
  codeOf(message: MessageOf<Kind>, at: number): string {
    const [answer] = this.engine.apply([{ message, at }], this.lease).answers;
    return answer === undefined ? "not answered" : answer.ok ? "ok" : (answer satisfies { code: string } | Deferred).code;
  }
}

export type Opened = { readonly engine: EngineCalls; readonly sql: NodeSql };

/** A coupon of `amount` units, created at {@link T0}. */
export function opened(amount: number, more: Partial<NewCoupon> = {}): Opened {
  const sql = nodeSql();
  const engine = new EngineCalls(sql);
  engine.create(newCoupon(amount, more), "epoch-1", T0);
  return { engine, sql };
}

/** A claim of `userId` without a key. Each is an attempt of its own unless `attemptId` is given. */
export function asks(userId: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  attemptCount += 1;
  return { userId, key: null, attemptId: `attempt-${attemptCount}`, ...more };
}
let attemptCount = 0;

/** A hold of `userId` for `ttlMs`, in an attempt of its own. */
export function holdOf(userId: string, ttlMs: number, attemptId = `hold-${userId}`): HoldRequest {
  return { userId, ttlMs, attemptId };
}

/** One claim for each of `count` users. */
export function manyClaims(count: number, prefix = "user"): ClaimRequest[] {
  return Array.from({ length: count }, (_, index) => asks(`${prefix}-${index + 1}`));
}

/** The outcome of each: `granted`, `replayed` or the refusal's code. */
export function outcomes(results: readonly ClaimResult[]): string[] {
  return results.map(outcomeOf);
}

/** How often each outcome occurred. */
export function countOutcomes(results: readonly ClaimResult[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes(results)) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** Every row of every table, `{}` for an empty database. The counts for metrics are left out. */
export function contents(sql: Sql): Record<string, SqlRow[]> {
  const tables = sql.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
  return Object.fromEntries(
    tables.map(({ name }) => [name, sql.all(`SELECT * FROM "${name}" ORDER BY 1, 2`).map(({ outcomes: _counts, ...row }) => row)]),
  );
}

export type StoredClaim = {
  readonly user_id: string;
  readonly position: number;
  readonly claimed_at: number;
  readonly remaining_after: number;
};

/** The claims as stored, in the order of their positions. */
export function storedClaims(sql: Sql) {
  type Row = { readonly user_id: string; readonly position: number; readonly claimed_at: number; readonly remaining_after: number };
  return sql.all<Row>("SELECT user_id, position, claimed_at, remaining_after FROM claims ORDER BY position");
}

/** The coupon as a new engine reads it from storage. */
export function readCold(sql: Sql, now = T0) {
  return new EngineCalls(sql).read({ claimedBy: true }, now);
}

/**
 * Expects that the stored coupon is conserved, and that it has `claimedCount` claims. Returns the coupon that
 * its ledger makes.
 */
export function expectConserved(sql: Sql, claimedCount?: number): Replayed {
  const replayed = expectReplayed((statement) => sql.all(statement));
  expect(replayed.claims.size).toBe(claimedCount ?? replayed.claims.size);
  return replayed;
}
