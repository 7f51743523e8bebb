// What `npm run deploy` refuses to deploy, in which order it migrates, and where the Worker is then.

import { expect, test } from "vitest";

import { addressIn, checksOf, stepsOf, type Facts } from "./checks.ts";

const GOOD: Facts = { env: "", vars: {}, secrets: ["ADMIN_TOKEN", "SERVICE_TOKEN"], changes: "" };

test.for<[what: string, Partial<Facts>, faults: readonly string[], canBeForced: boolean]>([
  ["secrets and a clean tree", {}, [], true],
  ["a key set", { secrets: ["ADMIN_TOKEN"], vars: { IDENTITY_JWKS_URL: "https://id.example/keys" } }, [], true],
  ["IDENTITY=off", { secrets: ["ADMIN_TOKEN"], vars: { IDENTITY: "off" } }, [], true],
  ["no identity", { secrets: ["ADMIN_TOKEN"], vars: { IDENTITY: "on" } }, ["secret put SERVICE_TOKEN --env= "], true],
  ["no ADMIN_TOKEN", { env: "staging", secrets: ["SERVICE_TOKEN"] }, ["secret put ADMIN_TOKEN --env=staging"], true],
  ["two changes", { changes: " M src/index.ts\n?? src/new.ts\n" }, ["uncommitted changes: 2"], true],
  ["no repository", { changes: null }, ["no git repository"], true],
  ["ADMIN_AUTH=off", { vars: { ADMIN_AUTH: " off" } }, ["ADMIN_AUTH must not be set"], false],
  ["a secret ADMIN_AUTH", { secrets: [...GOOD.secrets, "ADMIN_AUTH"] }, ["ADMIN_AUTH must not be set"], false],
  ["WEBHOOK_TARGETS=any", { vars: { WEBHOOK_TARGETS: "any" } }, ["WEBHOOK_TARGETS must not be set"], false],
  ["a wrong value", { vars: { RATE_LIMIT: "many" } }, ["RATE_LIMIT must be off or a whole number"], false],
  ["a token in wrangler.toml", { vars: { ADMIN_TOKEN: "t" } }, ["remove ADMIN_TOKEN"], false],
])("a deploy with %s has the faults %j", ([, facts, faults, canBeForced]) => {
  const found = checksOf({ ...GOOD, ...facts }).filter(({ fault }) => fault !== null);
  expect(found).toMatchObject(faults.map((fault) => ({ fault: expect.stringContaining(fault), canBeForced })));
  expect(found).toHaveLength(faults.length);
});

test.for([
  [true, ["migrate", "deploy"]],
  [false, ["deploy", "migrate"]],
  [null, ["deploy"]],
] as const)("with a database %j the steps are %j", ([hasDatabase, steps]) => {
  expect(stepsOf(hasDatabase)).toEqual(steps);
});

test.for([
  ["https://doorbuster.shop.workers.dev", "https://doorbuster.shop.workers.dev"],
  ["sale.shop.example (custom domain)", "https://sale.shop.example"],
  ["shop.example/*", "https://shop.example"],
  ["shop.example/sale/*", null],
  ["schedule: 0 * * * *", null],
])("the target %j is the address %j", ([target, address]) => {
  const lines = [{ type: "wrangler-session" }, { type: "deploy", targets: [target] }];
  expect(addressIn(`${lines.map((line) => JSON.stringify(line)).join("\n")}\n`)).toBe(address);
});
