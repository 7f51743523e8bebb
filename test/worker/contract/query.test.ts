// Query parameters and preconditions. A mistyped parameter can't widen a mutation, because it is refused.

import { describe, expect, test } from "vitest";

import { claim, created, etagOf, outcomeOf, pathOf, read, send } from "../../support/api.ts";
import { workerWith } from "../../support/worker.ts";

test.for([
  ["POST", "/api/coupons", { name: "x", amount: 1 }],
  ["POST", "/api/coupons/claim", { user_id: "ada", coupon_name: "x" }],
  ["POST", "/api/coupons/x/claims", { user_ids: ["ada"] }],
  ["POST", "/api/coupons/x/holds", { user_id: "ada", ttl_seconds: 60 }],
  ["PATCH", "/api/coupons/x", { amount: 2 }],
  ["DELETE", "/api/coupons/x", undefined],
  ["DELETE", "/api/coupons/x/holds", undefined],
  ["DELETE", "/api/coupons/x/holds/ada", undefined],
  ["DELETE", "/api/coupons/x/claims/ada", undefined],
] as const)("%s %s with an unknown query parameter gets 400", async ([method, path, body]) => {
  expect(outcomeOf(await send(method, `${path}?postion=1`, { body }))).toBe("400 invalid_request");
});

test("a revoke with a mistyped position changes nothing", async () => {
  const name = await created(2);
  await claim(name, "ada");
  expect((await send("DELETE", `${pathOf(name, "claims", "ada")}?postion=7`)).status).toBe(400);
  expect((await read(name)).body).toMatchObject({ claimed_by: ["ada"] });
});

test("a read ignores an unknown query parameter and a fragment", async () => {
  const name = await created(1);
  const { status, body } = await send("GET", `${pathOf(name)}?cache=buster&name=other#part`);
  expect([status, body["name"]]).toEqual([200, name]);
});

test("a parameter that is sent 300,000 times is read", async () => {
  // In quadratic time this would take an hour.
  expect((await send("GET", `/health?${"a&".repeat(300_000)}`)).status).toBe(200);
});

describe("preconditions", () => {
  const STALE = { "If-Match": '"00000000-1-open"' };

  test("a delete with a stale If-Match gets 412", async () => {
    const name = await created(1);
    expect(outcomeOf(await send("DELETE", pathOf(name), { headers: STALE }))).toBe("412 precondition_failed");
    expect((await send("DELETE", pathOf(name), { headers: { "If-Match": etagOf(await read(name)) } })).status).toBe(204);
    expect((await read(name)).status).toBe(404);
  });

  test("If-None-Match answers a read with 304, a change with 412", async () => {
    const name = await created(1);
    const headers = { "If-None-Match": etagOf(await read(name)) };
    expect((await send("GET", pathOf(name), { headers })).status).toBe(304);
    expect((await send("PATCH", pathOf(name), { body: { amount: 2 }, headers })).status).toBe(412);
    expect((await read(name)).body).toMatchObject({ amount: 1 });
  });

  test("the public's ETag still gets the operator the list; either ETag allows a change", async () => {
    const name = await created(3);
    const ask = workerWith({ ADMIN_AUTH: "on", ADMIN_TOKEN: "operator" });
    const operator = { authorization: "Bearer operator" };
    const shown = etagOf(await ask("GET", pathOf(name)));
    const listed = etagOf(await ask("GET", pathOf(name), operator));
    const unchanged = async (etag: string, sent: object) =>
      (await ask("GET", pathOf(name), { ...sent, headers: { "If-None-Match": etag } })).status;
    expect([await unchanged(shown, operator), await unchanged(listed, operator)]).toEqual([200, 304]);
    expect([await unchanged(shown, {}), await unchanged(listed, {})]).toEqual([304, 200]);
    const changed = async (headers: Record<string, string>) => (await send("PATCH", pathOf(name), { body: { amount: 3 }, headers })).status;
    expect(await changed({ "If-Match": shown, "If-None-Match": listed })).toBe(412);
    expect([await changed({ "If-Match": shown }), await changed({ "If-Match": listed })]).toEqual([200, 200]);
  });

  test("a read with a stale If-Match gets 412", async () => {
    expect((await send("GET", pathOf(await created(1)), { headers: STALE })).status).toBe(412);
  });
});

test("a 304 of the status carries the time of the server in a header", async () => {
  const path = pathOf(await created(1), "status");
  const first = await send("GET", path);
  expect(first.headers.get("Server-Time")).toBe(first.body["server_time"]);
  const again = await send("GET", path, { headers: { "If-None-Match": first.headers.get("ETag") ?? "" } });
  expect([again.status, again.headers.get("Server-Time")]).toEqual([304, expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/)]);
});
