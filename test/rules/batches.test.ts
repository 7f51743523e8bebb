// The engine over random sales: it says what the model says, and how claims are cut into batches changes nothing.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { ClaimResult } from "../../src/domain/rpc.ts";
import { EngineCalls, expectConserved, newCoupon, storedClaims } from "./coupon.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";
import type { Ask, ModelAnswer } from "./model.ts";
import { inModelWords, modelled, requestOf, scenario, T0, timed, type Scenario } from "./scenario.ts";

/** Cuts what is asked in one instant into batches. */
type Cut = (asks: readonly Ask[], round: number) => readonly (readonly Ask[])[];

const WHOLE: Cut = (asks) => [asks];
const ONE_BY_ONE: Cut = (asks) => asks.map((ask) => [ask]);

/** Batches of these sizes, over and over. */
function cutAt(sizes: readonly number[]): Cut {
  return (asks, round) => {
    const batches: (readonly Ask[])[] = [];
    for (let taken = 0; taken < asks.length; taken += batches.at(-1)?.length ?? 1) {
      const size = sizes[(round + batches.length) % sizes.length] ?? 1;
      batches.push(asks.slice(taken, taken + size));
    }
    return batches;
  };
}

/** Runs the whole sale; a cold one loses its memory before every batch. */
function run(sale: Scenario, cut: Cut, isCold = false): { readonly results: readonly ClaimResult[]; readonly sql: NodeSql } {
  const sql = nodeSql();
  let engine = new EngineCalls(sql);
  const { amount, startsAt, endsAt, paused } = sale.terms;
  engine.create(newCoupon(amount, { startsAt, endsAt }), "epoch-1", T0);
  engine.change({ paused }, null, T0);
  const results = timed(sale).flatMap(({ now, asks }, round) => {
    const batches = cut(asks, round);
    return batches.flatMap((batch) => {
      if (isCold) engine = new EngineCalls(sql);
      return engine.claimAll(batch.map(requestOf), now);
    });
  });
  return { results, sql };
}

function answers(results: readonly ClaimResult[]): ModelAnswer[] {
  return results.map((result) => inModelWords(result.ok ? (result.replayed ? "replayed" : "granted") : result.code, result.claim));
}

function timeless({ outcome, receipt }: ModelAnswer) {
  return { outcome, user: receipt?.user, position: receipt?.position, left: receipt?.left };
}

/** What must not depend on the batches: who has what, and what happened in which order. */
function kept(sql: NodeSql) {
  return {
    claims: sql.all("SELECT * FROM claims ORDER BY user_id"),
    ledger: sql.all("SELECT * FROM ledger ORDER BY seq"),
    coupon: sql.all("SELECT amount, claimed, held, last_position, seq, clock_at FROM coupon"),
  };
}

test("the engine answers as an independent model does, and stores its answers", () => {
  fc.assert(
    fc.property(scenario, (sale) => {
      const { results, sql } = run(sale, WHOLE);
      const model = modelled(sale);
      expect(answers(results)).toEqual(model.answers);
      expect(storedClaims(sql).map(({ user_id }) => user_id)).toEqual(model.sale.winners.map(({ user }) => user));
      expectConserved(sql, model.sale.winners.length);
    }),
    { numRuns: 300 },
  );
});

test("the same claims in other batches get the same answers and leave the same rows", () => {
  fc.assert(
    fc.property(scenario, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }), (sale, sizes) => {
      const whole = run(sale, WHOLE);
      for (const cut of [ONE_BY_ONE, cutAt(sizes)]) {
        const other = run(sale, cut);
        expect(other.results).toEqual(whole.results);
        expect(kept(other.sql)).toEqual(kept(whole.sql));
      }
    }),
    { numRuns: 150 },
  );
});

test("an engine without memory answers the same; only its clock may step back", () => {
  fc.assert(
    fc.property(scenario, (sale) => {
      const warm = run(sale, WHOLE);
      const cold = run(sale, ONE_BY_ONE, true);
      expect(answers(cold.results).map(timeless)).toEqual(answers(warm.results).map(timeless));
      expect(cold.results.map(({ seq }) => seq)).toEqual(warm.results.map(({ seq }) => seq));
      expect(storedClaims(cold.sql).map(({ user_id }) => user_id)).toEqual(storedClaims(warm.sql).map(({ user_id }) => user_id));
    }),
    { numRuns: 150 },
  );
});

test("no answer names a seq that the ledger has not reached", () => {
  fc.assert(
    fc.property(scenario, (sale) => {
      const { results, sql } = run(sale, ONE_BY_ONE);
      const heads = results.map(({ seq }) => seq);
      expect(heads).toEqual([...heads].sort((a, b) => a - b));
      expect(sql.all<{ seq: number }>("SELECT seq FROM coupon")[0]?.seq).toBe(heads.at(-1) ?? 1 + Number(sale.terms.paused));
      const granted = results.filter((result) => result.ok && !result.replayed);
      const events = sql.all("SELECT seq, user_id, position FROM ledger WHERE kind = 'claimed' ORDER BY seq");
      expect(granted.map((result) => ({ seq: result.seq, user_id: result.claim?.userId, position: result.claim?.position }))).toEqual(
        events,
      );
    }),
    { numRuns: 150 },
  );
});
