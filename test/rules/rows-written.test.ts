// What a claim costs: rows written, which are money on Cloudflare, and rows read, which are time.

import { describe, expect, test, vi } from "vitest";

import type { Sql } from "../../src/engine/sql.ts";
import { ClaimStore } from "../../src/engine/claim-store.ts";
import { CouponStore } from "../../src/engine/coupon-store.ts";
import { HoldStore } from "../../src/engine/hold-store.ts";
import { LedgerStore } from "../../src/engine/ledger-store.ts";
import { asks, crowd, EngineCalls, holdOf, newCoupon, opened, outcomes, T0, type Opened } from "./coupon.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";

/** Entries of every index that is a tree of its own, by name; each costs a row when written. */
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

/** Rows that `work` wrote: of tables as SQLite counts them, and entries of indexes that came or went, which it does not count. */
function rowsWritten(sql: NodeSql, work: () => unknown): number {
  const changes = () => sql.all<{ total: number }>("SELECT total_changes() AS total")[0]?.total ?? 0;
  const [changesBefore, entriesBefore] = [changes(), indexEntries(sql)];
  work();
  const entries = Object.entries(indexEntries(sql)).map(([name, count]) => Math.abs(count - (entriesBefore[name] ?? 0)));
  return changes() - changesBefore + entries.reduce((total, count) => total + count, 0);
}

/** Rows that `work` wrote, and transactions that it opened for that. */
function cost(sql: NodeSql, work: () => unknown): [rows: number, transactions: number] {
  const transaction = vi.spyOn(sql, "transaction");
  const rows = rowsWritten(sql, work);
  const count = transaction.mock.calls.length;
  transaction.mockRestore();
  return [rows, count];
}

/** Five units: ann's, bob's with a key, and one that is held until T0 + 60 s. */
function busy(): Opened {
  const coupon = opened(5);
  coupon.engine.claimAll([asks("ann"), asks("bob", { key: "k" })], T0);
  coupon.engine.hold(holdOf("holder", 60_000), T0);
  return coupon;
}

describe("rows written", () => {
  test.for([1, 2, 10, 100, 512])("a batch of %i costs 2 each and 1 for the counters", (size) => {
    const { engine, sql } = opened(1000);
    expect(rowsWritten(sql, () => engine.claimAll(crowd(size), T0))).toBe(2 * size + 1);
  });

  test("a mixed batch costs what its winners cost", () => {
    const { engine, sql } = opened(3);
    const batch = [asks("ann", { key: "k" }), asks("ann"), asks("bob"), asks("bob", { key: "k" }), asks("cid"), ...crowd(50)];
    expect(rowsWritten(sql, () => engine.claimAll(batch, T0))).toBe(3 * 2 + 1 + 1);
  });

  test.for([
    ["sold out", "out_of_stock", { key: "loser" }, "UPDATE coupon SET amount = claimed"],
    ["too late", "sale_ended", { key: "loser" }, `UPDATE coupon SET ends_at = ${T0}`],
    ["too early", "sale_not_started", { key: "loser" }, `UPDATE coupon SET starts_at = ${T0 + 1}`],
    ["paused", "sale_paused", { key: "loser" }, "UPDATE coupon SET paused = 1"],
    ["another user's key", "idempotency_key_reused", { key: "k" }, "UPDATE coupon SET paused = 0"],
  ] as const)("a loser costs nothing: %s", ([, refusal, more, change]) => {
    const { engine, sql } = opened(5);
    engine.claimAll([asks("ann", { key: "k" })], T0);
    sql.database.exec(change);
    engine.reload();
    expect(rowsWritten(sql, () => expect(outcomes(engine.claimAll([asks("bob", more)], T0))).toEqual([refusal]))).toBe(0);
  });

  test.for([
    ["the start", { startsAt: T0 + 10 }, T0 + 10],
    ["the end", { endsAt: T0 + 10 }, T0 + 10],
  ] as const)("the first read after %s costs one row, and the next none", ([, window, now]) => {
    const { engine, sql } = opened(5, window);
    expect(rowsWritten(sql, () => engine.read({ claimedBy: false }, now))).toBe(1);
    expect(rowsWritten(sql, () => engine.read({ claimedBy: false }, now + 1))).toBe(0);
    expect(rowsWritten(sql, () => new EngineCalls(sql).read({ claimedBy: false }, now - 1))).toBe(0);
  });

  test.for<readonly [name: string, act: (engine: EngineCalls) => unknown, rows: number]>([
    ["a claim", (engine) => engine.claimAll([asks("new")], T0), 3],
    ["a claim with a key", (engine) => engine.claimAll([asks("new", { key: "new" })], T0), 4],
    ["a holder's claim", (engine) => engine.claimAll([asks("holder")], T0), 5],
    ["a hold", (engine) => engine.hold(holdOf("new", 1_000), T0), 4],
    ["a released hold", (engine) => engine.releaseHold("holder", T0), 5],
    ["a revoked claim", (engine) => engine.revoke({ userId: "ann", position: null }, T0), 4],
    ["a revoked claim with a key", (engine) => engine.revoke({ userId: "bob", position: null }, T0), 5],
    ["a change", (engine) => engine.change({ amount: 9 }, null, T0), 2],
    ["an expired hold", (engine) => engine.expire(T0 + 60_000), 4],
    ["a bulk claim of two", (engine) => engine.claimMany(["new-1", "new-2"], "bulk", T0), 5],
  ])("%s costs one transaction and these rows", ([, act, rows]) => {
    const { engine, sql } = busy();
    expect(cost(sql, () => act(engine))).toEqual([rows, 1]);
  });

  test.for<readonly [name: string, act: (engine: EngineCalls) => unknown]>([
    ["a read", (engine) => engine.read({ claimedBy: true }, T0)],
    ["a user's own", (engine) => engine.getUserClaim("ann", T0)],
    ["the list of holds", (engine) => engine.listHolds("", 10, T0)],
    ["a page of claims", (engine) => engine.listClaims({ position: 0, seq: 0, epoch: null }, 10, T0)],
    ["metrics", (engine) => engine.metrics(T0)],
    ["a certificate", (engine) => engine.certify({ known: null, refused: {} }, T0)],
    ["an expiry of no hold", (engine) => engine.expire(T0)],
    ["a change to what is", (engine) => engine.change({ amount: 5 }, null, T0)],
    ["a change that is refused", (engine) => engine.change({ amount: 1 }, null, T0)],
    ["the release of no hold", (engine) => engine.releaseHold("other", T0)],
    ["a repeated claim", (engine) => engine.claimAll([asks("ann")], T0)],
    ["a repeated hold", (engine) => engine.hold(holdOf("holder", 60_000), T0)],
    ["a hold that is too long", (engine) => engine.hold(holdOf("new", 86_400_001), T0)],
    ["a revoke of no claim", (engine) => engine.revoke({ userId: "other", position: null }, T0)],
    ["a create of what exists", (engine) => engine.create(newCoupon(1), "epoch-2", T0)],
    ["counts that are written", (engine) => engine.writeCounts(T0)],
  ])("%s costs no row and no transaction", ([, act]) => {
    const { engine, sql } = busy();
    expect(cost(sql, () => act(engine))).toEqual([0, 0]);
  });

  test("the end of no holds costs no row and no transaction", () => {
    const { engine, sql } = opened(1);
    expect(cost(sql, () => engine.releaseAllHolds(T0))).toEqual([0, 0]);
  });

  test("counts of refused claims cost one row once they are written", () => {
    const { engine, sql } = opened(1);
    engine.claimAll(crowd(1), T0);
    expect(cost(sql, () => [engine.claimAll(crowd(50, "late"), T0), engine.claimAll(crowd(7, "later"), T0)])).toEqual([0, 0]);
    engine.engine.countAtEdge({ out_of_stock: 40 });
    expect(cost(sql, () => engine.writeCounts(T0))).toEqual([1, 1]);
    expect(cost(sql, () => engine.writeCounts(T0))).toEqual([0, 0]);
    expect(new EngineCalls(sql).metrics(T0)).toMatchObject({
      outcomes: { claims: { granted: 1, out_of_stock: 97 }, batches: [1, 0, 1, 1, 0, 0, 0], batched: 58 },
    });
  });

  test("a granted claim writes the counts of refused ones along", () => {
    const { engine, sql } = opened(2);
    engine.claimAll([asks("ann")], T0);
    engine.claimAll([asks("ann")], T0);
    expect(engine.engine.hasUnwrittenCounts).toBe(true);
    expect(cost(sql, () => engine.claimAll([asks("bob")], T0))).toEqual([3, 1]);
    expect(engine.engine.hasUnwrittenCounts).toBe(false);
    expect(new EngineCalls(sql).metrics(T0)).toMatchObject({ outcomes: { claims: { granted: 2, already_claimed: 1 }, batched: 3 } });
  });

  test("a coupon that does not exist costs nothing", () => {
    const sql = nodeSql();
    const engine = new EngineCalls(sql);
    expect(rowsWritten(sql, () => engine.claimAll(crowd(100), T0))).toBe(0);
    engine.create(newCoupon(5), "epoch-1", T0);
    expect(rowsWritten(sql, () => engine.create(newCoupon(5), "epoch-2", T0))).toBe(0);
  });
});

type Plan = { readonly statement: string; readonly steps: readonly string[] };

/** How SQLite goes about every statement that `work` runs on an engine over `sql`. */
function plansOf(sql: NodeSql, work: (engine: EngineCalls) => unknown): Plan[] {
  const ran = new Set<string>();
  const recording: Sql = {
    all(statement, ...bindings) {
      ran.add(statement);
      return sql.all(statement, ...bindings);
    },
    transaction: (task) => sql.transaction(task),
    deleteAll: () => sql.deleteAll(),
  };
  work(new EngineCalls(recording));
  return [...ran].map((statement) => ({ statement, steps: planOf(sql, statement) }));
}

function planOf(sql: NodeSql, statement: string): string[] {
  return sql.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`).map(({ detail }) => detail);
}

/** The steps of all plans that touch the table `claims`. */
function stepsOnClaims(plans: readonly Plan[]): string[] {
  return plans.flatMap(({ steps }) => steps.filter((step) => /\bclaims\b/.test(step)));
}

describe("rows read", () => {
  const { engine: seeding, sql } = opened(5);
  seeding.claimAll([asks("ann", { key: "k" }), asks("bob")], T0);
  const named = [CouponStore, ClaimStore, HoldStore, LedgerStore]
    .flatMap((store) => Object.entries(store as object))
    .flatMap(([name, text]) => (typeof text === "string" && /^\s*(SELECT|WITH|UPDATE|DELETE)\b/i.test(text) ? [{ name, text }] : []));

  test("every statement that looks for rows is looked at", () => {
    expect(named.map(({ name }) => name)).toEqual(expect.arrayContaining(["SELECT_COUPON", "SELECT_CLAIM", "SELECT_KEY_OWNER"]));
  });

  test.for(named)("$name never goes through all claims, and never sorts", ({ text }) => {
    const steps = planOf(sql, text);
    expect(steps.filter((step) => /^SCAN claims\b/.test(step))).toEqual([]);
    expect(steps.filter((step) => step.includes("TEMP B-TREE"))).toEqual([]);
  });

  test("a claim finds its user by primary key and its key by index", () => {
    const plans = plansOf(sql, (engine) => engine.claimAll([asks("ann", { key: "k" })], T0));
    expect(new Set(stepsOnClaims(plans))).toEqual(
      new Set(["SEARCH claims USING PRIMARY KEY (user_id=?)", "SEARCH claims USING COVERING INDEX claims_by_key (idempotency_key=?)"]),
    );
  });

  test("claimants come in the ledger's order, found by primary key, unsorted", () => {
    const plans = plansOf(sql, (engine) => engine.read({ claimedBy: true }, T0));
    expect(new Set(stepsOnClaims(plans))).toEqual(new Set(["SEARCH claims USING PRIMARY KEY (user_id=?)"]));
    expect(plans.flatMap(({ steps }) => steps).filter((step) => step.includes("TEMP B-TREE"))).toEqual([]);
  });

  test("a look at a coupon does not touch its claims", () => {
    expect(stepsOnClaims(plansOf(sql, (engine) => engine.read({ claimedBy: false }, T0)))).toEqual([]);
  });
});
