// How calls are cut into batches changes nothing.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { isExclusive } from "../../src/engine/message.ts";
import { messageOf, sale, type Attempted, type Sale } from "./calls.ts";
import { contents, EngineCalls, newCoupon, T0 } from "./coupon.ts";
import { nodeSql } from "./node-sql.ts";

/** Cuts the calls of one instant into batches. */
type Cut = (calls: readonly Attempted[], step: number) => readonly (readonly Attempted[])[];

const WHOLE: Cut = (calls) => [calls];
const ONE_BY_ONE: Cut = (calls) => calls.map((one) => [one]);

/** Batches of these sizes, over and over. */
function cutAt(sizes: readonly number[]): Cut {
  return (calls, step) => {
    const batches: (readonly Attempted[])[] = [];
    for (let taken = 0; taken < calls.length; taken += batches.at(-1)?.length ?? 1) {
      const size = sizes[(step + batches.length) % sizes.length] ?? 1;
      batches.push(calls.slice(taken, taken + size));
    }
    return batches;
  };
}

/** Returns every answer of a sale, and all that it leaves in the tables. */
function run({ terms, steps }: Sale, cut: Cut) {
  const sql = nodeSql();
  const engine = new EngineCalls(sql);
  engine.create(newCoupon(terms.amount, terms), "epoch-1", T0);
  let now = T0;
  const answers = steps.flatMap(({ moveMs, calls }, step) => {
    now += moveMs;
    const messages = calls.filter((one) => !isExclusive(messageOf(one)));
    return cut(messages, step).flatMap((batch) => engine.batch(batch.map(messageOf), now));
  });
  return { answers, tables: contents(sql) };
}

test("the same calls in other batches get the same answers and leave the same rows", () => {
  fc.assert(
    fc.property(sale, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }), (one, sizes) => {
      const whole = run(one, WHOLE);
      expect(run(one, ONE_BY_ONE)).toEqual(whole);
      expect(run(one, cutAt(sizes))).toEqual(whole);
    }),
    { numRuns: 150 },
  );
});
