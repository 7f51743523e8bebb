// Asking again: the same attempt gets the same answer, another attempt gets what the user has.

import { describe, expect, test } from "vitest";

import { asks, contents, EngineCalls, expectConserved, opened, outcomes, T0, type Opened } from "./coupon.ts";

const RECEIPT = { userId: "ann", position: 1, claimedAt: T0, remainingAfter: 1 };

/** Two units, one of them ann's: under the key `k`, in the attempt `first`. */
function withAnn(): Opened {
  const coupon = opened(2);
  coupon.engine.claimAll([asks("ann", { key: "k", attemptId: "first" })], T0);
  return coupon;
}

describe("a winner who asks again", () => {
  test.for([
    ["with the same key", { key: "k" }],
    ["in the same attempt", { attemptId: "first" }],
    ["in the same attempt under another key", { key: "other", attemptId: "first" }],
  ] as const)("%s gets the original receipt", ([, more]) => {
    const { engine, sql } = withAnn();
    const before = contents(sql);
    expect(engine.claimAll([asks("ann", more)], T0 + 60_000)).toMatchObject([{ ok: true, replayed: true, claim: RECEIPT, seq: 2 }]);
    expect(contents(sql)).toEqual(before);
  });

  test.for([
    ["without a key", { key: null }],
    ["with another key", { key: "other" }],
  ] as const)("%s gets 409 with the receipt", ([, more]) => {
    const { engine, sql } = withAnn();
    const before = contents(sql);
    expect(engine.claimAll([asks("ann", more)], T0 + 60_000)).toMatchObject([
      { ok: false, code: "already_claimed", claim: RECEIPT, seq: 2 },
    ]);
    expect(contents(sql)).toEqual(before);
  });

  test("without a key both times is no replay", () => {
    const { engine } = opened(2);
    expect(outcomes(engine.claimAll([asks("ann"), asks("ann")], T0))).toEqual(["granted", "already_claimed"]);
  });

  test("gets the receipt though it is sold out, paused, ended, or to start later", () => {
    const again = [asks("ann", { key: "k" }), asks("ann"), asks("loser")];
    for (const [change, refusal] of [
      ["amount = 1", "out_of_stock"],
      ["paused = 1", "sale_paused"],
      [`ends_at = ${T0}`, "sale_ended"],
      [`starts_at = ${T0 + 1}`, "sale_not_started"],
    ] as const) {
      const { engine, sql } = opened(2);
      engine.claimAll([asks("ann", { key: "k" })], T0);
      sql.database.exec(`UPDATE coupon SET ${change}`);
      expect(outcomes(new EngineCalls(sql).claimAll(again, T0))).toEqual(["replayed", "already_claimed", refusal]);
    }
  });
});

test("a winner who sends another user's key gets the own receipt", () => {
  const { engine, sql } = withAnn();
  engine.claimAll([asks("bob")], T0);
  const before = contents(sql);
  expect(engine.claimAll([asks("bob", { key: "k" })], T0)).toMatchObject([
    { code: "already_claimed", claim: { userId: "bob", position: 2 } },
  ]);
  expect(contents(sql)).toEqual(before);
});

describe("a key that another user's claim carries", () => {
  test("is refused, and uses up nothing", () => {
    const { engine, sql } = withAnn();
    const before = contents(sql);
    expect(engine.claimAll([asks("bob", { key: "k" })], T0)).toEqual([{ ok: false, code: "idempotency_key_reused", seq: 2 }]);
    expect(contents(sql)).toEqual(before);
    expect(outcomes(engine.claimAll([asks("bob", { key: "k2" })], T0))).toEqual(["granted"]);
  });

  test("is refused within one batch, too", () => {
    const { engine, sql } = opened(5);
    const results = engine.claimAll([asks("ann", { key: "k" }), asks("bob", { key: "k" }), asks("ann", { key: "k" })], T0);
    expect(outcomes(results)).toEqual(["granted", "idempotency_key_reused", "replayed"]);
    expectConserved(sql, 1);
  });

  test("is refused whatever the sale's state", () => {
    const { sql } = withAnn();
    sql.database.exec(`UPDATE coupon SET ends_at = ${T0}`);
    expect(outcomes(new EngineCalls(sql).claimAll([asks("bob", { key: "k" })], T0))).toEqual(["idempotency_key_reused"]);
  });

  test("is kept by a granted claim alone, not by a refused one", () => {
    const { engine } = opened(1);
    expect(outcomes(engine.claimAll([asks("ann"), asks("bob", { key: "k" }), asks("cid", { key: "k" })], T0))).toEqual([
      "granted",
      "out_of_stock",
      "out_of_stock",
    ]);
  });

  test.for([
    ["in the same batch", false],
    ["before", true],
  ] as const)("is free again for others once its claim, made %s, is revoked in the batch", ([, isStored]) => {
    const { engine, sql } = opened(5);
    const ann = { kind: "claim", request: asks("ann", { key: "k" }) } as const;
    const revoke = { kind: "revoke", request: { userId: "ann", position: null } } as const;
    const bob = { kind: "claim", request: asks("bob", { key: "k" }) } as const;
    if (isStored) engine.one(ann, T0);
    const answers = engine.batch<"claim" | "revoke">(isStored ? [revoke, bob] : [ann, revoke, bob], T0);
    expect(answers.at(-1)).toMatchObject({ ok: true, claim: { userId: "bob", position: 2, key: "k" } });
    expect(sql.all("SELECT user_id, idempotency_key AS key FROM claims")).toEqual([{ user_id: "bob", key: "k" }]);
  });

  test("is compared exactly", () => {
    const { engine } = withAnn();
    const keys = ["K", " k", "k ", "kk"];
    expect(
      outcomes(
        engine.claimAll(
          keys.slice(0, 1).map((key) => asks("bob", { key })),
          T0,
        ),
      ),
    ).toEqual(["granted"]);
    expect(
      outcomes(
        engine.claimAll(
          keys.slice(1).map((key) => asks("ann", { key })),
          T0,
        ),
      ),
    ).toEqual(Array(3).fill("already_claimed"));
  });
});

test("two users under the same attempt id are two users", () => {
  const { engine, sql } = opened(5);
  const results = engine.claimAll([asks("ann", { attemptId: "x" }), asks("bob", { attemptId: "x" })], T0);
  expect(outcomes(results)).toEqual(["granted", "granted"]);
  expectConserved(sql, 2);
});
