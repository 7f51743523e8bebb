// The order in which a claim is judged: of two reasons, the one that comes first in the contract is told.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import { claim, created, freshName, send, type Answer } from "../../support/api.ts";
import { stubOf } from "../../support/storage.ts";
import { expectRefused } from "./wire.ts";

const PAST = Date.parse("2020-01-01T00:00:00Z");
const FUTURE = Date.parse("2040-01-01T00:00:00Z");

/** Writes facts into a coupon's row past its rules, as an operator's change would, and has the object read them. */
async function alter(name: string, facts: { readonly starts_at?: number; readonly ends_at?: number; readonly paused?: 1 }): Promise<void> {
  await runInDurableObject(stubOf(name), (_object, { storage }) => {
    for (const [column, value] of Object.entries(facts)) storage.sql.exec(`UPDATE coupon SET ${column} = ?`, value);
  });
  await evictDurableObject(stubOf(name));
}

function claimWith(body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Answer> {
  return send("POST", "/api/coupons/claim", { body, headers });
}

describe("malformed comes before", () => {
  test.for([
    ["no user", { user_id: undefined }, "user_id is required"],
    ["no coupon name", { coupon_name: undefined }, "coupon_name is required"],
    ["a user who is no string", { user_id: 5 }, "user_id is invalid"],
  ] as const)("no such coupon: %s", async ([, fault, sentence]) => {
    const answer = await claimWith({ user_id: "user", coupon_name: freshName(), ...fault });
    expectRefused(answer, "400 invalid_request", `invalid request: ${sentence}`);
  });

  test("no such coupon: a key that is none", async () => {
    const answer = await claim(freshName(), "user", { "idempotency-key": "two words" });
    expectRefused(answer, "400 invalid_request", "invalid request: Idempotency-Key is invalid");
  });

  test("already claimed, and the replay: a winner whose key is none", async () => {
    const name = await created(1);
    await claim(name, "winner", { "idempotency-key": "key" });
    const answer = await claim(name, "winner", { "idempotency-key": "two words" });
    expectRefused(answer, "400 invalid_request", "invalid request: Idempotency-Key is invalid");
  });

  test("out of stock: a user who is blank", async () => {
    const name = await created(1);
    await claim(name, "winner");
    expectRefused(await claim(name, "  "), "400 invalid_request", "invalid request: user_id cannot be whitespace only");
  });

  test("the size of the body comes before what is in it", async () => {
    const answer = await claimWith({ user_id: 5, junk: "x".repeat(17_000) });
    expect([answer.status, answer.body["code"]]).toEqual([413, "payload_too_large"]);
  });
});

// Every coupon here has one unit, and the winner has it: whatever else is true, it is sold out too.
describe("of a coupon that is sold out", () => {
  test.for([
    ["and nothing else", {}, "400 out_of_stock"],
    ["and paused", { paused: 1 }, "403 sale_paused"],
    ["and not started", { starts_at: FUTURE }, "403 sale_not_started"],
    ["and not started and paused", { starts_at: FUTURE, paused: 1 }, "403 sale_not_started"],
    ["and ended", { ends_at: PAST }, "403 sale_ended"],
    ["and ended and paused", { ends_at: PAST, paused: 1 }, "403 sale_ended"],
  ] as const)("%s, the same key comes first, then the winner's claim, then %s", async ([, facts, newcomer]) => {
    const name = await created(1);
    const won = await claim(name, "winner", { "idempotency-key": "key" });
    await alter(name, facts);

    const replay = await claim(name, "winner", { "idempotency-key": "key" });
    expect(replay.status).toBe(201);
    expect(replay.body).toEqual(won.body);

    for (const headers of [{}, { "idempotency-key": "another" }]) {
      const again = await claim(name, "winner", headers);
      expectRefused(again, "409 already_claimed", "coupon already claimed by user");
      expect(again.body["claim"]).toMatchObject({ user_id: "winner", position: 1 });
    }

    const late = await claim(name, "newcomer", { "idempotency-key": "new" });
    expect(`${late.status} ${String(late.body["code"])}`).toBe(newcomer);
  });
});

describe("of a coupon with units left", () => {
  test.for([
    ["paused", { paused: 1 }, "403 sale_paused", "the sale is paused: claim again when its state is open"],
    ["not started", { starts_at: FUTURE }, "403 sale_not_started", "the sale has not started: see starts_at"],
    ["ended", { ends_at: PAST }, "403 sale_ended", "the sale has ended"],
  ] as const)("but %s, a newcomer gets none", async ([, facts, outcome, sentence]) => {
    const name = await created(5);
    await alter(name, facts);
    expectRefused(await claim(name, "newcomer"), outcome, sentence);
  });
});
