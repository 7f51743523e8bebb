// A claim against the end of a hold in the same millisecond, a thousand times: one outcome each, and the books agree.

import { describe, expect, test } from "vitest";

import { etagOf } from "../../src/domain/etag.ts";
import { asks, EngineCalls, newCoupon, outcomes, T0 } from "./coupon.ts";
import { expectReplayed } from "./holds-ledger.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";

const ROUNDS = 1000;
const TTL_MS = 500;

/** When the alarm comes in a round, and how the two ask: all of them, in turn. */
const ALARMS = ["never", "before", "between", "after"] as const;
const WAYS = ["one batch", "two batches"] as const;

/** One user holds the one unit that is left. */
type Round = { engine: EngineCalls; readonly sql: NodeSql; readonly index: number; readonly overAt: number };

/** Plays `ROUNDS` rounds on one coupon, which forgets its memory before every seventh; `play` is given each. */
function rounds(play: (round: Round) => void): NodeSql {
  const sql = nodeSql();
  let engine = new EngineCalls(sql);
  engine.create(newCoupon(1), "epoch-1", T0);
  for (let index = 0; index < ROUNDS; index += 1) {
    const now = T0 + index * 10 * TTL_MS;
    const [{ amount } = { amount: 1 }] = sql.all<{ amount: number }>("SELECT claimed + 1 AS amount FROM coupon");
    engine.change({ amount }, null, now);
    const held = engine.hold({ userId: `holder-${index}`, ttlMs: TTL_MS, attemptId: `hold-${index}` }, now);
    expect(held).toMatchObject({ ok: true, isNew: true, hold: { expiresAt: now + TTL_MS }, remaining: 0 });
    if (index % 7 === 0) engine = new EngineCalls(sql);
    play({ engine, sql, index, overAt: now + TTL_MS });
  }
  return sql;
}

/** What the ledger says since the hold of this round began. */
function storyOf({ sql, index }: Round): string[] {
  const events = sql.all<{ kind: string; user_id: string }>(
    `SELECT kind, user_id FROM ledger WHERE seq > (SELECT seq FROM ledger WHERE kind = 'held' AND user_id = ?) ORDER BY seq`,
    `holder-${index}`,
  );
  return events.map(({ kind, user_id }) => `${kind} ${user_id.split("-")[0]}`);
}

/** Holder and rival claim the one unit at `now`, `first` before the other; returns the outcome of each. */
function contend({ engine, index }: Round, first: "holder" | "rival", now: number): Record<string, string> {
  const order = first === "holder" ? ["holder", "rival"] : ["rival", "holder"];
  const [alarm, way] = [ALARMS[index % 4] ?? "never", WAYS[Math.floor(index / 4) % 2]];
  const requests = order.map((who) => asks(`${who}-${index}`));
  if (alarm === "before") engine.expire(now);
  const answers =
    way === "one batch"
      ? outcomes(engine.claimAll(requests, now))
      : requests.flatMap((request, place) => {
          if (alarm === "between" && place === 1) engine.expire(now);
          return outcomes(engine.claimAll([request], now));
        });
  if (alarm === "after") engine.expire(now);
  return Object.fromEntries(order.map((who, place) => [who, answers[place] ?? ""]));
}

describe.for(["holder", "rival"] as const)("when the %s comes first,", (first) => {
  test.for([
    ["a millisecond before the end the holder wins", -1, "holder", ["claimed holder"]],
    ["at the end the first to come wins", 0, first, ["expired holder", `claimed ${first}`]],
    ["a millisecond after the end the first to come wins", 1, first, ["expired holder", `claimed ${first}`]],
  ] as const)("%s, 1,000 times", ([, laterMs, winner, story]) => {
    const expected = { holder: "out_of_stock", rival: "out_of_stock", [winner]: "granted" };
    const sql = rounds((round) => {
      expect(contend(round, first, round.overAt + laterMs)).toEqual(expected);
      expect(storyOf(round)).toEqual(story);
    });

    const { claims, holds, amount, lastPosition } = expectReplayed(sql);
    expect([claims.size, holds.size, amount, lastPosition]).toEqual([ROUNDS, 0, ROUNDS, ROUNDS]);
    expect([...claims.keys()]).toEqual(Array.from({ length: ROUNDS }, (_, index) => `${winner}-${index}`));
  });
});

describe("a hold ends once, 1,000 times:", () => {
  test.for([
    ["given back a millisecond before the end", -1, "given_back holder"],
    ["given back at the end, it was over already", 0, "expired holder"],
    ["given back a millisecond after the end, it was over already", 1, "expired holder"],
  ] as const)("%s", ([, laterMs, story]) => {
    const sql = rounds((round) => {
      const { engine, index } = round;
      const now = round.overAt + laterMs;
      const releaseHold = () => engine.releaseHold(`holder-${index}`, now);
      const alarm = () => engine.expire(now);
      for (const act of index % 2 === 0 ? [alarm, releaseHold, releaseHold] : [releaseHold, alarm, releaseHold]) act();
      expect(storyOf(round)).toEqual([story]);
    });
    expect(expectReplayed(sql)).toMatchObject({ claims: new Map(), holds: new Map(), amount: 1 });
  });

  test("held again at the end, it is a new one", () => {
    const sql = rounds(({ engine, index, overAt }) => {
      const again = engine.hold({ userId: `holder-${index}`, ttlMs: 1, attemptId: `again-${index}` }, overAt);
      expect(again).toMatchObject({ ok: true, isNew: true, hold: { heldAt: overAt, expiresAt: overAt + 1 } });
      engine.expire(overAt + 1);
    });
    expect(sql.all("SELECT kind, count(*) AS count FROM ledger WHERE user_id IS NOT NULL GROUP BY kind ORDER BY kind")).toEqual([
      { kind: "expired", count: 2 * ROUNDS },
      { kind: "held", count: 2 * ROUNDS },
    ]);
    expectReplayed(sql);
  });
});

test("1,000 holds end in one transaction, in which a claim takes a unit", () => {
  const sql = nodeSql();
  const engine = new EngineCalls(sql);
  engine.create(newCoupon(ROUNDS), "epoch-1", T0);
  for (let index = 0; index < ROUNDS; index += 1) engine.hold({ userId: `holder-${index}`, ttlMs: TTL_MS, attemptId: `hold-${index}` }, T0);
  expect(outcomes(engine.claimAll([asks("rival")], T0 + TTL_MS - 1))).toEqual(["out_of_stock"]);
  expect(engine.claimAll([asks("rival")], T0 + TTL_MS)).toMatchObject([{ ok: true, claim: { position: 1, remainingAfter: ROUNDS - 1 } }]);
  const { claims, holds } = expectReplayed(sql);
  expect([claims, holds]).toEqual([new Map([["rival", 1]]), new Map()]);
  expect(sql.all("SELECT DISTINCT at FROM ledger WHERE kind IN ('expired', 'claimed')")).toEqual([{ at: T0 + TTL_MS }]);
});

describe("a delete with If-Match", () => {
  test("is refused once a hold has expired, before any other message has removed it", () => {
    const engine = new EngineCalls(nodeSql());
    engine.create(newCoupon(1), "epoch-1", T0);
    engine.hold({ userId: "ann", ttlMs: TTL_MS, attemptId: "hold" }, T0);
    const read = engine.read({ claimedBy: false }, T0 + TTL_MS - 1);
    if (!read.ok) throw new Error(read.code);
    const precondition = { ifMatch: etagOf(read.coupon, read.now), ifNoneMatch: null };
    expect(engine.one({ kind: "remove", precondition }, T0 + TTL_MS)).toMatchObject({ ok: false, code: "precondition_failed" });
    expect(engine.read({ claimedBy: false }, T0 + TTL_MS)).toMatchObject({ ok: true, coupon: { state: "open", held: 0 } });
  });

  test("is carried out with the tag of a later read", () => {
    const engine = new EngineCalls(nodeSql());
    engine.create(newCoupon(1), "epoch-1", T0);
    engine.hold({ userId: "ann", ttlMs: TTL_MS, attemptId: "hold" }, T0);
    const read = engine.read({ claimedBy: false }, T0 + TTL_MS);
    if (!read.ok) throw new Error(read.code);
    const precondition = { ifMatch: etagOf(read.coupon, read.now), ifNoneMatch: null };
    expect(engine.one({ kind: "remove", precondition }, T0 + TTL_MS + 1)).toMatchObject({ ok: true });
  });
});
