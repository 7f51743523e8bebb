// What a claim costs: rows written, which are money on Cloudflare, and rows read, which are time.

import { describe, expect, test } from "vitest";

import type { Sql } from "../../src/engine/sql.ts";
import * as statements from "../../src/engine/statements.ts";
import { asks, crowd, EngineCalls, newCoupon, opened, outcomes, T0 } from "./coupon.ts";
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

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Rows that `work` wrote: of tables as SQLite counts them, and new entries of indexes, which it does not count. */
function rowsWritten(sql: NodeSql, work: () => unknown): number {
  const changes = () => sql.all<{ total: number }>("SELECT total_changes() AS total")[0]?.total ?? 0;
  const [changesBefore, entriesBefore] = [changes(), sum(indexEntries(sql))];
  work();
  return changes() - changesBefore + sum(indexEntries(sql)) - entriesBefore;
}

describe("rows written", () => {
  test("a claim alone costs its row, its event, and the counters: 3", () => {
    const { engine, sql } = opened(5);
    expect(rowsWritten(sql, () => engine.claimAll([asks("ann")], T0))).toBe(3);
  });

  test("a claim with an idempotency key costs one more: 4", () => {
    const { engine, sql } = opened(5);
    expect(rowsWritten(sql, () => engine.claimAll([asks("ann", { key: "k" })], T0))).toBe(4);
  });

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
    ["somebody else's key", "idempotency_key_reused", { key: "k" }, "UPDATE coupon SET paused = 0"],
  ] as const)("a loser costs nothing: %s", ([, refusal, more, change]) => {
    const { engine, sql } = opened(5);
    engine.claimAll([asks("ann", { key: "k" })], T0);
    sql.database.exec(change);
    engine.reload();
    expect(rowsWritten(sql, () => expect(outcomes(engine.claimAll([asks("bob", more)], T0))).toEqual([refusal]))).toBe(0);
  });

  test.for([
    ["it has started", { startsAt: T0 + 10 }, T0 + 10],
    ["it has ended", { endsAt: T0 + 10 }, T0 + 10],
  ] as const)("the first to learn that %s costs the one row that keeps it true, and the next nothing", ([, window, now]) => {
    const { engine, sql } = opened(5, window);
    expect(rowsWritten(sql, () => engine.read({ claimedBy: false }, now))).toBe(1);
    expect(rowsWritten(sql, () => engine.read({ claimedBy: false }, now + 1))).toBe(0);
    expect(rowsWritten(sql, () => new EngineCalls(sql).read({ claimedBy: false }, now - 1))).toBe(0);
  });

  test("a hold costs its row, its place in the order of expiry, its event, and the counters: 4; asked again, nothing", () => {
    const { engine, sql } = opened(5);
    const request = { userId: "ann", ttlMs: 1000, attemptId: "hold" };
    expect(rowsWritten(sql, () => engine.hold(request, T0))).toBe(4);
    expect(rowsWritten(sql, () => engine.hold(request, T0 + 1))).toBe(0);
  });

  test("a winner who asks again costs nothing", () => {
    const { engine, sql } = opened(5);
    engine.claimAll([asks("ann", { key: "k" })], T0);
    const again = [asks("ann"), asks("ann", { key: "k" }), asks("ann", { key: "other" })];
    expect(rowsWritten(sql, () => engine.claimAll(again, T0))).toBe(0);
  });

  test("a look costs nothing, warm or cold", () => {
    const { engine, sql } = opened(5);
    engine.claimAll(crowd(3), T0);
    expect(rowsWritten(sql, () => engine.read({ claimedBy: true }, T0))).toBe(0);
    expect(rowsWritten(sql, () => new EngineCalls(sql).read({ claimedBy: true }, T0))).toBe(0);
  });

  test("a coupon that does not exist costs nothing, and one that does is not paid for twice", () => {
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
  const named = Object.entries(statements).flatMap(([name, text]) =>
    typeof text === "string" && /^\s*(SELECT|WITH|UPDATE|DELETE)\b/i.test(text) ? [{ name, text }] : [],
  );

  test("every statement that looks for rows is looked at", () => {
    expect(named.map(({ name }) => name)).toEqual(expect.arrayContaining(["SELECT_COUPON", "SELECT_CLAIM", "SELECT_KEY_OWNER"]));
  });

  test.for(named)("$name never goes through all claims, and never sorts", ({ text }) => {
    const steps = planOf(sql, text);
    expect(steps.filter((step) => /^SCAN claims\b/.test(step))).toEqual([]);
    expect(steps.filter((step) => step.includes("TEMP B-TREE"))).toEqual([]);
  });

  test("a claim finds the user by the primary key and the idempotency key in its index, whatever was claimed before", () => {
    const plans = plansOf(sql, (engine) => engine.claimAll([asks("ann", { key: "k" })], T0));
    expect(new Set(stepsOnClaims(plans))).toEqual(
      new Set(["SEARCH claims USING PRIMARY KEY (user_id=?)", "SEARCH claims USING COVERING INDEX claims_by_key (idempotency_key=?)"]),
    );
  });

  test("claimants come in the ledger's own order, each claim found by its primary key, nothing sorted", () => {
    const plans = plansOf(sql, (engine) => engine.read({ claimedBy: true }, T0));
    expect(new Set(stepsOnClaims(plans))).toEqual(new Set(["SEARCH claims USING PRIMARY KEY (user_id=?)"]));
    expect(plans.flatMap(({ steps }) => steps).filter((step) => step.includes("TEMP B-TREE"))).toEqual([]);
  });

  test("a look at a coupon does not touch its claims", () => {
    expect(stepsOnClaims(plansOf(sql, (engine) => engine.read({ claimedBy: false }, T0)))).toEqual([]);
  });
});
