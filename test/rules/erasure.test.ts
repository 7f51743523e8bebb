// An erasure puts a pseudonym in the place of a user's id. No other answer shows it.

import { array, assert, constantFrom, integer, property, tuple } from "fast-check";
import { expect, test } from "vitest";

import { covers, received } from "../../src/domain/certificate.ts";
import { BYPASS_ROWS_MAX } from "../../src/domain/limits.ts";
import { pseudonymOf } from "../../src/domain/pseudonym.ts";
import {
  asks,
  contents,
  EngineCalls,
  ERASURE_KEY,
  expectConserved,
  holdOf,
  manyClaims,
  newCoupon,
  opened,
  outcomes,
  T0,
  type Opened,
} from "./coupon.ts";
import { nodeSql } from "./node-sql.ts";

const ANN = pseudonymOf(ERASURE_KEY, "ann");

/** Ann had a hold that was released, a hold that expired, and a claim that was revoked. She has a claim with a key. Bob has one too. */
function busy(amount = 3): Opened {
  const coupon = opened(amount);
  const { engine } = coupon;
  engine.hold(holdOf("ann", 60_000, "of ann 1"), T0);
  engine.releaseHold("ann", T0);
  engine.hold(holdOf("ann", 1_000, "of ann 2"), T0);
  engine.claimAll([asks("bob", { key: "k" })], T0 + 1_000);
  engine.claimAll([asks("ann", { key: "ann-1" })], T0 + 1_000);
  engine.revoke({ userId: "ann", position: null }, T0 + 1_000);
  engine.claimAll([asks("ann", { key: "ann-2" })], T0 + 1_000);
  return coupon;
}

test("an erasure leaves no trace of the id in any table, and every count as it was", () => {
  const { engine, sql } = busy();
  const before = engine.read({ claimedBy: false }, T0 + 2_000);
  expect(engine.erase("ann", T0 + 2_000)).toEqual({ ok: true, eventCount: 7, seq: 10 });
  expect(JSON.stringify(contents(sql))).not.toContain("ann");
  const { coupon } = engine.read({ claimedBy: true }, T0 + 2_000) as Extract<typeof before, { ok: true }>;
  expect(coupon).toMatchObject({ claimed: 2, held: 0, lastPosition: 3, claimedBy: ["bob", ANN] });
  expect(engine.one({ kind: "history", after: 9, limit: 9 }, T0 + 2_000)).toMatchObject({
    events: [{ seq: 10, kind: "erased", actor: "alice", userId: ANN, erasedSeqs: [2, 3, 4, 5, 7, 8, 9] }],
  });
  expectConserved(sql, 2);
});

test("a repeated erasure, and one of a user without events, change nothing", () => {
  const { engine, sql } = busy();
  engine.erase("ann", T0 + 2_000);
  const before = contents(sql);
  for (const userId of ["ann", "cid"]) expect(engine.erase(userId, T0 + 3_000)).toEqual({ ok: true, eventCount: 0, seq: 10 });
  expect(contents(sql)).toEqual(before);
});

test("an erased user's retries get the receipt under the pseudonym, and no second unit", () => {
  const { engine, sql } = busy();
  engine.erase("ann", T0 + 2_000);
  const cold = new EngineCalls(sql);
  const retries = [asks("ann"), asks("ann", { key: "ann-2" }), asks("ann", { key: "ann-1" }), asks("ann", { key: "k" })];
  const results = cold.claimAll([...retries, asks("cid", { key: "ann-2" })], T0 + 3_000);
  expect(outcomes(results)).toEqual(["already_claimed", "replayed", "already_claimed", "already_claimed", "granted"]);
  expect(results.slice(0, 4)).toMatchObject(retries.map(() => ({ claim: { userId: ANN, position: 3 } })));
  expect(cold.getUserClaim("ann", T0 + 3_000)).toEqual(cold.getUserClaim(ANN, T0 + 3_000));
  expect(outcomes(cold.claimAll([asks("ann"), asks("dan")], T0 + 3_000))).toEqual(["already_claimed", "out_of_stock"]);
  expectConserved(sql, 3);
});

test("the Worker's retry after an erasure finds the attempt that it sent", () => {
  const { engine } = opened(1);
  const request = asks("ann", { attemptId: "own" });
  engine.claimAll([request], T0);
  engine.erase("ann", T0);
  expect(engine.claimAll([request], T0)).toMatchObject([{ replayed: true, claim: { userId: ANN, attemptId: "own" } }]);
});

test("an erased user whose claim was revoked can claim again under the id, and be erased again", () => {
  const { engine, sql } = busy();
  engine.erase("ann", T0 + 2_000);
  engine.revoke({ userId: "ann", position: 3 }, T0 + 2_000);
  const again = [asks("ann", { key: "ann-2" }), asks("ann", { key: "ann-3" })];
  const results = engine.claimAll(again, T0 + 3_000);
  expect(outcomes(results)).toEqual(["claim_released", "granted"]);
  expect(results).toMatchObject([{ claim: { userId: ANN } }, { claim: { userId: "ann", key: "ann-3", position: 4 } }]);
  expect(engine.erase("ann", T0 + 3_000)).toMatchObject({ eventCount: 1 });
  expect(engine.getUserClaim("ann", T0 + 3_000)).toMatchObject({ claim: { userId: ANN, position: 4 } });
  expect(JSON.stringify(contents(sql))).not.toContain("ann");
  expectConserved(sql, 2);
});

test("two users of one idempotency key can both be erased", () => {
  const { engine, sql } = opened(3);
  engine.claimAll([asks("ann", { key: "k" })], T0);
  engine.erase("ann", T0);
  engine.hold(holdOf("bob", 60_000), T0);
  engine.erase("bob", T0);
  const results = engine.claimAll([asks("bob", { key: "k" }), asks("cid", { key: "k" })], T0);
  expect(outcomes(results)).toEqual(["granted", "granted"]);
  expect(engine.erase("cid", T0)).toMatchObject({ ok: true, eventCount: 1 });
  expect(
    outcomes(
      engine.claimAll(
        ["ann", "bob", "cid"].map((user) => asks(user, { key: "k" })),
        T0,
      ),
    ),
  ).toEqual(["replayed", "replayed", "replayed"]);
  expectConserved(sql, 3);
});

test("an erasure lists at most 500 events in one event", () => {
  const { engine, sql } = opened(1);
  for (let turn = 0; turn < 300; turn += 1) {
    engine.hold(holdOf("ann", 1_000, `try-${turn}`), T0);
    engine.releaseHold("ann", T0);
  }
  engine.erase("ann", T0);
  const listed = sql.all("SELECT json_array_length(data, '$.seqs') AS count FROM ledger WHERE kind = 'erased' ORDER BY seq");
  expect(listed).toEqual([{ count: 500 }, { count: 100 }]);
  expectConserved(sql, 0);
});

test("an erasure renames the events of deleted incarnations, with and without a living coupon", () => {
  const { engine, sql } = busy();
  engine.one({ kind: "remove", keepsLedger: true }, T0 + 2_000);
  expect(engine.erase("ann", T0 + 2_000)).toEqual({ ok: true, eventCount: 7, seq: 0 });
  engine.create(newCoupon(1), "epoch-2", T0 + 3_000);
  engine.claimAll([asks("bob")], T0 + 3_000);
  expect(engine.erase("bob", T0 + 4_000)).toEqual({ ok: true, eventCount: 2, seq: 3 });
  expect(JSON.stringify(contents(sql))).not.toMatch(/ann|bob/);
  expect(new EngineCalls(nodeSql()).erase("ann", T0)).toMatchObject({ ok: false, code: "coupon_not_found" });
});

/** Whether a new certificate lets a user with a claim be refused, and one without. The set is built in as many steps as it needs. */
function covered(engine: EngineCalls, between: () => void = () => undefined): boolean[] {
  const certify = () => engine.certify({ known: null, refused: {} }, T0 + 3_000);
  let result = certify();
  between();
  while (!result.ok) result = certify();
  const certificate = result.certificate === null ? null : received(result.certificate, null, T0);
  if (certificate === null) throw new Error("nothing is certified");
  return ["ann", "eve"].map((userId) => covers(certificate, { userId, key: null }, T0));
}

test("a certificate never covers an erased user, before or after a restart, or during its making", () => {
  const { engine, sql } = busy(2);
  expect(covered(engine)).toEqual([false, true]);
  engine.erase("ann", T0 + 2_000);
  expect([covered(engine), covered(new EngineCalls(sql))]).toEqual([
    [false, true],
    [false, true],
  ]);
  const large = opened(BYPASS_ROWS_MAX + 10);
  large.engine.claimAll(manyClaims(BYPASS_ROWS_MAX + 9, "zoe"), T0);
  // The first step of the set has read everything but the last rows, and the pseudonym is before them.
  large.engine.claimAll([asks("zoe-999999-ann")], T0);
  expect(large.engine.certify({ known: null, refused: {} }, T0)).toMatchObject({ code: "bypass_incomplete" });
  large.engine.erase("zoe-999999-ann", T0);
  const certificate = large.engine.certify({ known: null, refused: {} }, T0);
  if (!certificate.ok || certificate.certificate === null) throw new Error("nothing is certified");
  const kept = received(certificate.certificate, null, T0);
  expect(kept !== null && covers(kept, { userId: "zoe-999999-ann", key: null }, T0)).toBe(false);
});

type Step = readonly [what: "claim" | "hold" | "release" | "revoke" | "get" | "erase" | "wait", user: string, attempt: number];

/** What an answer says besides ids and seqs. */
function said(answer: object): unknown {
  return JSON.parse(
    JSON.stringify(answer, (name, value: unknown) => (["seq", "userId", "key", "attemptId"].includes(name) ? undefined : value)),
  );
}

/** The answers to the steps. Without `isErasing`, no user is erased. */
function answersTo(steps: readonly Step[], isErasing: boolean): unknown[] {
  const { engine, sql } = opened(2);
  let at = T0;
  const answers = steps.map(([what, userId, attempt]) => {
    const attemptId = `${userId}/${what}/${attempt}`;
    if (what === "claim") return said(engine.claimAll([{ userId, key: attempt > 2 ? `${userId}-${attempt}` : null, attemptId }], at));
    if (what === "hold") return said(engine.hold(holdOf(userId, 10, attemptId), at));
    if (what === "release") return said(engine.releaseHold(userId, at));
    if (what === "revoke") return said(engine.revoke({ userId, position: attempt > 2 ? attempt - 2 : null }, at));
    if (what === "get") return said(engine.getUserClaim(userId, at));
    if (what === "wait") at += 4;
    else if (isErasing) engine.erase(userId, at);
    return null;
  });
  expectConserved(sql);
  return answers;
}

test("with and without erasures, every answer is the same but for ids and seqs", () => {
  const step = tuple(
    constantFrom(
      "claim" as const,
      "claim" as const,
      "hold" as const,
      "release" as const,
      "revoke" as const,
      "get" as const,
      "erase" as const,
      "wait" as const,
    ),
    constantFrom("ann", "bob"),
    integer({ min: 1, max: 4 }),
  );
  assert(
    property(array(step, { minLength: 30, maxLength: 40 }), (steps) => {
      expect(answersTo(steps, true)).toEqual(answersTo(steps, false));
    }),
    { numRuns: 300 },
  );
});
