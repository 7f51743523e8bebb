// The operator: the bearer of the admin token. Here the Worker runs with other settings than the open ones of `.dev.vars`.

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { createApp } from "../../../src/http/app.ts";
import { claim, created, freshName, read, type Answer } from "../../support/api.ts";
import { expectRefused } from "../../support/wire.ts";

const TOKEN = "s3cret-token~with.all+kinds/of=signs";
const UNAUTHORIZED = "operator token required: send the header Authorization: Bearer <token>";

type Settings = { readonly ADMIN_TOKEN?: string; readonly ADMIN_AUTH?: string };
type Ask = (method: string, path: string, authorization?: string, body?: unknown) => Promise<Answer>;

/** A Worker with these settings, before the same objects as ever. */
function workerWith(settings: Settings): Ask {
  const { ADMIN_AUTH: _open, ...bindings } = env;
  const app = createApp();
  return async (method, path, authorization, body) => {
    const response = await app.request(
      path,
      {
        method,
        headers: authorization === undefined ? {} : { authorization },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
      { ...bindings, ...settings },
    );
    return { status: response.status, body: await response.json(), headers: response.headers };
  };
}

/** A coupon with five units, of which each of `buyers` claimed one. */
async function soldTo(...buyers: readonly string[]): Promise<string> {
  const name = await created(5);
  for (const buyer of buyers) await claim(name, buyer);
  return name;
}

function expectUnauthorized(answer: Answer): void {
  expectRefused(answer, "401 unauthorized", UNAUTHORIZED);
  expect(answer.headers.get("WWW-Authenticate")).toMatch(/^Bearer realm="[^"]+"$/);
  expect(answer.headers.get("Coupon-Seq")).toBeNull();
}

describe("without a configured token", () => {
  test.for([
    ["no settings at all", {}],
    ["an empty token", { ADMIN_TOKEN: "" }],
    ["no token, and auth on", { ADMIN_AUTH: "on" }],
  ] as const)("the operator's routes are closed to everybody: %s", async ([, settings]) => {
    const ask = workerWith(settings);
    for (const authorization of [undefined, "Bearer", "Bearer ", "Bearer undefined", "Bearer null", `Bearer ${TOKEN}`]) {
      const name = freshName();
      expectUnauthorized(await ask("POST", "/api/coupons", authorization, { name, amount: 1 }));
      expect((await read(name)).status).toBe(404);
    }
  });
});

describe("with a configured token", () => {
  const ask = workerWith({ ADMIN_TOKEN: TOKEN });

  test.for([
    ["no header", undefined],
    ["an empty header", ""],
    ["another token", "Bearer another"],
    ["an empty token", "Bearer "],
    ["the scheme alone", "Bearer"],
    ["the token alone", TOKEN],
    ["the token in another scheme", `Token ${TOKEN}`],
    ["the token as a Basic password", `Basic ${btoa(`operator:${TOKEN}`)}`],
    ["the token in other letters", `Bearer ${TOKEN.toUpperCase()}`],
    ["the token's beginning", `Bearer ${TOKEN.slice(0, -1)}`],
    ["the token and more", `Bearer ${TOKEN}x`],
    ["the token twice", `Bearer ${TOKEN} ${TOKEN}`],
    ["the token in quotes", `Bearer "${TOKEN}"`],
    ["two headers in one", `Bearer another, Bearer ${TOKEN}`],
  ] as const)("%s creates nothing", async ([, authorization]) => {
    const name = freshName();
    expectUnauthorized(await ask("POST", "/api/coupons", authorization, { name, amount: 1 }));
    expect((await read(name)).status).toBe(404);
  });

  test.for([
    ["as it is", `Bearer ${TOKEN}`],
    ["with the scheme in small letters", `bearer ${TOKEN}`],
    ["with the scheme in capitals", `BEARER ${TOKEN}`],
    ["with more than one space", `Bearer   ${TOKEN}`],
  ] as const)("the token %s creates a coupon", async ([, authorization]) => {
    const name = freshName();
    const { status, body } = await ask("POST", "/api/coupons", authorization, { name, amount: 4 });
    expect(status).toBe(201);
    expect(body).toMatchObject({ name, amount: 4, claimed_by: [] });
    expect((await read(name)).body["amount"]).toBe(4);
  });

  test("the token is asked before the body is read", async () => {
    for (const body of [5, {}, { name: " ", amount: 0 }, { name: await created(1), amount: 1 }, "x".repeat(2_000_000)]) {
      expectUnauthorized(await ask("POST", "/api/coupons", "Bearer another", body));
    }
  });

  test("a path or a method that there is not stays so", async () => {
    expect((await ask("GET", "/nowhere")).status).toBe(404);
    expect((await ask("PUT", "/api/coupons")).status).toBe(405);
  });
});

describe("ADMIN_AUTH opens the operator's routes by exactly `off`", () => {
  test.for(["on", "OFF", "Off", " off", "off ", "0", "no", "false", "none", "disabled", ""])("%j is on", async (value) => {
    const ask = workerWith({ ADMIN_AUTH: value, ADMIN_TOKEN: TOKEN });
    expectUnauthorized(await ask("POST", "/api/coupons", undefined, { name: freshName(), amount: 1 }));
    expect((await ask("POST", "/api/coupons", `Bearer ${TOKEN}`, { name: freshName(), amount: 1 })).status).toBe(201);
  });

  test.for([{ ADMIN_AUTH: "off" }, { ADMIN_AUTH: "off", ADMIN_TOKEN: TOKEN }] as const)(
    "%j is off: everybody is the operator",
    async (settings) => {
      const ask = workerWith(settings);
      const name = freshName();
      expect((await ask("POST", "/api/coupons", undefined, { name, amount: 1 })).status).toBe(201);
      expect((await ask("GET", `/api/coupons/${name}`, "Bearer another")).body).toMatchObject({ claimed_by: [] });
    },
  );
});

describe("who claimed", () => {
  const ask = workerWith({ ADMIN_TOKEN: TOKEN });

  test("is shown to the operator", async () => {
    const name = await soldTo("zoe", "adam");
    const { status, body } = await ask("GET", `/api/coupons/${name}`, `Bearer ${TOKEN}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ name, remaining_amount: 3, claimed_by: ["zoe", "adam"] });
  });

  test.for([undefined, "", "Bearer another", `Basic ${btoa(TOKEN)}`])("is not shown to %j, who sees the rest", async (authorization) => {
    const name = await soldTo("zoe", "adam");
    const { status, body, headers } = await ask("GET", `/api/coupons/${name}`, authorization);
    expect(status).toBe(200);
    expect(body).toMatchObject({ name, amount: 5, remaining_amount: 3, state: "open" });
    expect(body).not.toHaveProperty("claimed_by");
    expect(JSON.stringify(body)).not.toMatch(/zoe|adam/);
    expect(headers.get("Coupon-Seq")).toBe("3");
  });
});

describe("everybody", () => {
  const ask = workerWith({ ADMIN_TOKEN: TOKEN });

  test("may claim without a token, and gets the same refusals", async () => {
    const name = await created(1);
    const asClaim = (user: string) => ask("POST", "/api/coupons/claim", undefined, { user_id: user, coupon_name: name });
    const answers = [await asClaim("winner"), await asClaim("winner"), await asClaim("loser")];
    expect(answers.map(({ status }) => status)).toEqual([201, 409, 400]);
  });

  test.for(["/health", "/openapi.json"])("may read %s", async (path) => {
    expect((await ask("GET", path)).status).toBe(200);
    expect((await ask("GET", path, "Bearer another")).status).toBe(200);
  });
});
