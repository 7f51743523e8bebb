// The history of a coupon: its ledger over HTTP, with the operator who caused each event.

import { expect, test } from "vitest";

import { claim, created, freshName, hold, outcomeOf, pathOf, send, type Answer } from "../../support/api.ts";
import { expectRefused, WIRE_INSTANT } from "../../support/wire.ts";
import { workerWith } from "../../support/worker.ts";

const TOKEN = "current";
const PREVIOUS = "previous";
const ask = workerWith({ ADMIN_TOKEN: TOKEN, ADMIN_TOKEN_PREVIOUS: PREVIOUS, ADMIN_AUTH: undefined });
const OPERATOR = { authorization: `Bearer ${TOKEN}` };

function by(actor: string, method: string, path: string, body?: object): Promise<Answer> {
  return ask(method, path, { ...OPERATOR, body, headers: { "X-Actor": actor } });
}

function history(name: string, query = ""): Promise<Answer> {
  return send("GET", `${pathOf(name, "history")}${query}`);
}

/** Each event as `kind user by actor`. */
async function eventsOf(name: string): Promise<string[]> {
  const { body } = await history(name);
  return (body["events"] as Record<string, unknown>[]).map(
    ({ kind, user_id: user, actor }) => `${String(kind)} ${String(user)} by ${String(actor)}`,
  );
}

test("every action of an operator is in the history with its actor, and those of users have none", async () => {
  const name = freshName();
  await by("a-creator", "POST", "/api/coupons", { name, amount: 9 });
  await by("a-changer", "PATCH", pathOf(name), { amount: 8, holds_max: 3 });
  await by("a-bulk-claimer", "POST", pathOf(name, "claims"), { user_ids: ["bob", "cid"] });
  await claim(name, "ann");
  for (const user of ["dan", "eve", "fay"]) await hold(name, user);
  await by("a-releaser", "DELETE", pathOf(name, "holds", "dan"));
  await send("DELETE", pathOf(name, "holds", "eve"));
  await by("a-revoker", "DELETE", pathOf(name, "claims", "bob"));
  await by("a-holds-ender", "DELETE", pathOf(name, "holds"));
  await by("an-archiver", "POST", pathOf(name, "archive"));

  expect(await eventsOf(name)).toEqual([
    "created null by a-creator",
    "changed null by a-changer",
    "claimed bob by a-bulk-claimer",
    "claimed cid by a-bulk-claimer",
    "claimed ann by null",
    "held dan by null",
    "held eve by null",
    "held fay by null",
    "given_back dan by a-releaser",
    "given_back eve by null",
    "released bob by a-revoker",
    "given_back fay by a-holds-ender",
    "archived null by an-archiver",
  ]);
});

test("an event in the history has the details of its kind", async () => {
  const name = await created(5, { ends_at: "2100-01-01T00:00:00Z" });
  await claim(name, "ann");
  await hold(name, "bob", 60);

  const { status, body, headers } = await history(name);
  const at = expect.stringMatching(WIRE_INSTANT);
  const settings = {
    amount: 5,
    starts_at: null,
    ends_at: "2100-01-01T00:00:00.000Z",
    hold_seconds_max: 900,
    holds_max: null,
    title: null,
    description: null,
    image_url: null,
    paused: false,
  };
  expect([status, headers.get("Coupon-Seq")]).toEqual([200, "3"]);
  expect(body).toEqual({
    events: [
      { seq: 1, at, kind: "created", actor: "anybody", user_id: null, position: null, ...settings },
      { seq: 2, at, kind: "claimed", actor: null, user_id: "ann", position: 1 },
      { seq: 3, at, kind: "held", actor: null, user_id: "bob", position: null, expires_at: at },
    ],
    next_after: null,
  });
});

test("pages of the history have every event once, and next_after is null on the last", async () => {
  const name = await created(10);
  for (const user of ["ann", "bob", "cid"]) await claim(name, user);
  const pages: unknown[] = [];
  for (let after: number | null = 0; after !== null;) {
    const { body } = await history(name, `?limit=2&after=${after}`);
    pages.push((body["events"] as { seq: number }[]).map(({ seq }) => seq));
    after = body["next_after"] as number | null;
  }
  expect(pages).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test("the history is for the operator alone, and refuses other pages than 1 to 1000 events", async () => {
  const name = await created(1);
  expectRefused(await ask("GET", pathOf(name, "history")), "401 unauthorized");
  expect(outcomeOf(await history(freshName()))).toBe("404 coupon_not_found");
  for (const query of ["?limit=0", "?limit=1001", "?after=-1", "?after=x"])
    expectRefused(await history(name, query), "400 invalid_request", expect.anything());
});

test.for([
  ["the current token", TOKEN, "token:97b05602"],
  ["the previous token", PREVIOUS, "token:6da06335"],
])("without X-Actor the actor is the fingerprint of %s", async ([, token, actor]) => {
  const name = freshName();
  await ask("POST", "/api/coupons", { authorization: `Bearer ${token}`, body: { name, amount: 1 } });
  expect(await eventsOf(name)).toEqual([`created null by ${actor}`]);
});

test.for(["", "two words", "ü", "x".repeat(65)])("an X-Actor %j gets 400 and changes nothing", async (actor) => {
  const name = freshName();
  const answer = await by(actor, "POST", "/api/coupons", { name, amount: 1 });
  expectRefused(answer, "400 invalid_request", "invalid request: X-Actor must be 1 to 64 visible ASCII characters");
  expect(outcomeOf(await history(name))).toBe("404 coupon_not_found");
});
