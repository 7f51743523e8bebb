// A deployed Worker without configuration is closed, and says how to open it. One with a wrong variable says which.

import { expect, test, vi } from "vitest";

import { VARIABLE_NAMES } from "../../../src/edge/config.ts";
import { created, outcomeOf, pathOf, read } from "../../support/api.ts";
import { workerWith, type Settings } from "../../support/worker.ts";

/** The settings of a Worker without variables. The tests' own come from .dev.vars. */
const BARE: Settings = Object.fromEntries(VARIABLE_NAMES.map((name) => [name, undefined]));

const CLOSED =
  "claims are closed: set IDENTITY_SECRET, IDENTITY_JWKS_URL or SERVICE_TOKEN, or set IDENTITY=off so that every caller may act for any user";
const OPERATOR = "operator routes are closed: set the secret ADMIN_TOKEN";

/** Every route that changes something, and the backup, as a stranger would call it. */
function mutations(name: string) {
  return [
    ["POST", "/api/coupons/claim", { user_id: "bot-1", coupon_name: name }, CLOSED],
    ["POST", pathOf(name, "holds"), { user_id: "bot-1", ttl_seconds: 60 }, CLOSED],
    ["DELETE", pathOf(name, "holds", "ada"), undefined, CLOSED],
    ["POST", "/api/coupons", { name: `${name}-2`, amount: 1 }, OPERATOR],
    ["PATCH", pathOf(name), { amount: 100 }, OPERATOR],
    ["DELETE", pathOf(name), undefined, OPERATOR],
    ["POST", pathOf(name, "claims"), { user_ids: ["bot-1"] }, OPERATOR],
    ["DELETE", pathOf(name, "claims", "ada"), undefined, OPERATOR],
    ["DELETE", pathOf(name, "holds"), undefined, OPERATOR],
    ["POST", pathOf(name, "restore"), undefined, OPERATOR],
    ["GET", pathOf(name, "backup"), undefined, OPERATOR],
  ] as const;
}

test("a Worker without variables refuses every mutation with a sentence that says how to open it", async () => {
  const name = await created(3);
  const before = await read(name);
  for (const [method, path, body, error] of mutations(name)) {
    const answer = await workerWith(BARE)(method, path, { body });
    expect([method, path, outcomeOf(answer), answer.body["error"]]).toEqual([method, path, "401 unauthorized", error]);
  }
  expect((await read(name)).headers.get("ETag")).toBe(before.headers.get("ETag"));
});

test("the service token claims, holds, releases and looks up for any user, and is no operator", async () => {
  const name = await created(3);
  const refusing = { limit: () => Promise.resolve({ success: false }) };
  const settings = { ...BARE, SERVICE_TOKEN: "of-the-shop", SERVICE_TOKEN_PREVIOUS: "older", CLAIMS_100_PER_10S: refusing };
  const ask = workerWith(settings);
  for (const token of ["of-the-shop", "older"]) {
    const authorization = `Bearer ${token}`;
    const claim = await ask("POST", "/api/coupons/claim", { body: { user_id: `ada-${token}`, coupon_name: name }, authorization });
    expect(outcomeOf(claim)).toBe("201");
    const hold = { body: { user_id: "bob", ttl_seconds: 60 }, authorization };
    expect(outcomeOf(await ask("POST", pathOf(name, "holds"), hold))).toBe("201");
    expect(outcomeOf(await ask("GET", pathOf(name, "claims", "bob"), { authorization }))).toBe("200");
    expect(outcomeOf(await ask("DELETE", pathOf(name, "holds", "bob"), { authorization }))).toBe("204");
    const asOperator = mutations(name).filter(([, , , error]) => error === OPERATOR);
    for (const [method, path, body] of asOperator)
      expect(outcomeOf(await ask(method, path, { body, authorization }))).toBe("401 unauthorized");
  }
  const stranger = await ask("POST", "/api/coupons/claim", { body: { user_id: "eve", coupon_name: name } });
  expect(stranger.body).toMatchObject({ code: "unauthorized", error: expect.stringContaining("service token required") });
});

test("beside the service token, a user's own token works and IDENTITY=off still opens", async () => {
  const name = await created(3);
  const sent = { body: { user_id: "ada", coupon_name: name } };
  const service = { ...BARE, SERVICE_TOKEN: "of-the-shop" };
  expect(outcomeOf(await workerWith({ ...service, IDENTITY_SECRET: "s" })("POST", "/api/coupons/claim", sent))).toBe("401 unauthorized");
  expect(outcomeOf(await workerWith({ ...service, IDENTITY: "off" })("POST", "/api/coupons/claim", sent))).toBe("201");
});

test("a configured identity is enforced although IDENTITY=off is set", async () => {
  const sent = { body: { user_id: "ada", coupon_name: await created(1) } };
  const answer = await workerWith({ ...BARE, IDENTITY: "off", IDENTITY_SECRET: "s" })("POST", "/api/coupons/claim", sent);
  expect(outcomeOf(answer)).toBe("401 unauthorized");
});

test("a wrong variable makes every route but /health answer 503 and name it", async () => {
  const logged = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const name = await created(1);
  const ask = workerWith({ ...BARE, ADMIN_TOKEN: "secret", RATE_LIMIT: "OFF" });
  expect(outcomeOf(await ask("GET", "/health"))).toBe("200");
  for (const [method, path] of [["GET", pathOf(name)], ["GET", "/openapi.json"], ["GET", pathOf(name, "status")], ...mutations(name)]) {
    const answer = await ask(method, path);
    expect(outcomeOf(answer)).toBe("503 misconfigured");
    expect(JSON.stringify(answer.body)).not.toContain("RATE_LIMIT");
  }
  const { body } = await ask("GET", pathOf(name), { authorization: "Bearer secret" });
  expect(body).toMatchObject({
    error: "RATE_LIMIT must be off or a whole number from 1",
    fields: { RATE_LIMIT: "must be off or a whole number from 1" },
  });
  expect(logged.mock.calls.flat().find((line) => String(line).includes('"misconfigured"'))).toContain("RATE_LIMIT");
});
