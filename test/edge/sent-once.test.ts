// What the routes send once, and what they may repeat: an answer that is lost on its way shows the difference.

import { describe, expect, test } from "vitest";

import { hold, outcome, pathOf, release } from "../sale/sale.ts";
import { claim, create, created, freshName, look, type Answer } from "../support/api.ts";
import { answerLost, platform, platformError, sendOver, type Platform } from "../support/platform-faults.ts";

const LOST = answerLost(platformError({ retryable: true, durableObjectReset: true }));

type Send = (over: Platform, name: string) => Promise<Answer>;

async function etag(name: string): Promise<string> {
  return (await look(name)).headers.get("ETag") ?? "";
}

const ONCE: readonly (readonly [string, string, Send])[] = [
  ["a deletion", "remove", (over, name) => sendOver(over, "DELETE", pathOf(name))],
  ["a revocation without a position", "release", (over, name) => sendOver(over, "DELETE", pathOf(name, "claims", "ada"))],
  [
    "a change with If-Match",
    "change",
    async (over, name) => sendOver(over, "PATCH", pathOf(name), { body: { amount: 9 }, headers: { "If-Match": await etag(name) } }),
  ],
  ["the release of a hold", "giveBack", (over, name) => sendOver(over, "DELETE", pathOf(name, "holds", "bob"))],
  ["the end of all holds", "endHolds", (over, name) => sendOver(over, "DELETE", pathOf(name, "holds"))],
];

const REPEATED: readonly (readonly [string, string, Send, string])[] = [
  [
    "a claim",
    "claim",
    (over, name) => sendOver(over, "POST", "/api/coupons/claim", { body: { user_id: "cid", coupon_name: name } }),
    "201",
  ],
  ["a hold", "hold", (over, name) => sendOver(over, "POST", pathOf(name, "holds"), { body: { user_id: "cid", ttl_seconds: 60 } }), "201"],
  ["a bulk claim", "claimMany", (over, name) => sendOver(over, "POST", pathOf(name, "claims"), { body: { user_ids: ["cid"] } }), "200"],
  [
    "a revocation with a position",
    "release",
    (over, name) => sendOver(over, "DELETE", `${pathOf(name, "claims", "ada")}?position=1`),
    "200",
  ],
  ["a change without If-Match", "change", (over, name) => sendOver(over, "PATCH", pathOf(name), { body: { amount: 9 } }), "200"],
  ["a user's own claim", "own", (over, name) => sendOver(over, "GET", pathOf(name, "claims", "ada")), "200"],
  ["a coupon", "read", (over, name) => sendOver(over, "GET", pathOf(name)), "200"],
  ["the list of claims", "page", (over, name) => sendOver(over, "GET", pathOf(name, "claims")), "200"],
  ["the list of holds", "holds", (over, name) => sendOver(over, "GET", pathOf(name, "holds")), "200"],
];

/** Ada has the first of five units, and bob holds one. */
async function sale(): Promise<string> {
  const name = await created(5);
  expect(outcome(await claim(name, "ada"))).toBe("201");
  expect(outcome(await hold(name, "bob"))).toBe("201");
  return name;
}

describe.for(ONCE)("the answer of %s, once lost,", ([, method, sent]) => {
  test("is outcome_unknown after one call", async () => {
    const over = platform(LOST);
    const answer = await sent(over, await sale());
    expect(outcome(answer)).toBe("503 outcome_unknown");
    expect(over.calls).toEqual([{ method, stub: 1 }]);
  });
});

describe.for(REPEATED)("the answer of %s, once lost,", ([, method, sent, expected]) => {
  test("is had by a second call", async () => {
    const over = platform(LOST);
    const answer = await sent(over, await sale());
    expect(outcome(answer)).toBe(expected);
    expect(over.calls).toEqual([
      { method, stub: 1 },
      { method, stub: 2 },
    ]);
  });
});

test("a create whose answer is lost is outcome_unknown after one call", async () => {
  const name = freshName();
  const over = platform(LOST);
  expect(outcome(await sendOver(over, "POST", "/api/coupons", { body: { name, amount: 5 } }))).toBe("503 outcome_unknown");
  expect(over.calls).toEqual([{ method: "create", stub: 1 }]);
  expect(outcome(await create(name, 5))).toBe("409 coupon_exists");
});

test("a bulk claim that the Worker repeats is granted, not replayed or claimed already", async () => {
  const name = await created(2);
  const body = { user_ids: ["ada", "bob", "cid"] };
  const answer = await sendOver(platform(LOST), "POST", pathOf(name, "claims"), { body });
  expect(answer.body).toMatchObject({ granted_count: 2, remaining_amount: 0 });
  const results = answer.body["results"] as readonly { readonly outcome: string }[];
  expect(results.map((one) => one.outcome)).toEqual(["granted", "granted", "out_of_stock"]);
  expect((await look(name)).body).toMatchObject({ remaining_amount: 0, claimed_by: ["ada", "bob"] });
});

test("a revoked claim, revoked again without a position, stays revoked once", async () => {
  const name = await sale();
  expect(outcome(await release(name, "ada"))).toBe("200");
  expect(outcome(await claim(name, "ada"))).toBe("201");
  expect(outcome(await sendOver(platform(LOST), "DELETE", pathOf(name, "claims", "ada")))).toBe("503 outcome_unknown");
  expect((await look(name)).body).toMatchObject({ remaining_amount: 4, claimed_by: [] });
});
