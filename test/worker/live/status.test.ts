// The small snapshot that clients poll.

import { describe, expect, test } from "vitest";

import { claim, create, created, freshName, send, type Answer } from "../../support/api.ts";
import { setClock } from "../../support/clock.ts";

function status(name: string, headers: Record<string, string> = {}): Promise<Answer> {
  return send("GET", `/api/coupons/${encodeURIComponent(name)}/status`, { headers });
}

async function etagOf(name: string): Promise<string> {
  return (await status(name)).headers.get("ETag") ?? "";
}

describe("the status of a coupon", () => {
  test("has name, state, units, window, server time and ledger head, and no user id", async () => {
    setClock(Date.parse("2030-06-01T12:00:00.250Z"));
    const name = await created(5, { starts_at: "2030-06-01T14:00:00+02:00", ends_at: "2030-06-02T00:00:00Z" });
    await claim(name, "ada");
    const { status: code, body, headers } = await status(name);
    expect(code).toBe(200);
    expect(body).toEqual({
      name,
      state: "open",
      amount: 5,
      remaining_amount: 4,
      held_amount: 0,
      starts_at: "2030-06-01T12:00:00.000Z",
      ends_at: "2030-06-02T00:00:00.000Z",
      server_time: "2030-06-01T12:00:00.250Z",
      seq: 2,
    });
    expect(headers.get("Content-Type")).toBe("application/json");
    expect(headers.get("Coupon-Seq")).toBe("2");
  });

  test("may be kept for a second by every cache, unlike the coupon itself", async () => {
    const name = await created(1);
    expect((await status(name)).headers.get("Cache-Control")).toBe("public, max-age=1");
    expect((await send("GET", `/api/coupons/${name}`)).headers.get("Cache-Control")).toBe("no-store");
  });

  test("has the entity tag of the coupon, but a weak one: the time in it goes on", async () => {
    const name = await created(1);
    const tag = await etagOf(name);
    expect(tag).toMatch(/^W\/"[\x21\x23-\x7e]+"$/);
    expect((await send("GET", `/api/coupons/${name}`)).headers.get("ETag")).toBe(tag.slice("W/".length));
  });

  test.for(["a/b", "100%", "用户 🎉", "claim", "status"])("is there under any name: %s", async (name) => {
    await create(name, 2);
    expect((await status(name)).body).toMatchObject({ name, remaining_amount: 2 });
  });

  test.for([
    ["does not exist", () => Promise.resolve(freshName())],
    [
      "was deleted",
      async () => {
        const name = await created(1);
        await send("DELETE", `/api/coupons/${name}`);
        return name;
      },
    ],
  ] as const)("of a coupon that %s is 404, and is not kept", async ([, named]) => {
    const { status: code, body, headers } = await status(await named());
    expect([code, body["code"], headers.get("Cache-Control"), headers.get("ETag")]).toEqual([404, "coupon_not_found", "no-store", null]);
  });

  test("by HEAD is the same without a body", async () => {
    const name = await created(3);
    const [head, get] = [await send("HEAD", `/api/coupons/${name}/status`), await status(name)];
    expect([head.status, head.body]).toEqual([200, {}]);
    for (const header of ["ETag", "Cache-Control", "Content-Type", "Coupon-Seq"]) {
      expect(head.headers.get(header)).toBe(get.headers.get(header));
    }
    expect((await send("HEAD", `/api/coupons/${freshName()}/status`)).status).toBe(404);
  });

  test.for(["POST", "PUT", "PATCH", "DELETE"])("takes no %s", async (method) => {
    const { status: code, headers } = await send(method, `/api/coupons/${await created(1)}/status`);
    expect([code, headers.get("Allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe("If-None-Match", () => {
  test.for<[string, (tag: string) => string]>([
    ["the tag", (tag) => tag],
    ["the coupon's strong tag", (tag) => tag.slice("W/".length)],
    ["a list with it", (tag) => `"other", W/"another",${tag}`],
    ["a list that begins with it", (tag) => `${tag} , "other"`],
    ["any tag", () => "*"],
  ])("of %s is answered 304, without a body, with the headers of a 200", async ([, sent]) => {
    const name = await created(3);
    const tag = await etagOf(name);
    const response = await status(name, { "If-None-Match": sent(tag) });
    expect([response.status, response.body]).toEqual([304, {}]);
    expect(response.headers.get("ETag")).toBe(tag);
    expect(response.headers.get("Cache-Control")).toBe("public, max-age=1");
    expect(response.headers.get("Coupon-Seq")).toBe("1");
    expect(response.headers.get("Content-Type")).toBeNull();
  });

  test.for<[string, (tag: string) => string]>([
    ["another tag", () => '"other"'],
    ["the tag without quotes", (tag) => tag.replaceAll('"', "")],
    ["the beginning of the tag", (tag) => `${tag.slice(0, -2)}"`],
    ["an empty header", () => ""],
    ["a list of others", () => '"other", W/"another"'],
  ])("of %s is answered 200", async ([, sent]) => {
    const name = await created(3);
    const response = await status(name, { "If-None-Match": sent(await etagOf(name)) });
    expect(response.status).toBe(200);
    expect(response.body["remaining_amount"]).toBe(3);
  });

  test("of any tag does not hide that there is no coupon", async () => {
    expect((await status(freshName(), { "If-None-Match": "*" })).status).toBe(404);
  });

  test("is heard by HEAD too", async () => {
    const name = await created(3);
    const headers = { "If-None-Match": await etagOf(name) };
    expect((await send("HEAD", `/api/coupons/${name}/status`, { headers })).status).toBe(304);
  });
});

describe("the entity tag", () => {
  test("stays the same while nothing changes, over looks and refused claims", async () => {
    const name = await created(1);
    await claim(name, "ada");
    const tag = await etagOf(name);
    await Promise.all([claim(name, "ada"), claim(name, "bob"), send("GET", `/api/coupons/${name}`)]);
    expect(await etagOf(name)).toBe(tag);
  });

  test("is another one after every change, and no earlier one comes back", async () => {
    const name = await created(3);
    const patch = (body: unknown) => send("PATCH", `/api/coupons/${name}`, { body });
    const changes = [
      () => claim(name, "ada"),
      () => patch({ paused: true }),
      () => patch({ paused: false }),
      () => patch({ amount: 9 }),
      () => send("POST", `/api/coupons/${name}/holds`, { body: { user_id: "bob", ttl_seconds: 60 } }),
      () => send("DELETE", `/api/coupons/${name}/holds/bob`),
      () => send("DELETE", `/api/coupons/${name}/claims/ada`),
      () => send("DELETE", `/api/coupons/${name}`).then(() => create(name, 3)),
      () => claim(name, "ada"),
    ];
    const tags = [await etagOf(name)];
    for (const change of changes) {
      expect((await change()).status).toBeLessThan(300);
      const stale = await status(name, { "If-None-Match": tags.join(", ") });
      expect(stale.status).toBe(200);
      tags.push(stale.headers.get("ETag") ?? "");
    }
    expect(new Set(tags).size).toBe(changes.length + 1);
  });

  test("changes when time alone opens and ends the sale", async () => {
    setClock(Date.parse("2030-06-01T11:59:59.999Z"));
    const name = await created(5, { starts_at: "2030-06-01T12:00:00Z", ends_at: "2030-06-01T13:00:00Z" });
    const seen: [unknown, unknown, number][] = [];
    const tags: string[] = [await etagOf(name)];
    for (const instant of ["12:00:00.000", "12:59:59.999", "13:00:00.000"]) {
      setClock(Date.parse(`2030-06-01T${instant}Z`));
      const { status: code } = await status(name, { "If-None-Match": tags.at(-1) ?? "" });
      const { body, headers } = await status(name);
      seen.push([instant, body["state"], code]);
      tags.push(headers.get("ETag") ?? "");
    }
    expect(seen).toEqual([
      ["12:00:00.000", "open", 200],
      ["12:59:59.999", "open", 304],
      ["13:00:00.000", "ended", 200],
    ]);
    expect(new Set(tags).size).toBe(3);
  });

  test("changes when a hold runs out", async () => {
    setClock(Date.parse("2030-06-01T12:00:00Z"));
    const name = await created(1);
    await send("POST", `/api/coupons/${name}/holds`, { body: { user_id: "bob", ttl_seconds: 60 } });
    const tag = await etagOf(name);
    setClock(Date.parse("2030-06-01T12:01:00Z"));
    const after = await status(name, { "If-None-Match": tag });
    expect(after.status).toBe(200);
    expect(after.body).toMatchObject({ state: "open", remaining_amount: 1, seq: 3 });
  });
});
