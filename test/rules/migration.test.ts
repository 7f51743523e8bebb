// Tables of an older version are migrated when they are loaded, all or nothing. Those of a newer version are left alone.

import { expect, test, vi } from "vitest";

import { NewerSchema } from "../../src/engine/coupon-store.ts";
import { asks, contents, EngineCalls, expectConserved, holdOf, newCoupon, opened, outcomes, T0 } from "./coupon.ts";
import { faultySql, INJECTED, pointsOf } from "./faulty-sql.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";
import { objectInNode } from "./object-in-node.ts";
import { useVirtualTime } from "./virtual-time.ts";
import { putVersion1 } from "./version-1.ts";

useVirtualTime();

function version1(): NodeSql {
  const sql = nodeSql();
  putVersion1(sql.database);
  return sql;
}

function read(sql: ConstructorParameters<typeof EngineCalls>[0]) {
  return new EngineCalls(sql).read({ claimedBy: true }, T0);
}

/** The columns of every table, in the order of their names. */
function columnsOf(sql: NodeSql): unknown[] {
  return sql.all(`SELECT t.name AS tbl, c.name, c.type, c."notnull", c.pk FROM pragma_table_list t, pragma_table_info(t.name) c
                  WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1, 2`);
}

const NO_TEXTS = { title: null, description: null, image_url: null };

test("a coupon of version 1 keeps every row and gets today's tables, with the limits of its time", () => {
  const sql = version1();
  const { coupon: couponBefore, ledger = [], ...rowsBefore } = contents(sql);
  const coupon = { amount: 6, claimed: 1, held: 1, holdSecondsMax: 86_400, holdsMax: null, lastPosition: 2, claimedBy: ["ann"] };
  expect(read(sql)).toMatchObject({ ok: true, seq: 8, coupon });
  expect(columnsOf(sql)).toEqual(columnsOf(opened(1).sql));
  expect(contents(sql)).toEqual({
    ...rowsBefore,
    released_holds: [],
    ledger: ledger.map((row) => Object.assign(row, { actor: null })),
    coupon: [
      {
        ...couponBefore?.[0],
        schema_version: 5,
        hold_seconds_max: 86_400,
        holds_max: null,
        archived_at: null,
        erasure_key: null,
        ...NO_TEXTS,
      },
    ],
  });
  expect(sql.all<{ outcomes: string }>("SELECT outcomes FROM coupon")[0]?.outcomes).toContain('"already_claimed":1');
});

test("a coupon of version 1 answers claims and holds as before its migration", () => {
  const sql = version1();
  const engine = new EngineCalls(sql);
  const again = [asks("ann", { key: "order-1" }), asks("bob", { attemptId: "claim-bob" }), asks("cid"), asks("eve", { key: "order-1" })];
  const expected = ["replayed", "claim_released", "granted", "idempotency_key_reused", "granted"];
  expect(outcomes(engine.claimAll([...again, asks("fay")], T0 + 1))).toEqual(expected);
  expect(engine.hold(holdOf("gus", 86_400_000), T0 + 2)).toMatchObject({ ok: true, isNew: true });
  engine.releaseHold("gus", T0 + 3);
  expect(engine.hold(holdOf("gus", 1_000), T0 + 4)).toMatchObject({ ok: false, code: "hold_released" });
  engine.change({ holdSecondsMax: 60, holdsMax: 1 }, null, T0 + 5);
  expect(engine.hold(holdOf("hal", 60_001), T0 + 6)).toMatchObject({ ok: false, code: "hold_too_long", ttlSecondsMax: 60 });
  expectConserved(sql, 3);
});

test("a coupon of version 3 has no texts, keeps its history and takes a title", () => {
  const { sql, engine } = opened(2);
  engine.claimAll([asks("ann")], T0);
  for (const column of [...Object.keys(NO_TEXTS), "erasure_key"]) sql.database.exec(`ALTER TABLE coupon DROP COLUMN ${column}`);
  sql.database.exec("UPDATE coupon SET schema_version = 3");
  const { coupon: [before] = [], ...others } = contents(sql);
  expect(read(sql)).toMatchObject({ ok: true, seq: 2, coupon: { title: null, description: null, imageUrl: null, claimedBy: ["ann"] } });
  expect(contents(sql)).toEqual({ ...others, coupon: [{ ...before, ...NO_TEXTS, erasure_key: null, schema_version: 5 }] });
  new EngineCalls(sql).change({ title: "Shoe" }, null, T0 + 1);
  expect(read(sql)).toMatchObject({ seq: 3, coupon: { title: "Shoe", description: null } });
  expectConserved(sql, 1);
});

test("a coupon of version 1 is migrated in one transaction, once", () => {
  const sql = version1();
  const transaction = vi.spyOn(sql, "transaction");
  read(sql);
  read(sql);
  expect(transaction).toHaveBeenCalledTimes(1);
});

test("a migration that fails at any point changes nothing, and the next call completes it", () => {
  const flawless = faultySql(version1());
  const points = pointsOf(flawless, () => read(flawless));
  const migrated = contents(flawless);
  expect(points.filter(({ name }) => name.includes("ALTER TABLE coupon"))).toHaveLength(14);
  for (const { index, isStored } of points) {
    const sql = faultySql(version1());
    const engine = new EngineCalls(sql);
    const before = contents(sql);
    sql.breakAt(index);
    expect(() => engine.read({ claimedBy: true }, T0)).toThrow(INJECTED);
    sql.breakAt(null);
    expect(contents(sql)).toEqual(isStored ? migrated : before);
    engine.reload();
    expect(engine.read({ claimedBy: true }, T0)).toMatchObject({ ok: true, seq: 8 });
    expect(contents(sql)).toEqual(migrated);
  }
});

/** Tables of the next version, with a column that this version does not have. */
function newer(): NodeSql {
  const { sql } = opened(2);
  sql.database.exec("ALTER TABLE coupon ADD COLUMN news TEXT; UPDATE coupon SET schema_version = 6");
  return sql;
}

test("a coupon of a newer version is not judged, and nothing is written", () => {
  const sql = newer();
  const before = contents(sql);
  const engine = new EngineCalls(sql);
  const calls = [
    () => engine.read({ claimedBy: false }, T0),
    () => engine.claimAll([asks("ann")], T0),
    () => engine.create(newCoupon(1), "epoch-2", T0),
    () => engine.writeCounts(T0),
    // A deletion keeps the ledger until it is delivered, which this version can't do for these tables.
    () => engine.one({ kind: "remove", keepsLedger: true }, T0),
  ];
  for (const call of calls) expect(call).toThrow(new NewerSchema("the tables are of version 6, newer than 5"));
  expect(contents(sql)).toEqual(before);
});

test("the object of a coupon of a newer version answers unavailable and logs why", async () => {
  const log = vi.spyOn(console, "error").mockReturnValue(undefined);
  const sql = newer();
  const { object } = await objectInNode(sql);
  const unavailable = { ok: false, code: "unavailable", seq: 0 };
  expect(await object.read({ claimedBy: false })).toEqual(unavailable);
  expect(await object.claim(asks("ann"))).toEqual(unavailable);
  const cause = "NewerSchema: the tables are of version 6, newer than 5";
  const line = JSON.stringify({ event: "storage_failed", coupon: "PROMO", cause });
  expect(log.mock.calls).toEqual([[line], [line]]);
  sql.database.exec("UPDATE coupon SET schema_version = 5");
  expect(await object.claim(asks("ann"))).toMatchObject({ ok: true, claim: { position: 1 } });
});
