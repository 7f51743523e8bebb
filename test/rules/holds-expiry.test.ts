// A claim or a release around the millisecond in which a hold ends, in every order of events: exactly one outcome.

import { expect, test } from "vitest";

import { etagOf } from "../../src/domain/etag.ts";
import { asks, countOutcomes, EngineCalls, expectConserved, holdOf, opened, outcomes, T0 } from "./coupon.ts";
import type { NodeSql } from "./node-sql.ts";

const END = T0 + 500;

/** One unit, held until {@link END}, in an engine that loses its memory where `isCold`. */
function heldUnit(isCold: boolean): { readonly engine: EngineCalls; readonly sql: NodeSql } {
  const { engine, sql } = opened(1);
  engine.hold(holdOf("holder", 500), T0);
  return { engine: isCold ? new EngineCalls(sql) : engine, sql };
}

/** The ledger's events after the hold began. */
function eventsIn(sql: NodeSql): string[] {
  const events = sql.all<{ kind: string; user_id: string }>("SELECT kind, user_id FROM ledger WHERE seq > 2 ORDER BY seq");
  return events.map(({ kind, user_id }) => `${kind} ${user_id}`);
}

const VARIANTS = ["never", "before", "between", "after"].flatMap((alarm) =>
  [true, false].flatMap((isOneBatch) => [true, false].map((isCold) => ({ alarm, isOneBatch, isCold }))),
);

test.for([
  ["holder", "rival", -1, "holder", ["claimed holder"]],
  ["holder", "rival", 0, "holder", ["expired holder", "claimed holder"]],
  ["holder", "rival", 1, "holder", ["expired holder", "claimed holder"]],
  ["rival", "holder", -1, "holder", ["claimed holder"]],
  ["rival", "holder", 0, "rival", ["expired holder", "claimed rival"]],
  ["rival", "holder", 1, "rival", ["expired holder", "claimed rival"]],
] as const)("of %s and then %s, claiming %i ms after a hold's end, the %s wins", ([first, second, afterMs, winner, events]) => {
  const at = END + afterMs;
  for (const { alarm, isOneBatch, isCold } of VARIANTS) {
    const { engine, sql } = heldUnit(isCold);
    const requests = [asks(first), asks(second)];
    if (alarm === "before") engine.expire(at);
    const answers = isOneBatch
      ? outcomes(engine.claimAll(requests, at))
      : requests.flatMap((request, index) => {
          if (alarm === "between" && index === 1) engine.expire(at);
          return outcomes(engine.claimAll([request], at));
        });
    if (alarm === "after") engine.expire(at);
    expect(answers).toEqual([first, second].map((user) => (user === winner ? "granted" : "out_of_stock")));
    expect(eventsIn(sql)).toEqual(events);
    expectConserved(sql, 1);
  }
});

test.for([
  [-1, ["given_back holder"]],
  [0, ["expired holder"]],
  [1, ["expired holder"]],
] as const)("a hold released repeatedly %i ms after its end ends once", ([afterMs, events]) => {
  for (const isCold of [true, false]) {
    for (const acts of ["alarm, release, release", "release, alarm, release"]) {
      const { engine, sql } = heldUnit(isCold);
      for (const act of acts.split(", ")) {
        if (act === "alarm") engine.expire(END + afterMs);
        else engine.releaseHold("holder", END + afterMs);
      }
      expect(eventsIn(sql)).toEqual(events);
      expectConserved(sql, 0);
    }
  }
});

test("a hold requested again at the instant of its end is a new one", () => {
  const { engine, sql } = heldUnit(false);
  const again = engine.hold(holdOf("holder", 1, "again"), END);
  expect(again).toMatchObject({ ok: true, isNew: true, hold: { heldAt: END, expiresAt: END + 1 } });
  engine.expire(END + 1);
  expect(eventsIn(sql)).toEqual(["expired holder", "held holder", "expired holder"]);
  expectConserved(sql, 0);
});

test("1,000 holds end at one instant, in the transaction of the next claim", () => {
  const { engine, sql } = opened(1_000);
  for (let index = 0; index < 1_000; index += 1) engine.hold(holdOf(`holder-${index}`, 500), T0);
  expect(countOutcomes(engine.claimAll([asks("rival")], END - 1))).toEqual({ out_of_stock: 1 });
  expect(engine.claimAll([asks("rival")], END)).toMatchObject([{ ok: true, claim: { position: 1, remainingAfter: 999 } }]);
  expect(expectConserved(sql, 1).holds.size).toBe(0);
  expect(sql.all("SELECT DISTINCT at FROM ledger WHERE kind IN ('expired', 'claimed')")).toEqual([{ at: END }]);
});

test.for([
  ["refused", "before", -1],
  ["carried out", "at", 0],
] as const)("a delete at a hold's end is %s with the ETag of a read %s it", ([outcome, , readMs]) => {
  const { engine } = heldUnit(false);
  const read = engine.read({ claimedBy: false }, END + readMs);
  if (!read.ok) throw new Error(read.code);
  const precondition = { ifMatch: etagOf(read.coupon, read.now), ifNoneMatch: null };
  const refusal = { ok: false, code: "precondition_failed" };
  expect(engine.one({ kind: "remove", precondition }, END)).toMatchObject(outcome === "refused" ? refusal : { ok: true });
});
