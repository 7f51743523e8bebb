// Storage breaks under every other command of a coupon, at every point: all of it is stored or none, and a retry completes it.

import { describe, expect, test } from "vitest";

import { asks, contents, EngineCalls, newCoupon, readCold, T0 } from "./coupon.ts";
import { faultySql, INJECTED, pointsOf, type FaultySql } from "./faulty-sql.ts";
import { nodeSql } from "./node-sql.ts";

const NOW = T0 + 5000;

const COMMANDS: Readonly<Record<string, (engine: EngineCalls) => unknown>> = {
  "a change": (engine) => engine.change({ amount: 9, endsAt: NOW + 1, paused: true }, null, NOW),
  "a hold": (engine) => engine.hold({ userId: "new", ttlMs: 1000, attemptId: "hold-new" }, NOW),
  "giving a hold back": (engine) => engine.releaseHold("holder", NOW),
  "a claim by the holder": (engine) => engine.claimAll([{ userId: "holder", key: "k", attemptId: "claim-holder" }], NOW),
  "a claim of what an expired hold gave back": (engine) => engine.claimAll([{ userId: "late", key: null, attemptId: "claim-late" }], NOW),
  "a release": (engine) => engine.revoke({ userId: "early", position: 1 }, NOW),
  "the alarm": (engine) => engine.expire(NOW),
  "a look after holds are over": (engine) => engine.read({ claimedBy: true }, NOW),
};

type Bench = { readonly sql: FaultySql; readonly engine: EngineCalls };

/** Five units: one claimed, one held for longer, two held until just before {@link NOW}. */
function bench(isCold: boolean): Bench {
  const sql = faultySql(nodeSql());
  const engine = new EngineCalls(sql);
  engine.create(newCoupon(5), "epoch-1", T0);
  engine.claimAll([asks("early", { key: "early", attemptId: "claim-early" })], T0);
  engine.hold({ userId: "holder", ttlMs: 60_000, attemptId: "hold-holder" }, T0);
  engine.hold({ userId: "gone-1", ttlMs: 1000, attemptId: "hold-gone-1" }, T0);
  engine.hold({ userId: "gone-2", ttlMs: 4999, attemptId: "hold-gone-2" }, T0);
  if (isCold) engine.reload();
  sql.breakAt(null);
  return { sql, engine };
}

describe.for(Object.entries(COMMANDS))("%s", ([, command]) => {
  test.for([
    ["warm", false],
    ["cold", true],
  ] as const)("broken at any point by a %s engine is stored whole or not; a retry completes it", ([, isCold]) => {
    const flawless = bench(isCold);
    const before = contents(flawless.sql);
    const points = pointsOf(flawless.sql, () => command(flawless.engine));
    const after = contents(flawless.sql);
    expect(after).not.toEqual(before);
    expect(points.length).toBeGreaterThan(10);

    const tries = points.map(({ name, index }) => {
      const { sql, engine } = bench(isCold);
      sql.breakAt(index);
      expect(() => command(engine)).toThrow(INJECTED);
      sql.breakAt(null);
      engine.reload();
      const broken = contents(sql);
      command(engine);
      return { name, broken, retried: contents(sql), memory: engine.read({ claimedBy: true }, NOW), storage: readCold(sql, NOW) };
    });
    const known = readCold(flawless.sql, NOW);
    expect(tries).toEqual(
      points.map(({ name, isStored }) => ({ name, broken: isStored ? after : before, retried: after, memory: known, storage: known })),
    );
  });
});
