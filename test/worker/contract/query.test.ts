// Query parameters: a mutation takes none but its own, so that a mistyped one can't widen it.

import { describe, expect, test } from "vitest";

import { claim, created, look, send } from "../../support/api.ts";
import { pathOf } from "../sale/sale.ts";

describe("an unknown query parameter", () => {
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
  ] as const)("makes %s %s an invalid request", async ([method, path, body]) => {
    const { status, body: answer } = await send(method, `${path}?postion=1`, { body });
    expect([status, answer["code"]]).toEqual([400, "invalid_request"]);
    expect(answer["error"]).toMatch(/^invalid request: this route takes (no query parameters|only the query parameter position)$/);
  });

  test("changes nothing where it is a mistyped position of a revoke", async () => {
    const name = await created(2);
    await claim(name, "ada");
    expect((await send("DELETE", `${pathOf(name, "claims", "ada")}?postion=7`)).status).toBe(400);
    expect((await look(name)).body).toMatchObject({ claimed_by: ["ada"] });
  });

  test("is ignored by a read", async () => {
    expect((await send("GET", `${pathOf(await created(1))}?cache=buster`)).status).toBe(200);
  });
});

test.for(["?limit=1&limit=2", "?limit=01", "?limit=", "?limit=1001", "?after=-1"])(
  "a list with %s is an invalid request",
  async (query) => {
    const { status, body } = await send("GET", pathOf(await created(1), "claims") + query);
    expect([status, body["code"]]).toEqual([400, "invalid_request"]);
  },
);

describe("a precondition", () => {
  const STALE = { "If-Match": '"00000000-1-open"' };

  test("that the coupon does not meet keeps it from being deleted", async () => {
    const name = await created(1);
    const refused = await send("DELETE", pathOf(name), { headers: STALE });
    expect([refused.status, refused.body["code"]]).toEqual([412, "precondition_failed"]);
    const { headers } = await look(name);
    expect((await send("DELETE", pathOf(name), { headers: { "If-Match": headers.get("ETag") ?? "" } })).status).toBe(204);
    expect((await look(name)).status).toBe(404);
  });

  test("If-None-Match with the current ETag of a coupon gets 304, and keeps a change from being made", async () => {
    const name = await created(1);
    const headers = { "If-None-Match": (await look(name)).headers.get("ETag") ?? "" };
    expect((await send("GET", pathOf(name), { headers })).status).toBe(304);
    expect((await send("PATCH", pathOf(name), { body: { amount: 2 }, headers })).status).toBe(412);
    expect((await look(name)).body).toMatchObject({ amount: 1 });
  });

  test("If-Match that a read does not meet gets 412", async () => {
    expect((await send("GET", pathOf(await created(1)), { headers: STALE })).status).toBe(412);
  });
});
