// Storage fails at every point of every command: all of the command is stored or none, and a retry completes it.

import { expect, test } from "vitest";

import { asks, contents, countOutcomes, EngineCalls, expectConserved, manyClaims, newCoupon, outcomes, readCold, T0 } from "./coupon.ts";
import { faultySql, INJECTED, pointsOf, type FaultySql } from "./faulty-sql.ts";
import { nodeSql } from "./node-sql.ts";

const NOW = T0 + 5000;

// With a key, without one, the same user twice, a user with a claim, and a key of another user's claim.
const SMALL_BATCH = [asks("ann", { key: "k" }), asks("bob"), asks("ann"), asks("early"), asks("cid", { key: "k" }), asks("dan")];
const LARGE_BATCH = [...SMALL_BATCH, asks("eve", { key: "e" }), asks("fay")];

type Command = (engine: EngineCalls) => unknown;
const COMMANDS: readonly (readonly [name: string, command: Command])[] = [
  // A small batch is read and written row by row, a large one all at once.
  ["a small batch of claims", (engine) => outcomes(engine.claimAll(SMALL_BATCH, NOW))],
  ["a large batch of claims", (engine) => outcomes(engine.claimAll(LARGE_BATCH, NOW))],
  ["a holder's claim", (engine) => outcomes(engine.claimAll([{ userId: "holder", key: "k", attemptId: "claim-holder" }], NOW))],
  ["a change", (engine) => engine.change({ amount: 9, endsAt: NOW + 2, paused: true }, null, NOW)],
  ["a hold", (engine) => engine.hold({ userId: "new", ttlMs: 1000, attemptId: "hold-new" }, NOW)],
  ["a released hold", (engine) => engine.releaseHold("holder", NOW)],
  ["a revoked claim", (engine) => engine.revoke({ userId: "early", position: 1 }, NOW)],
  ["an alarm", (engine) => engine.expire(NOW)],
  ["a read after two holds expired", (engine) => engine.read({ claimedBy: true }, NOW)],
];

type Harness = { readonly sql: FaultySql; readonly engine: EngineCalls };

/** Eight units: one claimed, one held for longer, two held until just before {@link NOW}. */
function harness(isCold: boolean): Harness {
  const sql = faultySql(nodeSql());
  const engine = new EngineCalls(sql);
  engine.create(newCoupon(8), "epoch-1", T0);
  engine.claimAll([asks("early", { key: "early", attemptId: "claim-early" })], T0);
  engine.hold({ userId: "holder", ttlMs: 60_000, attemptId: "hold-holder" }, T0);
  engine.hold({ userId: "gone-1", ttlMs: 1000, attemptId: "hold-gone-1" }, T0);
  engine.hold({ userId: "gone-2", ttlMs: 4999, attemptId: "hold-gone-2" }, T0);
  if (isCold) engine.reload();
  sql.breakAt(null);
  return { sql, engine };
}

/** What later users get of the rest of the stock. */
function restOf({ engine, sql }: Harness): Record<string, number> {
  const counts = countOutcomes(engine.claimAll(manyClaims(20), NOW + 1));
  expectConserved(sql);
  return counts;
}

/** The outcomes that a command of claims returns. Others have none. */
function outcomesIn(answer: unknown): string[] {
  return Array.isArray(answer) ? answer.map(String) : [];
}

const RUNS = COMMANDS.flatMap(([name, command]) => (["warm", "cold"] as const).map((warmth) => [name, warmth, command] as const));

test.for(RUNS)("%s by a %s engine, failing at any point, is stored whole or not at all", ([, warmth, command]) => {
  const isCold = warmth === "cold";
  const flawless = harness(isCold);
  const before = contents(flawless.sql);
  let first: string[] = [];
  const points = pointsOf(flawless.sql, () => (first = outcomesIn(command(flawless.engine))));
  const after = contents(flawless.sql);
  expect(after).not.toEqual(before);
  expect(points.map(({ name: point }) => point)).toEqual(expect.arrayContaining(["before BEGIN", "before COMMIT", "after COMMIT"]));

  const tries = points.map(({ name: point, index }) => {
    const { sql, engine } = harness(isCold);
    sql.breakAt(index);
    expect(() => command(engine)).toThrow(INJECTED);
    sql.breakAt(null);
    engine.reload();
    const broken = contents(sql);
    const retry = { outcomes: outcomesIn(command(engine)), stored: contents(sql) };
    const [memory, storage] = [engine.read({ claimedBy: true }, NOW), readCold(sql, NOW)];
    return { point, broken, retry, memory, storage, rest: restOf({ sql, engine }) };
  });
  const [known, rest] = [readCold(flawless.sql, NOW), restOf(flawless)];
  expect(tries).toEqual(
    points.map(({ name: point, isStored }) => {
      const retry = { outcomes: first.map((outcome) => (isStored && outcome === "granted" ? "replayed" : outcome)), stored: after };
      return { point, broken: isStored ? after : before, retry, memory: known, storage: known, rest };
    }),
  );
});

function create(engine: EngineCalls) {
  return engine.create(newCoupon(7), "epoch-1", T0);
}

test("a create that fails at any point leaves the whole coupon or no table", () => {
  const flawless = faultySql(nodeSql());
  const points = pointsOf(flawless, () => create(new EngineCalls(flawless)));
  const after = contents(flawless);
  expect(points.length).toBeGreaterThan(10);
  for (const { index, isStored } of points) {
    const sql = faultySql(nodeSql());
    const engine = new EngineCalls(sql);
    sql.breakAt(index);
    expect(() => create(engine)).toThrow(INJECTED);
    sql.breakAt(null);
    engine.reload();
    expect(contents(sql)).toEqual(isStored ? after : {});
    expect(sql.all("SELECT count(*) > 0 AS stored FROM sqlite_master")).toEqual([{ stored: Number(isStored) }]);

    expect(create(engine).ok).toBe(!isStored);
    expect(contents(sql)).toEqual(after);
    expect(countOutcomes(engine.claimAll(manyClaims(20), T0))).toEqual({ granted: 7, out_of_stock: 13 });
    expectConserved(sql, 7);
  }
});
