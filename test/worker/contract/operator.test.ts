// What needs the operator's token. edge/operator.test.ts has the rule for headers and settings.

import { expect, test } from "vitest";

import { claim, created, freshName, read, type Answer } from "../../support/api.ts";
import { expectRefused } from "../../support/wire.ts";
import { workerWith } from "../../support/worker.ts";

const TOKEN = "s3cret-token~with.all+kinds/of=signs";
const OPERATOR = { authorization: `Bearer ${TOKEN}` };
const ask = workerWith({ ADMIN_TOKEN: TOKEN, ADMIN_AUTH: undefined });

function expectUnauthorized(answer: Answer): void {
  expectRefused(answer, "401 unauthorized");
  expect(answer.headers.get("WWW-Authenticate")).toMatch(/^Bearer realm="doorbuster"/);
  expect(answer.headers.get("Coupon-Seq")).toBeNull();
}

/** A coupon with five units, of which zoe and adam have one each. */
async function soldToTwo(): Promise<string> {
  const name = await created(5);
  for (const user of ["zoe", "adam"]) await claim(name, user);
  return name;
}

test.for([
  ["no header", { ADMIN_TOKEN: TOKEN }, undefined],
  ["another token", { ADMIN_TOKEN: TOKEN }, "Bearer another"],
  ["the token in another scheme", { ADMIN_TOKEN: TOKEN }, `Basic ${btoa(`operator:${TOKEN}`)}`],
  ["any token where none is configured", {}, OPERATOR.authorization],
  ["an empty token where none is configured", { ADMIN_TOKEN: "" }, "Bearer "],
] as const)("a create with %s gets 401 and creates nothing", async ([, settings, authorization]) => {
  const name = freshName();
  const worker = workerWith({ ADMIN_AUTH: undefined, ...settings });
  expectUnauthorized(await worker("POST", "/api/coupons", { authorization, body: { name, amount: 1 } }));
  expect((await read(name)).status).toBe(404);
});

test("a create with the token creates the coupon", async () => {
  const name = freshName();
  const { status, body } = await ask("POST", "/api/coupons", { ...OPERATOR, body: { name, amount: 4 } });
  expect(status).toBe(201);
  expect(body).toMatchObject({ name, amount: 4, claimed_by: [] });
  expect((await read(name)).body["amount"]).toBe(4);
});

test("a create without the token gets 401 before its body is read", async () => {
  for (const body of [5, {}, { name: " ", amount: 0 }, { name: await created(1), amount: 1 }, "x".repeat(2_000_000)]) {
    expectUnauthorized(await ask("POST", "/api/coupons", { authorization: "Bearer another", body }));
  }
});

test("a missing path gets 404 and a missing method 405, also without the token", async () => {
  expect((await ask("GET", "/nowhere")).status).toBe(404);
  expect((await ask("PUT", "/api/coupons")).status).toBe(405);
});

test("every caller is the operator where ADMIN_AUTH is off", async () => {
  const worker = workerWith({ ADMIN_AUTH: "off", ADMIN_TOKEN: TOKEN });
  const name = freshName();
  expect((await worker("POST", "/api/coupons", { body: { name, amount: 1 } })).status).toBe(201);
  expect((await worker("GET", `/api/coupons/${name}`, { authorization: "Bearer another" })).body).toMatchObject({ claimed_by: [] });
});

test("claimed_by is shown to the operator", async () => {
  const name = await soldToTwo();
  const { status, body } = await ask("GET", `/api/coupons/${name}`, OPERATOR);
  expect(status).toBe(200);
  expect(body).toMatchObject({ name, remaining_amount: 3, claimed_by: ["zoe", "adam"] });
});

test.for([undefined, "Bearer another", `Basic ${btoa(TOKEN)}`])(
  "claimed_by is not in a coupon read with the authorization %j",
  async (authorization) => {
    const name = await soldToTwo();
    const { status, body, headers } = await ask("GET", `/api/coupons/${name}`, { authorization });
    expect(status).toBe(200);
    expect(body).toMatchObject({ name, amount: 5, remaining_amount: 3, state: "open" });
    expect(body).not.toHaveProperty("claimed_by");
    expect(JSON.stringify(body)).not.toMatch(/zoe|adam/);
    expect(headers.get("Coupon-Seq")).toBe("3");
  },
);

test("claims, /health and /openapi.json need no operator's token", async () => {
  const name = await created(1);
  const claimAs = (user: string) => ask("POST", "/api/coupons/claim", { body: { user_id: user, coupon_name: name } });
  const answers = [await claimAs("winner"), await claimAs("winner"), await claimAs("loser")];
  answers.push(await ask("GET", "/health"), await ask("GET", "/openapi.json", { authorization: "Bearer another" }));
  expect(answers.map(({ status }) => status)).toEqual([201, 409, 400, 200, 200]);
});
