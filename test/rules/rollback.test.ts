// Storage breaks at every point that there is: what is stored is all of a call or none of it, and the sale goes on.

import { describe, expect, test } from "vitest";

import type { ClaimRequest } from "../../src/domain/claim.ts";
import { asks, contents, crowd, EngineCalls, expectConserved, newCoupon, outcomes, readCold, T0, tally } from "./coupon.ts";
import { faultySql, INJECTED, pointsOf, type FaultySql } from "./faulty-sql.ts";
import { nodeSql } from "./node-sql.ts";

const STOCK = 7;
const WARMTHS = ["warm", "cold"] as const;
type Warmth = (typeof WARMTHS)[number];

// With a key, without, the same user twice, one who already has a unit, and one who uses another's key.
const SMALL: readonly ClaimRequest[] = [
  asks("ann", { key: "k" }),
  asks("bob"),
  asks("ann"),
  asks("early"),
  asks("cid", { key: "k" }),
  asks("dan"),
];
const OUTCOMES = ["granted", "granted", "already_claimed", "already_claimed", "idempotency_key_reused", "granted"];
/** A small batch is read and written row by row, a large one all at once. */
const BATCHES = {
  small: { batch: SMALL, answers: OUTCOMES, claimedAfter: 4 },
  large: { batch: [...SMALL, asks("eve", { key: "e" }), asks("fay")], answers: [...OUTCOMES, "granted", "granted"], claimedAfter: 6 },
} as const;
const RUNS = WARMTHS.flatMap((warmth) => (["small", "large"] as const).map((size) => [size, warmth] as const));

type Bench = { readonly sql: FaultySql; readonly engine: EngineCalls };

/** A coupon with one claim behind it, and an engine that knows it or has yet to look. */
function bench(warmth: Warmth, stock = STOCK): Bench {
  const sql = faultySql(nodeSql());
  const engine = new EngineCalls(sql);
  engine.create(newCoupon(stock), "epoch-1", T0);
  engine.claimAll([asks("early", { attemptId: "early" })], T0);
  if (warmth === "cold") engine.reload();
  sql.breakAt(null);
  return { sql, engine };
}

describe.for(RUNS)("a %s batch of claims by a %s engine", ([size, warmth]) => {
  const { batch, answers, claimedAfter } = BATCHES[size];
  const flawless = bench(warmth);
  const before = contents(flawless.sql);
  const points = pointsOf(flawless.sql, () => flawless.engine.claimAll(batch, T0 + 5));
  const after = contents(flawless.sql);

  test("passes points enough to break it at", () => {
    expect(points.length).toBeGreaterThan(20);
    expect(points.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["before BEGIN", "before INSERT INTO claims", "after INSERT INTO ledger", "before COMMIT", "after COMMIT"]),
    );
  });

  test.for(points)("broken $name ($index) is stored as a whole or not at all", ({ index, isStored }) => {
    const { sql, engine } = bench(warmth);
    sql.breakAt(index);
    expect(() => engine.claimAll(batch, T0 + 5)).toThrow(INJECTED);
    sql.breakAt(null);
    engine.reload();
    expect(contents(sql)).toEqual(isStored ? after : before);
    expect(engine.read({ claimedBy: true }, T0 + 5)).toEqual(readCold(sql, T0 + 5));

    // The same batch again: no user gets a second unit, and the answers are those of the first try.
    const retried = engine.claimAll(batch, T0 + 5);
    expect(outcomes(retried)).toEqual(answers.map((outcome) => (isStored && outcome === "granted" ? "replayed" : outcome)));
    expect(contents(sql)).toEqual(after);

    expect(tally(engine.claimAll(crowd(20), T0 + 6))).toEqual({
      granted: STOCK - claimedAfter,
      out_of_stock: 20 - (STOCK - claimedAfter),
    });
    expectConserved(sql, STOCK);
  });
});

describe("creating a coupon", () => {
  const flawless = faultySql(nodeSql());
  const points = pointsOf(flawless, () => new EngineCalls(flawless).create(newCoupon(STOCK), "epoch-1", T0));
  const after = contents(flawless);

  test.for(points)("broken $name ($index) leaves the whole coupon or not even a table", ({ index, isStored }) => {
    const sql = faultySql(nodeSql());
    const engine = new EngineCalls(sql);
    sql.breakAt(index);
    expect(() => engine.create(newCoupon(STOCK), "epoch-1", T0)).toThrow(INJECTED);
    sql.breakAt(null);
    engine.reload();
    expect(contents(sql)).toEqual(isStored ? after : {});
    expect(sql.all("SELECT count(*) > 0 AS stored FROM sqlite_master")).toEqual([{ stored: Number(isStored) }]);

    expect(engine.create(newCoupon(STOCK), "epoch-1", T0).ok).toBe(!isStored);
    expect(contents(sql)).toEqual(after);
    expect(tally(engine.claimAll(crowd(20), T0))).toEqual({ granted: STOCK, out_of_stock: 20 - STOCK });
    expectConserved(sql, STOCK);
  });
});

describe("reading", () => {
  const cold = bench("cold");
  const points = pointsOf(cold.sql, () => cold.engine.read({ claimedBy: true }, T0));

  test.for(points)("broken $name ($index) changes nothing, and answers the next time", ({ index }) => {
    const { sql, engine } = bench("cold");
    const before = contents(sql);
    sql.breakAt(index);
    expect(() => engine.read({ claimedBy: true }, T0)).toThrow(INJECTED);
    sql.breakAt(null);
    engine.reload();
    expect(engine.read({ claimedBy: true }, T0)).toEqual(readCold(sql));
    expect(contents(sql)).toEqual(before);
  });
});

test("storage that breaks at point after point still gives out exactly the stock", () => {
  const stock = 150;
  const { sql, engine } = bench("warm", stock);
  const answers = new Map<string, number>();
  let breaksCount = 0;
  for (let round = 0; round < 300; round += 1) {
    const batch = [0, 1, 2].map((seat) => asks(`round-${round}-${seat}`, { attemptId: `round-${round}-${seat}` }));
    sql.breakAt(round % 37);
    const results = survived(engine, batch);
    breaksCount += Number(results === null);
    for (const result of results ?? []) if (result.ok) answers.set(result.claim.userId, result.claim.position);
  }
  sql.breakAt(null);
  expect(breaksCount).toBeGreaterThan(50);
  expectConserved(sql, stock);
  const stored = new Map(
    sql.all<{ user_id: string; position: number }>("SELECT user_id, position FROM claims").map((row) => [row.user_id, row.position]),
  );
  expect([...answers].filter(([user, position]) => stored.get(user) !== position)).toEqual([]);
});

/** The batch's answers, or null where storage broke. */
function survived(engine: EngineCalls, batch: readonly ClaimRequest[]) {
  try {
    return engine.claimAll(batch, T0);
  } catch {
    engine.reload();
    return null;
  }
}
