// Tables of an older version become those of this one when they are loaded, all or nothing; those of a newer one are left alone.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { NewerSchema } from "../../src/engine/coupon-store.ts";
import { asks, contents, EngineCalls, holdOf, newCoupon, opened, outcomes, T0 } from "./coupon.ts";
import { faultySql, INJECTED, pointsOf } from "./faulty-sql.ts";
import { expectReplayed } from "./holds-ledger.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";
import { objectInNode } from "./object-in-node.ts";
import { putVersion1 } from "./version-1.ts";

function version1(): NodeSql {
  const sql = nodeSql();
  putVersion1(sql.database);
  return sql;
}

/** The columns of every table, but for their order. */
function columnsOf(sql: NodeSql): string[] {
  const columns = `SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || c.pk AS text
                   FROM pragma_table_list t, pragma_table_info(t.name) c WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'`;
  return sql
    .all<{ text: string }>(columns)
    .map(({ text }) => text)
    .toSorted();
}

function versionOf(sql: NodeSql): number | undefined {
  return sql.all<{ version: number }>("SELECT schema_version AS version FROM coupon")[0]?.version;
}

describe("a coupon of version 1", () => {
  test("is read with the limits for holds that it was made under", () => {
    const sql = version1();
    expect(new EngineCalls(sql).read({ claimedBy: true }, T0)).toMatchObject({
      ok: true,
      seq: 8,
      coupon: { amount: 6, claimed: 1, held: 1, holdSecondsMax: 86_400, holdsMax: null, lastPosition: 2, claimedBy: ["ann"] },
    });
    expect(versionOf(sql)).toBe(2);
  });

  test("gets the tables that a new coupon has", () => {
    const sql = version1();
    new EngineCalls(sql).read({ claimedBy: false }, T0);
    expect(columnsOf(sql)).toEqual(columnsOf(opened(1).sql));
  });

  test("keeps every row that it had", () => {
    const sql = version1();
    const before = contents(sql);
    new EngineCalls(sql).read({ claimedBy: false }, T0);
    const { coupon, released_holds: releasedHolds, ...rows } = contents(sql);
    const { coupon: couponBefore, ...rowsBefore } = before;
    expect(rows).toEqual(rowsBefore);
    expect(releasedHolds).toEqual([]);
    expect(coupon).toEqual([{ ...couponBefore?.[0], schema_version: 2, hold_seconds_max: 86_400, holds_max: null }]);
    expect(sql.all<{ outcomes: string }>("SELECT outcomes FROM coupon")[0]?.outcomes).toContain('"already_claimed":1');
  });

  test("goes on as it would have", () => {
    const sql = version1();
    const engine = new EngineCalls(sql);
    const again = [
      asks("ann", { key: "order-1" }),
      asks("bob", { attemptId: "claim-bob" }),
      asks("cid"),
      asks("eve", { key: "order-1" }),
      asks("fay"),
    ];
    expect(outcomes(engine.claimAll(again, T0 + 1))).toEqual([
      "replayed",
      "claim_released",
      "granted",
      "idempotency_key_reused",
      "granted",
    ]);
    expect(engine.hold(holdOf("gus", 86_400_000), T0 + 2)).toMatchObject({ ok: true, isNew: true });
    engine.releaseHold("gus", T0 + 3);
    expect(engine.hold(holdOf("gus", 1_000), T0 + 4)).toMatchObject({ ok: false, code: "hold_released" });
    engine.change({ holdSecondsMax: 60, holdsMax: 1 }, null, T0 + 5);
    expect(engine.hold(holdOf("hal", 60_001), T0 + 6)).toMatchObject({ ok: false, code: "hold_too_long", ttlSecondsMax: 60 });
    expectReplayed(sql);
  });

  test("is migrated in one transaction, once", () => {
    const sql = version1();
    const transaction = vi.spyOn(sql, "transaction");
    new EngineCalls(sql).read({ claimedBy: false }, T0);
    expect(transaction).toHaveBeenCalledTimes(1);
    new EngineCalls(sql).read({ claimedBy: false }, T0);
    expect(transaction).toHaveBeenCalledTimes(1);
  });

  test("stays one where the migration breaks, and is migrated by the next call", () => {
    const rehearsal = faultySql(version1());
    const points = pointsOf(rehearsal, () => new EngineCalls(rehearsal).read({ claimedBy: false }, T0));
    const migrated = contents(rehearsal);
    expect(points.filter(({ name }) => name.includes("ALTER TABLE coupon"))).toHaveLength(4);
    for (const { index, isStored } of points) {
      const stored = version1();
      const sql = faultySql(stored);
      const engine = new EngineCalls(sql);
      const before = contents(stored);
      sql.breakAt(index);
      expect(() => engine.read({ claimedBy: false }, T0)).toThrow(INJECTED);
      sql.breakAt(null);
      expect([versionOf(stored), contents(stored)]).toEqual(isStored ? [2, migrated] : [1, before]);
      engine.reload();
      expect(engine.read({ claimedBy: false }, T0)).toMatchObject({ ok: true, seq: 8 });
      expect(contents(stored)).toEqual(migrated);
    }
  });
});

/** Of the version behind this one, which has a column that is unknown here. */
function newer(): NodeSql {
  const { sql } = opened(2);
  sql.database.exec("ALTER TABLE coupon ADD COLUMN news TEXT; UPDATE coupon SET schema_version = 3");
  return sql;
}

describe("a coupon of a newer version", () => {
  test("is not judged, and nothing is written", () => {
    const sql = newer();
    const before = contents(sql);
    const engine = new EngineCalls(sql);
    const calls = [
      () => engine.read({ claimedBy: false }, T0),
      () => engine.claimAll([asks("ann")], T0),
      () => engine.create(newCoupon(1), "epoch-2", T0),
      () => engine.writeCounts(T0),
    ];
    for (const call of calls) expect(call).toThrow(new NewerSchema("the tables are of version 3, newer than 2"));
    expect(contents(sql)).toEqual(before);
  });

  describe("through its object", () => {
    beforeEach(() => {
      vi.useFakeTimers({ now: T0 });
    });
    afterEach(() => {
      vi.useRealTimers();
      vi.restoreAllMocks();
    });

    test("is answered with unavailable and a log line", async () => {
      const log = vi.spyOn(console, "error").mockReturnValue(undefined);
      const sql = newer();
      const { object } = await objectInNode(sql);
      const unavailable = { ok: false, code: "unavailable", seq: 0 };
      expect(await object.read({ claimedBy: false })).toEqual(unavailable);
      expect(await object.claim(asks("ann"))).toEqual(unavailable);
      const cause = "NewerSchema: the tables are of version 3, newer than 2";
      const line = JSON.stringify({ event: "storage_failed", coupon: "PROMO", cause });
      expect(log.mock.calls).toEqual([[line], [line]]);
      sql.database.exec("UPDATE coupon SET schema_version = 2");
      expect(await object.claim(asks("ann"))).toMatchObject({ ok: true, claim: { position: 1 } });
    });
  });
});
