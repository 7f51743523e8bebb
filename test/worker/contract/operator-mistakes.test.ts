// Mistakes of operators: each gets a refusal that names the field and what is wanted, and changes nothing.

import { expect, test } from "vitest";

import { claim, created, etagOf, freshName, outcomeOf, pathOf, read, send, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";

const INVALID = "400 invalid_request";
const AMOUNT = "amount must be an integer from 1 to 2147483647";
const STARTS = "starts_at must be RFC 3339 with an offset, such as 2026-12-01T18:00:00+01:00";
const END = "ends_at must be after starts_at";
const USERS = "user_ids must be a list of 1 to 1000 user ids";
const LIMIT = "limit must be an integer from 1 to 1000";
const SETTINGS = "amount, starts_at, ends_at, paused, hold_seconds_max, holds_max, title, description, image_url";
const BODY = "invalid request body";

type Mistake = readonly [route: string, body: unknown, error: string, outcome?: string, headers?: Record<string, string>];

/** `{new}` is a name without a coupon; `{name}` is a coupon with two claims. A text is sent as it is. */
const MISTAKES: readonly Mistake[] = [
  ["POST /api/coupons", { name: "{new}", stock: 5 }, "stock is unknown: did you mean amount?"],
  ["POST /api/coupons", { name: "{new}", amount: 5, start_at: "2030-01-01T00:00:00Z" }, "start_at is unknown: did you mean starts_at?"],
  ["POST /api/coupons", { Name: "{new}", amount: 5 }, "Name is unknown: did you mean name?"],
  ["POST /api/coupons", { coupon: { name: "{new}", amount: 5 } }, `coupon is unknown: this route takes the body fields name, amount, `],
  [
    "POST /api/coupons",
    { name: "{new}", amount: 5, claimed_by: [] },
    "claimed_by is unknown: this route takes the body fields name, amount, ",
  ],
  ["POST /api/coupons", '{"name":"{new}","amount":5,"__proto__":{}}', "__proto__ is unknown: this route takes the body fields name, "],
  ["POST /api/coupons", { name: "{new}", amount: "500" }, AMOUNT],
  ["POST /api/coupons", { name: "{new}", amount: 1.5 }, AMOUNT],
  ["POST /api/coupons", { name: "{new}", amount: 1e12 }, AMOUNT],
  ["POST /api/coupons", { name: "{new}", amount: [500] }, AMOUNT],
  ["POST /api/coupons", { name: "{new}", amount: 0 }, "amount must be at least 1"],
  ["POST /api/coupons", { name: "{new}", amount: -1 }, "amount must be at least 1"],
  ["POST /api/coupons", { name: "{new}", amount: null }, "amount is required"],
  ["POST /api/coupons", { amount: 5 }, "name is required"],
  ["POST /api/coupons", { name: 5, amount: 5 }, "name is invalid"],
  ["POST /api/coupons", { name: "{new}", amount: 5, starts_at: "2030-01-01T00:00:00" }, STARTS],
  ["POST /api/coupons", { name: "{new}", amount: 5, starts_at: "01/12/2030 18:00" }, STARTS],
  ["POST /api/coupons", { name: "{new}", amount: 5, starts_at: 1_893_456_000 }, STARTS],
  ["POST /api/coupons", { name: "{new}", amount: 5, starts_at: "2030-01-02T00:00:00Z", ends_at: "2030-01-01T00:00:00Z" }, END],
  ["POST /api/coupons", { name: "{new}", amount: 5, holds_max: -1 }, "holds_max must be an integer from 0 to 2147483647, or null"],
  ["POST /api/coupons", [{ name: "{new}", amount: 5 }], BODY],
  ["POST /api/coupons", '{"name":"{new}","amount":5,}', BODY],
  ["POST /api/coupons", "name={new}&amount=5", BODY, INVALID, { "content-type": "application/x-www-form-urlencoded" }],
  ["POST /api/coupons", "", BODY],
  ["POST /api/coupons?amount=5", { name: "{new}", amount: 5 }, "amount is unknown: this route takes no query parameters"],
  ["POST /api/coupons", { name: "{name}", amount: 5 }, "coupon already exists", "409 coupon_exists"],
  ["PATCH /api/coupons/{name}", {}, `send at least one of ${SETTINGS}`],
  ["PATCH /api/coupons/{name}", { name: "other" }, `name is unknown: this route takes the body fields ${SETTINGS}`],
  ["PATCH /api/coupons/{name}", { remaining_amount: 9 }, "remaining_amount is unknown: did you mean amount?"],
  ["PATCH /api/coupons/{name}", { amount: null }, AMOUNT],
  ["PATCH /api/coupons/{name}", { amount: 1 }, "send at least amount_min", "409 amount_below_claimed"],
  ["PATCH /api/coupons/{name}", { paused: "yes" }, "paused must be true or false"],
  ["PATCH /api/coupons/{name}", { hold_seconds_max: null }, "hold_seconds_max must be an integer from 1 to 86400"],
  ["PATCH /api/coupons/{name}", { starts_at: "2050-01-01T00:00:00Z" }, "starts_at must be before ends_at"],
  ["PATCH /api/coupons/{name}", { amount: 9 }, "If-Match", "412 precondition_failed", { "If-Match": '"stale"' }],
  ["PATCH /api/coupons/{name}/a", { amount: 9 }, "no such route", "404 not_found"],
  ["PUT /api/coupons/{name}", { amount: 9 }, "see Allow", "405 method_not_allowed"],
  ["DELETE /api/coupons/{name}?dry_run=1", undefined, "dry_run is unknown: this route takes no query parameters"],
  ["DELETE /api/coupons/{name}/claims/user-1", { position: 7 }, "position is unknown: this route takes no body fields"],
  ["DELETE /api/coupons/{name}/claims/user-1", "position=7", BODY],
  ["DELETE /api/coupons/{name}/claims/user-1?postion=7", undefined, "postion is unknown: did you mean position?"],
  ["DELETE /api/coupons/{name}/claims/user-1?position=abc", undefined, "position must be an integer from 1 to 9007199254740991"],
  ["POST /api/coupons/{name}/claims", { user_ids: [] }, USERS],
  ["POST /api/coupons/{name}/claims", { user_ids: users(1001) }, USERS],
  ["POST /api/coupons/{name}/claims", { user_ids: "user-7" }, USERS],
  ["POST /api/coupons/{name}/claims", { users: ["user-7"] }, "users is unknown: did you mean user_ids?"],
  ["POST /api/coupons/{name}/claims", { user_ids: ["user-7", "b", "c", { id: 4 }] }, "user_ids.3 is invalid"],
  ["GET /api/coupons/{name}/claims?limt=5", undefined, "limt is unknown: did you mean limit?"],
  ["GET /api/coupons/{name}/claims?limit=0", undefined, LIMIT],
  ["GET /api/coupons/{name}/claims?limit=99999", undefined, LIMIT],
  ["GET /api/coupons/{name}/claims?limit=5&limit=6", undefined, "limit must be sent once"],
  ["GET /api/coupons/{name}/holds?offset=ada", undefined, "offset is unknown: did you mean after?"],
  ["GET /api/coupons/{name}/holds?after=%ff", undefined, "after must be percent-encoded UTF-8"],
  ["GET /api/coupons/{name}/holds?after=100%", undefined, "after must be percent-encoded UTF-8"],
  ["GET /api/coupons/{name}/metrics?format=json", undefined, "format is unknown: this route takes no query parameters"],
];

test("each mistake of an operator is named, and none changes anything", async () => {
  const [name, missing] = [await created(5, { ends_at: "2040-01-01T00:00:00Z" }), freshName()];
  for (const user of users(2)) await claim(name, user);
  const before = await read(name);
  for (const [route, body, error, outcome = INVALID, headers = {}] of MISTAKES) {
    const [method = "", path = ""] = route.split(" ");
    const named = (text: string): string => text.replaceAll("{name}", name).replaceAll("{new}", missing);
    const raw = body === undefined ? {} : { raw: named(typeof body === "string" ? body : JSON.stringify(body)) };
    const answer = await send(method, path.replace("{name}", encodeURIComponent(name)), { ...raw, headers });
    const about = `${route} ${JSON.stringify(body)?.slice(0, 100)}`;
    expect([about, outcomeOf(answer), answer.body["error"]]).toEqual([about, outcome, expect.stringContaining(error)]);
    const [field = "", ...fault] = error.split(" ");
    const hasField = outcome === INVALID && error !== BODY && !error.startsWith("send");
    const [sentField, sentFault] = Object.entries(answer.body["fields"] ?? {})[0] ?? [];
    expect([about, sentField, String(sentFault)]).toEqual([
      about,
      hasField ? field : undefined,
      expect.stringContaining(hasField ? fault.join(" ") : "undefined"),
    ]);
  }
  expect([etagOf(await read(name)), (await read(name)).body]).toEqual([etagOf(before), before.body]);
  expect((await read(missing)).status).toBe(404);
  await expectConserved(name);
});

test("what looks like a mistake and is none is accepted", async () => {
  const name = await created(5);
  const bulk = await send("POST", pathOf(name, "claims"), { body: { user_ids: ["ada", "ada"] } });
  expect([bulk.status, bulk.body["granted_count"]]).toEqual([200, 1]);
  expect((await send("PATCH", pathOf(name), { raw: '\ufeff{"amount":6.0}', headers: { "content-type": "text/plain" } })).status).toBe(200);
  expect((await send("GET", `${pathOf(name, "holds")}?after=caf%C3%A9+bar&`)).status).toBe(200);
  expect((await send("DELETE", pathOf(name), { raw: "{}" })).status).toBe(204);
});

test("a refusal lists at most 100 faults, with names of at most 255 characters", async () => {
  const body = Object.fromEntries(users(1000).map((field) => [field.padEnd(300, "-"), 0]));
  const fields = Object.keys((await send("POST", "/api/coupons", { body })).body["fields"] as object);
  expect([fields.length, fields[0]]).toEqual([100, "user-1".padEnd(255, "-")]);
});
