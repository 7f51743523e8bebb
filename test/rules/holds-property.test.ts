// Random sales of one coupon, in the engine and in the reference model: claims, holds, revocations, changes, a clock that falls back,
// and memory that is lost.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { differenceIn } from "../../verification/model/difference.ts";
import { stateAt } from "../../verification/model/judge.ts";
import { answersOf } from "../../verification/model/product-answers.ts";
import { Reference } from "../../verification/model/reference.ts";
import { COUPON_ROW, eventsIn, readTables, storedFault } from "../../verification/model/tables.ts";
import type { Answer, LedgerEvent } from "../../verification/model/types.ts";
import { messageOf, sale, type Sale } from "./calls.ts";
import { EngineCalls, newCoupon, T0 } from "./coupon.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";

/** What the tables don't keep: the attempt behind a hold that expired or became a claim. */
function withoutHolder({ attempt, ...event }: LedgerEvent) {
  return event.kind === "held" || attempt === undefined ? event : { ...event, attempt };
}

function expectStored(sql: NodeSql, { coupon, events, seq }: Reference): void {
  const tables = readTables((query) => sql.all(query));
  expect(eventsIn(tables).map(withoutHolder)).toEqual(events.map(withoutHolder));
  const [row] = sql.all(COUPON_ROW);
  expect(coupon === null || row === undefined ? "no coupon" : storedFault(tables, row, coupon, seq)).toBeNull();
}

/**
 * Returns the stored instant, at which the coupon goes on once its memory is lost. It is not after the latest judgment, and not so
 * early that the sale opens or closes again.
 */
function storedClock(sql: NodeSql, { coupon }: Reference, at: number): number {
  const clockAt = Number(sql.all<{ clock_at: number }>(COUPON_ROW)[0]?.clock_at);
  expect(clockAt).toBeLessThanOrEqual(at);
  if (coupon !== null) expect(stateAt(coupon.settings, 1, clockAt)).toBe(stateAt(coupon.settings, 1, at));
  return clockAt;
}

function expectSame(answer: Answer | undefined, due: Answer, at: number): void {
  expect(answer === undefined ? "no answer" : differenceIn(answer, due)).toBeNull();
  expect([answer?.seq, answer?.at ?? at]).toEqual([due.seq, at]);
}

/** Runs a sale in the engine and in the model. Returns what was answered. */
function expectSameSale({ terms, steps }: Sale): Answer[] {
  const sql = nodeSql();
  let engine = new EngineCalls(sql);
  const reference = new Reference();
  engine.one({ kind: "create", coupon: newCoupon(terms.amount, terms), epoch: "epoch-1", key: "k1" }, T0);
  reference.answer({ kind: "create", ...terms, holdSecondsMax: 86_400, holdsMax: null, key: "k1" }, "creation", T0);
  const answers: Answer[] = [];
  let [now, at] = [T0, T0];
  for (const { moveMs, calls, isMemoryLost } of steps) {
    now += moveMs;
    at = Math.max(at, now);
    if (calls.length === 0) engine.expire(now);
    reference.expire(at);
    const results = engine.batch(calls.map(messageOf), now);
    for (const [index, { call, attempt }] of calls.entries()) {
      const due = reference.answer(call, attempt, at);
      const result = results[index];
      expectSame(result === undefined ? undefined : answersOf([call], result, undefined)[0], due, at);
      answers.push(due);
    }
    expectStored(sql, reference);
    const clockAt = storedClock(sql, reference, at);
    if (isMemoryLost) [engine, at] = [new EngineCalls(sql), clockAt];
  }
  return answers;
}

test("the engine answers and stores what the reference model does, call by call", () => {
  fc.assert(
    fc.property(sale, (one) => {
      expectSameSale(one);
    }),
    { numRuns: 800 },
  );
});

test("the random sales reach every answer", () => {
  const reached = new Set(fc.sample(sale, { numRuns: 400, seed: 1 }).flatMap((one) => expectSameSale(one).map(({ is }) => is)));
  expect([...reached].sort()).toEqual(
    (
      "already_claimed amount_below_claimed archived changed claim_not_found claim_released claimed coupon_archived coupon_exists ended found given_back has_claim " +
      "has_hold held held_already hold_limit_reached hold_released hold_too_long idempotency_key_reused invalid_request listed " +
      "out_of_stock position_mismatch released replayed sale_ended sale_not_started sale_paused"
    ).split(" "),
  );
});
