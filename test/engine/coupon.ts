// A coupon on node:sqlite: how the tests open it, ask it, and look at its tables past the engine.

import { expect } from "vitest";

import type { ClaimRequest } from "../../src/domain/claim.ts";
import type { NewCoupon } from "../../src/domain/coupon.ts";
import type { ClaimResult } from "../../src/domain/messages.ts";
import { CouponEngine } from "../../src/engine/coupon-engine.ts";
import type { Sql, SqlRow } from "../../src/engine/sql.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";

/** When every coupon of these tests is created, and when nothing else is said also the instant of what follows. */
export const T0 = 1_700_000_000_000;

export type Opened = { readonly engine: CouponEngine; readonly sql: NodeSql };

export function newCoupon(amount: number, more: Partial<NewCoupon> = {}): NewCoupon {
  return { name: "PROMO", amount, startsAt: null, endsAt: null, ...more };
}

/** A coupon of `amount` units, created at {@link T0}. */
export function opened(amount: number, more: Partial<NewCoupon> = {}): Opened {
  const sql = nodeSql();
  const engine = new CouponEngine(sql);
  engine.create(newCoupon(amount, more), "epoch-1", T0);
  return { engine, sql };
}

/** A claim of `userId` without a key. Two of the same user are two attempts unless `attemptId` says otherwise. */
export function asks(userId: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  attemptCount += 1;
  return { userId, key: null, attemptId: `attempt-${attemptCount}`, ...more };
}
let attemptCount = 0;

/** `count` claims of as many users. */
export function crowd(count: number, prefix = "user"): ClaimRequest[] {
  return Array.from({ length: count }, (_, index) => asks(`${prefix}-${index + 1}`));
}

/** What each was told, in one word: `granted`, `replayed` or the refusal's code. */
export function outcomes(results: readonly ClaimResult[]): string[] {
  return results.map((result) => (result.ok ? (result.replayed ? "replayed" : "granted") : result.code));
}

/** How often each outcome occurred. */
export function tally(results: readonly ClaimResult[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes(results)) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** Every row of every table; `{}` where nothing was ever stored. Without the counts for metrics, which nothing depends on. */
export function contents(sql: Sql): Record<string, SqlRow[]> {
  const tables = sql.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
  return Object.fromEntries(
    tables.map(({ name }) => [name, sql.all(`SELECT * FROM ${name} ORDER BY 1, 2`).map(({ outcomes: _counts, ...row }) => row)]),
  );
}

export type StoredClaim = {
  readonly user_id: string;
  readonly position: number;
  readonly claimed_at: number;
  readonly remaining_after: number;
};

/** The claims as stored, in the order of their positions. */
export function storedClaims(sql: Sql): StoredClaim[] {
  return sql.all<StoredClaim>("SELECT user_id, position, claimed_at, remaining_after FROM claims ORDER BY position");
}

/** The coupon as an engine knows it that has never seen it before: what is stored. */
export function readCold(sql: Sql, now = T0) {
  return new CouponEngine(sql).read({ claimedBy: true }, now);
}

/** Expects the stored coupon to add up: counters, claims and ledger tell the same story, without a gap. */
export function expectConserved(sql: Sql, claimedCount: number): void {
  const claims = storedClaims(sql);
  const positions = Array.from({ length: claimedCount }, (_, index) => index + 1);
  expect(claims.map(({ position }) => position)).toEqual(positions);
  expect(sql.all("SELECT claimed, claimed <= amount AS fits FROM coupon")).toEqual([{ claimed: claimedCount, fits: 1 }]);

  const ledger = sql.all("SELECT seq, kind, user_id, position FROM ledger ORDER BY seq");
  expect(ledger.map(({ seq }) => seq)).toEqual(ledger.map((_, index) => index + 1));
  expect(sql.all("SELECT seq FROM coupon")).toEqual([{ seq: ledger.length }]);
  const granted = ledger.filter(({ kind }) => kind === "claimed");
  expect(granted.map(({ user_id }) => user_id)).toEqual(claims.map(({ user_id }) => user_id));
  expect(granted.map(({ position }) => position)).toEqual(positions);
}
