// No text that is bound to a statement exceeds 2 MB, the limit of Cloudflare's storage (source: Durable Objects, limits).

import { expect, test } from "vitest";

import type { Sql } from "../../src/engine/sql.ts";
import { asks, contents, EngineCalls, newCoupon, T0, countOutcomes } from "./coupon.ts";
import { nodeSql } from "./node-sql.ts";

const TEXT_BYTES_MAX = 2_000_000;

/** A database that refuses longer texts. */
function strict(): Sql {
  const sql = nodeSql();
  return {
    transaction: (work) => sql.transaction(work),
    deleteAll: () => sql.deleteAll(),
    all: (statement, ...bindings) => {
      for (const value of bindings) {
        if (typeof value === "string" && Buffer.byteLength(value) > TEXT_BYTES_MAX) throw new Error("string or blob too big");
      }
      return sql.all(statement, ...bindings);
    },
  };
}

/** Users with the longest ids: 255 code points of four bytes. */
function longest(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index}`.padEnd(7, "-") + "🎟".repeat(248));
}

test("3,000 holds with the longest ids end at one instant, and the next claim is granted", () => {
  const sql = strict();
  const engine = new EngineCalls(sql);
  engine.create(newCoupon(3_000), "epoch-1", T0);
  for (const userId of longest(3_000)) engine.hold({ userId, ttlMs: 1_000, attemptId: "a" }, T0);
  expect(countOutcomes(engine.claimAll([asks("early")], T0 + 999))).toEqual({ out_of_stock: 1 });
  expect(countOutcomes(engine.claimAll([asks("late")], T0 + 1_000))).toEqual({ granted: 1 });
  expect(contents(sql)["ledger"]).toHaveLength(1 + 3_000 + 3_000 + 1);
});

test("the largest bulk claim, with the longest ids and attempt id, is granted", () => {
  const engine = new EngineCalls(strict());
  engine.create(newCoupon(1_000), "epoch-1", T0);
  const requests = longest(1_000).map((userId) => asks(userId, { key: null, attemptId: `bulk ${"\\".repeat(255)}` }));
  expect(countOutcomes(engine.claimAll(requests, T0))).toEqual({ granted: 1_000 });
});
