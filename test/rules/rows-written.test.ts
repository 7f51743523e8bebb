// What a message costs: rows written, which Cloudflare bills, and rows read, which take time.

import { expect, test, vi } from "vitest";

import { ClaimStore } from "../../src/engine/claim-store.ts";
import { CouponStore } from "../../src/engine/coupon-store.ts";
import { HoldStore } from "../../src/engine/hold-store.ts";
import { LedgerStore } from "../../src/engine/ledger-store.ts";
import { asks, manyClaims, EngineCalls, holdOf, newCoupon, opened, T0, type Opened } from "./coupon.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";

/** Entries of every separate index, by name. Each costs a row when written. */
function indexEntries(sql: NodeSql): Record<string, number> {
  const indexes = sql.all<{ tbl: string; name: string; definition: string | null; isTable: number }>(`
    SELECT t.name AS tbl, i.name, s.sql AS definition, (i.origin = 'pk' AND t.wr) AS isTable
    FROM pragma_table_list t, pragma_index_list(t.name) i LEFT JOIN sqlite_master s ON s.name = i.name
    WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'`);
  return Object.fromEntries(
    indexes
      .filter(({ isTable }) => isTable === 0)
      .map(({ tbl, name, definition }) => {
        const condition = definition?.split(/\bWHERE\b/i)[1] ?? "TRUE";
        return [name, sql.all<{ entries: number }>(`SELECT count(*) AS entries FROM ${tbl} WHERE ${condition}`)[0]?.entries ?? 0];
      }),
  );
}

/** Rows that `work` writes. SQLite counts those of tables, and the entries of indexes are counted here. */
function rowsWritten(sql: NodeSql, work: () => unknown): number {
  const changes = () => sql.all<{ total: number }>("SELECT total_changes() AS total")[0]?.total ?? 0;
  const [changesBefore, entriesBefore] = [changes(), indexEntries(sql)];
  work();
  const entries = Object.entries(indexEntries(sql)).map(([name, count]) => Math.abs(count - (entriesBefore[name] ?? 0)));
  return changes() - changesBefore + entries.reduce((total, count) => total + count, 0);
}

/** Rows that `work` writes, and transactions that it opens. */
function cost(sql: NodeSql, work: () => unknown): [rows: number, transactions: number] {
  const transaction = vi.spyOn(sql, "transaction");
  const rows = rowsWritten(sql, work);
  const count = transaction.mock.calls.length;
  transaction.mockRestore();
  return [rows, count];
}

/** Five units: ann's, bob's with a key, and one held until T0 + 60 s. */
function busy(): Opened {
  const coupon = opened(5);
  coupon.engine.claimAll([asks("ann"), asks("bob", { key: "k" })], T0);
  coupon.engine.hold(holdOf("holder", 60_000), T0);
  return coupon;
}

type Act = (engine: EngineCalls) => unknown;

test.for([1, 2, 10, 100, 1000])("a batch of %i claims writes 2 rows each and 1 for the counters", (size) => {
  const { engine, sql } = opened(1000);
  expect(rowsWritten(sql, () => engine.claimAll(manyClaims(size), T0))).toBe(2 * size + 1);
});

test("a batch of winners and losers writes rows for its winners alone", () => {
  const { engine, sql } = opened(3);
  const batch = [asks("ann", { key: "k" }), asks("ann"), asks("bob"), asks("bob", { key: "k" }), asks("cid"), ...manyClaims(50)];
  expect(rowsWritten(sql, () => engine.claimAll(batch, T0))).toBe(3 * 2 + 1 + 1);
});

test.for([
  ["start", { startsAt: T0 + 10 }],
  ["end", { endsAt: T0 + 10 }],
] as const)("the first read after the %s of the sale writes one row, and the next none", ([, window]) => {
  const { engine, sql } = opened(5, window);
  expect(rowsWritten(sql, () => engine.read({ claimedBy: false }, T0 + 10))).toBe(1);
  expect(rowsWritten(sql, () => engine.read({ claimedBy: false }, T0 + 11))).toBe(0);
  expect(rowsWritten(sql, () => new EngineCalls(sql).read({ claimedBy: false }, T0 + 9))).toBe(0);
});

test.for<readonly [name: string, rows: number, act: Act]>([
  ["a claim", 3, (engine) => engine.claimAll([asks("new")], T0)],
  ["a claim with a key", 4, (engine) => engine.claimAll([asks("new", { key: "new" })], T0)],
  ["a holder's claim", 5, (engine) => engine.claimAll([asks("holder")], T0)],
  ["a hold", 4, (engine) => engine.hold(holdOf("new", 1_000), T0)],
  ["a released hold", 5, (engine) => engine.releaseHold("holder", T0)],
  ["a revoked claim", 4, (engine) => engine.revoke({ userId: "ann", position: null }, T0)],
  ["a revoked claim with a key", 5, (engine) => engine.revoke({ userId: "bob", position: null }, T0)],
  ["an archive, which ends a hold", 4, (engine) => engine.archive(T0)],
  ["a change", 2, (engine) => engine.change({ amount: 9 }, null, T0)],
  ["an expired hold", 4, (engine) => engine.expire(T0 + 60_000)],
  ["a bulk claim of two users", 5, (engine) => engine.claimMany(["new-1", "new-2"], "bulk", T0)],
])("%s writes %i rows in one transaction", ([, rows, act]) => {
  const { engine, sql } = busy();
  expect(cost(sql, () => act(engine))).toEqual([rows, 1]);
});

const LOSER = asks("new", { key: "new" });

test.for<readonly [name: string, act: Act, before?: Act]>([
  ["a claim that gets out_of_stock", (engine) => engine.claimAll([LOSER], T0), (engine) => engine.change({ amount: 3 }, null, T0)],
  ["a claim that gets sale_ended", (engine) => engine.claimAll([LOSER], T0), (engine) => engine.change({ endsAt: T0 }, null, T0)],
  [
    "a claim that gets sale_not_started",
    (engine) => engine.claimAll([LOSER], T0),
    (engine) => engine.change({ startsAt: T0 + 1 }, null, T0),
  ],
  ["a claim that gets sale_paused", (engine) => engine.claimAll([LOSER], T0), (engine) => engine.change({ paused: true }, null, T0)],
  ["a claim that gets idempotency_key_reused", (engine) => engine.claimAll([asks("new", { key: "k" })], T0)],
  ["a read", (engine) => engine.read({ claimedBy: true }, T0)],
  ["a read of a user's claim", (engine) => engine.getUserClaim("ann", T0)],
  ["the list of holds", (engine) => engine.listHolds("", 10, T0)],
  ["a page of claimants", (engine) => engine.claimants({ epoch: "epoch-1", seq: 9 }, 0, 10, T0)],
  ["a page of claims", (engine) => engine.listClaims({ position: 0, seq: 0, epoch: null }, 10, T0)],
  ["a read of metrics", (engine) => engine.metrics(T0)],
  ["a certificate", (engine) => engine.certify({ known: null, refused: {} }, T0)],
  ["an alarm before a hold expires", (engine) => engine.expire(T0)],
  ["a change to the present settings", (engine) => engine.change({ amount: 5 }, null, T0)],
  ["a repeated archive", (engine) => engine.archive(T0 + 1), (engine) => engine.archive(T0)],
  ["a refused change", (engine) => engine.change({ amount: 1 }, null, T0)],
  ["the release of no hold", (engine) => engine.releaseHold("other", T0)],
  ["a repeated claim", (engine) => engine.claimAll([asks("ann")], T0)],
  ["an empty batch", (engine) => engine.claimAll([], T0)],
  ["a repeated hold", (engine) => engine.hold(holdOf("holder", 60_000), T0)],
  ["a hold that is too long", (engine) => engine.hold(holdOf("new", 86_400_001), T0)],
  ["a revoke of no claim", (engine) => engine.revoke({ userId: "other", position: null }, T0)],
  ["a create of an existing coupon", (engine) => engine.create(newCoupon(1), "epoch-2", T0)],
  ["a write of counts that are stored", (engine) => engine.writeCounts(T0)],
])("%s writes no row and opens no transaction", ([, act, before]) => {
  const { engine, sql } = busy();
  before?.(engine);
  expect(cost(sql, () => act(engine))).toEqual([0, 0]);
});

test("without a coupon or a hold, claims and the release of all holds write no row", () => {
  const sql = nodeSql();
  expect(cost(sql, () => new EngineCalls(sql).claimAll(manyClaims(100), T0))).toEqual([0, 0]);
  const coupon = opened(1);
  expect(cost(coupon.sql, () => coupon.engine.releaseAllHolds(T0))).toEqual([0, 0]);
});

test("counts of refused claims write one row when they are flushed", () => {
  const { engine, sql } = opened(1);
  engine.claimAll(manyClaims(1), T0);
  expect(cost(sql, () => [engine.claimAll(manyClaims(50, "late"), T0), engine.claimAll(manyClaims(7, "later"), T0)])).toEqual([0, 0]);
  engine.engine.countRefused({ out_of_stock: 40 });
  expect(cost(sql, () => engine.writeCounts(T0))).toEqual([1, 1]);
  expect(cost(sql, () => engine.writeCounts(T0))).toEqual([0, 0]);
  expect(new EngineCalls(sql).metrics(T0)).toMatchObject({
    outcomes: { claims: { granted: 1, out_of_stock: 97 }, batches: [1, 0, 1, 1, 0, 0, 0], batched: 58 },
  });
});

test("a granted claim writes the counts of refused claims along", () => {
  const { engine, sql } = opened(2);
  engine.claimAll([asks("ann")], T0);
  engine.claimAll([asks("ann")], T0);
  expect(engine.engine.hasUnwrittenCounts).toBe(true);
  expect(cost(sql, () => engine.claimAll([asks("bob")], T0))).toEqual([3, 1]);
  expect(engine.engine.hasUnwrittenCounts).toBe(false);
  expect(new EngineCalls(sql).metrics(T0)).toMatchObject({ outcomes: { claims: { granted: 2, already_claimed: 1 }, batched: 3 } });
});

function planOf(sql: NodeSql, statement: string): string[] {
  return sql.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`).map(({ detail }) => detail);
}

/** The plan steps of every statement that `work` runs on a cold engine. */
function stepsOf(work: (engine: EngineCalls) => unknown): string[] {
  const { sql } = SEEDED;
  const all = vi.spyOn(sql, "all");
  work(new EngineCalls(sql));
  const statements = new Set(all.mock.calls.map(([statement]) => statement));
  all.mockRestore();
  return [...statements].flatMap((statement) => planOf(sql, statement));
}

function stepsOnClaims(work: (engine: EngineCalls) => unknown): string[] {
  return stepsOf(work).filter((step) => /\bclaims\b/.test(step));
}

const SEEDED = opened(5);
SEEDED.engine.claimAll([asks("ann", { key: "k" }), asks("bob")], T0);
const STATEMENTS = [CouponStore, ClaimStore, HoldStore, LedgerStore]
  .flatMap((store) => Object.entries(store as object))
  .flatMap(([name, text]) => (typeof text === "string" && /^\s*(SELECT|WITH|UPDATE|DELETE)\b/i.test(text) ? [{ name, text }] : []));

test("the examined statements include those that every claim runs", () => {
  expect(STATEMENTS.map(({ name }) => name)).toEqual(expect.arrayContaining(["SELECT_COUPON", "SELECT_CLAIM", "SELECT_KEY_OWNER"]));
});

test.for(STATEMENTS)("the statement $name scans no claims and sorts nothing", ({ text }) => {
  expect(planOf(SEEDED.sql, text).filter((step) => /^SCAN claims\b|TEMP B-TREE/.test(step))).toEqual([]);
});

test("a claim finds its user by primary key and its key by index", () => {
  const steps = stepsOnClaims((engine) => engine.claimAll([asks("ann", { key: "k" })], T0));
  const searches = ["SEARCH claims USING PRIMARY KEY (user_id=?)", "SEARCH claims USING COVERING INDEX claims_by_key (idempotency_key=?)"];
  expect(new Set(steps)).toEqual(new Set(searches));
});

test("a read with claimants finds them by primary key in the ledger's order, unsorted", () => {
  const steps = stepsOf((engine) => engine.read({ claimedBy: true }, T0));
  expect(new Set(steps.filter((step) => /\bclaims\b/.test(step)))).toEqual(new Set(["SEARCH claims USING PRIMARY KEY (user_id=?)"]));
  expect(steps.filter((step) => step.includes("TEMP B-TREE"))).toEqual([]);
});

test("a read without claimants reads no claim", () => {
  expect(stepsOnClaims((engine) => engine.read({ claimedBy: false }, T0))).toEqual([]);
});
