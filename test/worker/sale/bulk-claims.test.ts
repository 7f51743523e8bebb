// Bulk claims: many users in one transaction, each judged like a single claim.

import { expect, test } from "vitest";

import { claim, countOutcomes, created, freshName, pathOf, revoke, send, users, type Answer } from "../../support/api.ts";
import { setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { runSql } from "../../support/storage.ts";

function bulk(name: string, userIds: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return send("POST", pathOf(name, "claims"), { body: { user_ids: userIds }, headers });
}

function outcomesOf({ body }: Answer): string[] {
  const results = body["results"] as readonly { readonly outcome: string; readonly position?: number }[];
  return results.map(({ outcome, position }) => (position === undefined ? outcome : `${outcome} ${position}`));
}

test("a bulk claim answers users in the order of the list", async () => {
  setClock(T0);
  const name = await created(3);
  await claim(name, "early");
  const answer = await bulk(name, ["a", "early", "b", "c"]);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("Coupon-Seq")).toBe("4");
  expect(answer.body).toEqual({
    coupon_name: name,
    granted_count: 2,
    remaining_amount: 0,
    results: [
      { user_id: "a", outcome: "granted", position: 2, claimed_at: "2031-03-01T12:00:00.000Z" },
      { user_id: "early", outcome: "already_claimed", position: 1, claimed_at: "2031-03-01T12:00:00.000Z" },
      { user_id: "b", outcome: "granted", position: 3, claimed_at: "2031-03-01T12:00:00.000Z" },
      { user_id: "c", outcome: "out_of_stock" },
    ],
  });
  await expectConserved(name);
});

test("a bulk claim gives one unit to a user who is named twice", async () => {
  const name = await created(5);
  const answer = await bulk(name, ["twin", "twin"]);
  expect(outcomesOf(answer)).toEqual(["granted 1", "replayed 1"]);
  expect(answer.body).toMatchObject({ granted_count: 1, remaining_amount: 4 });
  await expectConserved(name);
});

test("a bulk claim with the same key again takes no units", async () => {
  const name = await created(3);
  const key = { "Idempotency-Key": "draw-7" };
  const first = await bulk(name, ["a", "b", "c", "d"], key);
  const again = await bulk(name, ["a", "b", "c", "d"], key);
  expect(outcomesOf(first)).toEqual(["granted 1", "granted 2", "granted 3", "out_of_stock"]);
  expect(outcomesOf(again)).toEqual(["replayed 1", "replayed 2", "replayed 3", "out_of_stock"]);
  expect(again.body["granted_count"]).toBe(0);
  // Another key, or none, is another attempt.
  expect(outcomesOf(await bulk(name, ["a"], { "Idempotency-Key": "draw-8" }))).toEqual(["already_claimed 1"]);
  expect(outcomesOf(await bulk(name, ["a"]))).toEqual(["already_claimed 1"]);
  await expectConserved(name);
});

test("a bulk claim has keys apart from those of single claims", async () => {
  const name = await created(3);
  await bulk(name, ["a"], { "Idempotency-Key": "k" });
  expect((await claim(name, "a", { "Idempotency-Key": "k" })).body["code"]).toBe("already_claimed");
  expect((await claim(name, "b", { "Idempotency-Key": "k" })).status).toBe(201);
  expect((await claim(name, "c", { "Idempotency-Key": "bulk k" })).body["code"]).toBe("invalid_request");
});

test("a bulk claim repeated after a revoke takes no unit", async () => {
  const name = await created(2);
  const key = { "Idempotency-Key": "draw-7" };
  await bulk(name, ["a", "b"], key);
  await revoke(name, "a");
  expect(outcomesOf(await bulk(name, ["a", "b"], key))).toEqual(["claim_released", "replayed 2"]);
  await expectConserved(name);
});

test("two bulk claims of 1,000 users among single claims never oversell", async () => {
  const name = await created(1500);
  const [first, second, ...singles] = await Promise.all([
    bulk(name, users(1000, "first")),
    bulk(name, users(1000, "second")),
    ...users(100, "single").map((user) => claim(name, user)),
  ]);
  const inBulk = [first, second].map((answer) => Number(answer?.body["granted_count"]));
  expect((inBulk[0] ?? 0) + (inBulk[1] ?? 0) + (countOutcomes(singles)["201"] ?? 0)).toBe(1500);
  await expectConserved(name);
});

test("a bulk claim that storage refuses for one user grants nothing", async () => {
  const name = await created(10);
  await runSql(name, "CREATE TRIGGER broken BEFORE INSERT ON claims WHEN NEW.user_id = 'b' BEGIN SELECT RAISE(ABORT, 'injected'); END");
  const refused = await bulk(name, ["a", "b", "c"]);
  expect([refused.status, refused.body["code"]]).toEqual([503, "unavailable"]);
  await runSql(name, "DROP TRIGGER broken");
  expect(outcomesOf(await bulk(name, ["a", "b", "c"]))).toEqual(["granted 1", "granted 2", "granted 3"]);
  await expectConserved(name);
});

test.for<[string, unknown, string, string]>([
  ["without users", undefined, "user_ids", "is required"],
  ["with an empty list", [], "user_ids", "must be a list of 1 to 1000 user ids"],
  ["with a text for a list", "a", "user_ids", "must be a list of 1 to 1000 user ids"],
  ["with 1,001 users", users(1001), "user_ids", "must be a list of 1 to 1000 user ids"],
  ["with a number as a user", ["a", 7], "user_ids.1", "is invalid"],
  ["with a blank user", ["a", "b", " "], "user_ids.2", "cannot be whitespace only"],
])("a bulk claim %s gets 400 and claims nothing", async ([, userIds, field, fault]) => {
  const name = await created(5);
  const answer = await bulk(name, userIds);
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({ code: "invalid_request", error: `invalid request: ${field} ${fault}`, fields: { [field]: fault } });
  expect((await expectConserved(name)).claims).toEqual([]);
});

test("a bulk claim of a missing coupon gets 404", async () => {
  const answer = await bulk(freshName(), ["a"]);
  expect([answer.status, answer.body["code"]]).toEqual([404, "coupon_not_found"]);
});

test("a bulk claim with a malformed key gets 400", async () => {
  const answer = await bulk(await created(1), ["a"], { "Idempotency-Key": "two words" });
  expect([answer.status, answer.body["error"]]).toEqual([400, "invalid request: Idempotency-Key is invalid"]);
});
