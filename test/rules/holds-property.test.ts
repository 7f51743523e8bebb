// Random lives of a coupon, with claims, holds, releases, changes, a clock that trembles and memory that is lost, against a model.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { Claim, Hold } from "../../src/domain/claim.ts";
import type { ClaimResult } from "../../src/domain/rpc.ts";
import { EngineCalls, expectConserved, newCoupon, T0 } from "./coupon.ts";
import { ModelCoupon, type Ask, type Books, type Receipt, type Terms, type ModelAnswer } from "./holds-model.ts";
import { nodeSql, type NodeSql } from "./node-sql.ts";

type Act =
  | { readonly do: "claim"; readonly asks: readonly Ask[] }
  | { readonly do: "hold"; readonly user: string; readonly ttlMs: number; readonly attempt: string }
  | { readonly do: "give back" | "own"; readonly user: string }
  | { readonly do: "release"; readonly user: string; readonly position: number | null }
  | { readonly do: "change"; readonly change: Partial<Terms> }
  | { readonly do: "create" | "end holds" | "expire" | "lose memory" };
type Step = { readonly moveMs: number; readonly act: Act };

const user = fc.constantFrom("ann", "bob", "cid", "dan");
// Few of each, so that they meet often: with their owner and with others.
const attempt = fc.constantFrom("a1", "a2", "a3", "a4");
const ask = fc.record({ user, key: fc.option(fc.constantFrom("k1", "k2"), { freq: 2 }), attempt });
const end = fc.option(fc.integer({ min: -50, max: 250 }).map((afterMs) => T0 + afterMs));
const change: fc.Arbitrary<Partial<Terms>> = fc.record(
  {
    amount: fc.integer({ min: 1, max: 6 }),
    startsAt: end,
    endsAt: end,
    paused: fc.boolean(),
    holdSecondsMax: fc.constantFrom(1, 2),
    holdsMax: fc.constantFrom(null, 1, 2),
  },
  { requiredKeys: [] },
);

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("claim"), asks: fc.array(ask, { minLength: 1, maxLength: 4 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("hold"),
      user,
      ttlMs: fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 1, max: 90 }) }, fc.constant(1001)),
      attempt,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("give back", "own"), user }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("release"), user, position: fc.option(fc.integer({ min: 1, max: 5 })) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("change"), change }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("create", "end holds", "expire", "lose memory", "lose memory") }) },
);
/** Between two acts the clock moves on, stands still, or falls back. */
const moveMs = fc.oneof(fc.constant(0), fc.integer({ min: -30, max: 60 }));
const step: fc.Arbitrary<Step> = fc.record({ moveMs, act });
const life = fc.record({ amount: fc.integer({ min: 1, max: 4 }), steps: fc.array(step, { maxLength: 50, size: "max" }) });
type Life = { readonly amount: number; readonly steps: readonly Step[] };

function receiptOf({ userId, key, attemptId, position, claimedAt, remainingAfter }: Claim): Receipt {
  return { user: userId, key, attempt: attemptId, position, at: claimedAt, left: remainingAfter };
}

function holdOf({ userId, attemptId, heldAt, expiresAt }: Hold) {
  return { user: userId, attempt: attemptId, from: heldAt, until: expiresAt };
}

/** A refusal in the model's words. */
function refused(result: {
  readonly code: string;
  readonly claim?: Claim;
  readonly startsInMs?: number;
  readonly amountMin?: number;
  readonly ttlSecondsMax?: number;
  readonly seq: number;
}): ModelAnswer {
  const { code, claim, startsInMs, amountMin, ttlSecondsMax, seq } = result;
  return {
    word: code,
    ...(claim === undefined ? {} : { receipt: receiptOf(claim) }),
    ...(startsInMs === undefined ? {} : { startsInMs }),
    ...(amountMin === undefined ? {} : { amountMin }),
    ...(ttlSecondsMax === undefined ? {} : { longest: ttlSecondsMax }),
    seq,
  };
}

function claimed(result: ClaimResult): ModelAnswer {
  if (!result.ok) return refused(result);
  return { word: result.replayed ? "replayed" : "granted", receipt: receiptOf(result.claim), seq: result.seq };
}

/** Does one act on the product; returns its answers in the model's words. */
function done(engine: EngineCalls, what: Act, now: number): ModelAnswer[] {
  switch (what.do) {
    case "claim":
      return engine
        .claimAll(
          what.asks.map(({ user: userId, key, attempt: attemptId }) => ({ userId, key, attemptId })),
          now,
        )
        .map(claimed);
    case "hold": {
      const result = engine.hold({ userId: what.user, ttlMs: what.ttlMs, attemptId: what.attempt }, now);
      if (!result.ok) return [refused(result)];
      return [{ word: result.isNew ? "held" : "held before", hold: holdOf(result.hold), left: result.remaining, seq: result.seq }];
    }
    case "give back":
      return [{ word: "given back", seq: engine.releaseHold(what.user, now).seq }];
    case "own": {
      const result = engine.getUserClaim(what.user, now);
      if (!result.ok) return [refused(result)];
      if ("claim" in result) return [{ word: "claim", receipt: receiptOf(result.claim), seq: result.seq }];
      return [{ word: "hold", hold: holdOf(result.hold), seq: result.seq }];
    }
    case "release": {
      const result = engine.revoke({ userId: what.user, position: what.position }, now);
      if (!result.ok) return [refused(result)];
      const { revoked, remaining, seq } = result;
      return [{ word: "released", receipt: receiptOf(revoked.claim), releasedAt: revoked.revokedAt, left: remaining, seq }];
    }
    case "change": {
      const result = engine.change(what.change, null, now);
      if (!result.ok) return [refused(result)];
      const { amount, claimed: given, held, state } = result.coupon;
      return [{ word: "changed", state, left: amount - given - held, seq: result.seq }];
    }
    case "create": {
      const result = engine.create(newCoupon(1000), "epoch-2", now);
      return [result.ok ? { word: "created" } : refused(result)];
    }
    case "end holds": {
      const result = engine.releaseAllHolds(now);
      return [result.ok ? { word: "holds ended", count: result.count, left: result.remaining, seq: result.seq } : refused(result)];
    }
    case "expire":
      engine.expire(now);
      return [];
    default:
      return [];
  }
}

/** The model's answers to the same act. A create that is refused and a loss of memory look at nothing, so no time passes. */
function expectedOf(model: ModelCoupon, what: Act, now: number): ModelAnswer[] {
  if (what.do === "create") return [model.create()];
  if (what.do === "lose memory") return [];
  model.arrive(now);
  if (what.do === "claim") return what.asks.map((one) => model.claim(one));
  if (what.do === "hold") return [model.hold(what.user, what.ttlMs, what.attempt)];
  if (what.do === "give back") return [model.releaseHold(what.user)];
  if (what.do === "own") return [model.own(what.user)];
  if (what.do === "end holds") return [model.releaseAllHolds()];
  if (what.do === "release") return [model.release(what.user, what.position)];
  return what.do === "change" ? [model.change(what.change)] : [];
}

/** What the tables say. */
function booksIn(sql: NodeSql): Books {
  const [row] = sql.all<Record<string, number | null>>(
    "SELECT amount, starts_at AS startsAt, ends_at AS endsAt, paused, hold_seconds_max AS holdSecondsMax, holds_max AS holdsMax, " +
      "last_position AS lastPosition, seq FROM coupon",
  );
  const { paused, lastPosition, seq, ...terms } = row ?? {};
  const claims =
    "SELECT user_id AS user, idempotency_key AS key, attempt_id AS attempt, position, claimed_at AS at, remaining_after AS left FROM claims";
  return {
    terms: { ...terms, paused: paused === 1 } as Terms,
    claims: sql.all<Receipt>(`${claims} ORDER BY position`),
    holds: sql.all("SELECT user_id AS user, attempt_id AS attempt, held_at AS 'from', expires_at AS until FROM holds ORDER BY user_id"),
    lastPosition: Number(lastPosition),
    seq: Number(seq),
  };
}

/**
 * Answers the coupon's time as it is written down, to which it falls back when memory is lost: never behind what happened last,
 * and never so far that the sale opens or closes once more.
 */
function expectClockKept(sql: NodeSql, model: ModelCoupon): number {
  const clockAt = Number(sql.all<{ clock_at: number }>("SELECT clock_at FROM coupon")[0]?.clock_at);
  expect([clockAt >= model.writtenAt, clockAt <= model.at]).toEqual([true, true]);
  expect(model.phaseAt(clockAt)).toBe(model.phaseAt(model.at));
  return clockAt;
}

/** Lives one life twice, in the product and in the model; returns every word of the answers. */
function expectAgreed({ amount, steps }: Life): string[] {
  const sql = nodeSql();
  let engine = new EngineCalls(sql);
  engine.create(newCoupon(amount), "epoch-1", T0);
  const model = new ModelCoupon({ amount, startsAt: null, endsAt: null, paused: false, holdSecondsMax: 86_400, holdsMax: null }, T0);
  const words: string[] = [];
  let now = T0;
  for (const { moveMs: movedMs, act: what } of steps) {
    now += movedMs;
    const answers = done(engine, what, now);
    expect(answers).toEqual(expectedOf(model, what, now));
    expect(booksIn(sql)).toEqual(model.books);
    const clockAt = expectClockKept(sql, model);
    if (what.do === "lose memory") [engine, model.at] = [new EngineCalls(sql), clockAt];
    words.push(...answers.map(({ word }) => word));
  }
  expectConserved(sql);
  return words;
}

test("the product answers as the model, act by act, and keeps the same books", () => {
  fc.assert(
    fc.property(life, (one) => {
      expectAgreed(one);
    }),
    { numRuns: 800 },
  );
});

test("the random lives reach every answer", () => {
  const words = new Set(fc.sample(life, { numRuns: 400, seed: 1 }).flatMap(expectAgreed));
  expect([...words].sort()).toEqual([
    "already_claimed",
    "amount_below_claimed",
    "changed",
    "claim",
    "claim_not_found",
    "claim_released",
    "coupon_exists",
    "given back",
    "granted",
    "held",
    "held before",
    "hold",
    "hold_limit_reached",
    "hold_released",
    "hold_too_long",
    "holds ended",
    "idempotency_key_reused",
    "invalid_request",
    "out_of_stock",
    "position_mismatch",
    "released",
    "replayed",
    "sale_ended",
    "sale_not_started",
    "sale_paused",
  ]);
});
