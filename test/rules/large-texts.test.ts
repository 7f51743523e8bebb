// No text that a statement binds or makes exceeds 2 MB, the limit of Cloudflare's storage (Durable Objects, limits).

import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { expect, onTestFinished, test } from "vitest";

import { removeScratch, scratchFolder } from "../../scripts/server/workerd.ts";
import { dataOf } from "../../src/domain/ledger-event.ts";
import { CLAIMANTS_AT_ONCE_MAX } from "../../src/domain/limits.ts";
import type { Sql, SqlRow, SqlValue } from "../../src/engine/sql.ts";
import type { ClaimantPage } from "../../src/domain/rpc.ts";
import { asks, contents, EngineCalls, newCoupon, T0, countOutcomes } from "./coupon.ts";
import { nodeSql } from "./node-sql.ts";

const TEXT_BYTES_MAX = 2_000_000;

/** A database that refuses longer texts. */
function strict(): Sql {
  const sql = nodeSql();
  return {
    transaction: (work) => sql.transaction(work),
    deleteAll: () => sql.deleteAll(),
    all<Row extends SqlRow>(statement: string, ...bindings: readonly SqlValue[]) {
      const rows = sql.all<Row>(statement, ...bindings);
      for (const value of [bindings, ...rows.map(Object.values<SqlValue>)].flat()) {
        if (typeof value === "string" && Buffer.byteLength(value) > TEXT_BYTES_MAX) throw new Error("string or blob too big");
      }
      return rows;
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

test("a batch of 1000 changes to the longest texts is stored, and delivered in pages of 50", () => {
  const engine = new EngineCalls(strict());
  engine.create(newCoupon(1), "epoch-1", T0);
  const texts = { title: '"'.repeat(255), imageUrl: `/${'"'.repeat(1023)}` };
  const descriptions = longest(1000).map((user) => `${user}${"🎟".repeat(1745)}`);
  const messages = descriptions.map((description) => {
    return { kind: "change", change: Object.assign({ description }, texts), precondition: null } as const;
  });
  expect(engine.batch(messages, T0).every(({ ok }) => ok)).toBe(true);

  const delivered: unknown[] = [];
  for (let hasMore = true; hasMore;) {
    const result = engine.one({ kind: "outbox", after: { epoch: "epoch-1", seq: 1 + delivered.length }, limit: 500 }, T0);
    if (!result.ok || result.page === null) throw new Error("there is a page");
    const { events } = result.page;
    expect(Buffer.byteLength(JSON.stringify(events.map(dataOf)))).toBeLessThan(TEXT_BYTES_MAX / 2);
    expect(result.page.leftCount).toBe(1000 - delivered.length - events.length);
    delivered.push(...events.map(({ settings }) => settings?.description));
    ({ hasMore } = result.page);
  }
  expect(delivered).toEqual(descriptions);
});

test("the largest bulk claim, with the longest ids and attempt id, is granted", () => {
  const engine = new EngineCalls(strict());
  engine.create(newCoupon(1_000), "epoch-1", T0);
  const requests = longest(1_000).map((userId) => asks(userId, { key: null, attemptId: `bulk ${"\\".repeat(255)}` }));
  expect(countOutcomes(engine.claimAll(requests, T0))).toEqual({ granted: 1_000 });
});

test("a page of claimants with the longest ids is one text", () => {
  const engine = new EngineCalls(strict());
  engine.create(newCoupon(CLAIMANTS_AT_ONCE_MAX), "epoch-1", T0);
  const users = longest(CLAIMANTS_AT_ONCE_MAX);
  engine.claimAll(
    users.map((userId) => asks(userId)),
    T0,
  );
  const asOf = { epoch: "epoch-1", seq: engine.seq, at: T0 };
  const page = engine.claimants(asOf, 0, CLAIMANTS_AT_ONCE_MAX, T0) as ClaimantPage;
  expect(JSON.parse(`[${page.json.slice(1)}]`)).toEqual(users);
});

test("a claim of a sale with the longest texts writes no more pages", async () => {
  const folder = await scratchFolder("texts");
  onTestFinished(() => removeScratch(folder));
  const written = [null, "🎟".repeat(2_000)].map((description, index) => {
    const path = join(folder, `${index}.sqlite`);
    const database = new DatabaseSync(path);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0");
    const engine = new EngineCalls(nodeSql(database));
    engine.create(newCoupon(500, { description }), "epoch-1", T0);
    const before = statSync(`${path}-wal`).size;
    for (let count = 100; count < 500; count += 1) engine.claimAll([asks(`user-${count}`, { attemptId: `a${count}` })], T0);
    return statSync(`${path}-wal`).size - before;
  });
  // Now and then a counter gets a digit more, and the row with its texts moves.
  expect((written[1] ?? NaN) / (written[0] ?? NaN)).toBeLessThan(1.03);
});
