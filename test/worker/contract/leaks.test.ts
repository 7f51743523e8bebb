// Internal failures stay internal: no answer contains a stack, an SQL text or words of the platform.

import { evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import { claim, create, created, freshName, outcomeOf, read, send, type Answer } from "../../support/api.ts";
import { runSql, stubOf } from "../../support/storage.ts";

/** Words of internals. `at x (` is a line of a stack. */
const INTERNALS =
  /\bat \S+ \(|\bat .*:\d+:\d+|\.[jt]s\b|stack|sqlite|select |insert |update |constraint|no such table|durable|workerd|cloudflare|isolate|zod|hono|jsrpc|unexpected token|TypeError|RangeError|undefined|\[object/i;

function expectNoInternals({ body, headers }: Answer): void {
  expect(JSON.stringify(body)).not.toMatch(INTERNALS);
  expect(JSON.stringify(Array.from(headers))).not.toMatch(INTERNALS);
  expect(headers.get("X-Powered-By")).toBeNull();
}

test.for([
  ["for no route", () => send("GET", "/nowhere")],
  ["for no method", () => send("PUT", "/health")],
  ["for broken JSON", () => send("POST", "/api/coupons/claim", { raw: '{"user_id": oops}' })],
  ["for wrong types", () => send("POST", "/api/coupons", { body: { name: [], amount: "x", starts_at: 1, ends_at: {} } })],
  ["for a body that is too large", () => send("POST", "/api/coupons/claim", { raw: "x".repeat(20_000) })],
  ["for a missing coupon", () => read(freshName())],
  ["for a malformed path", () => send("GET", "/api/coupons/%zz")],
  ["for a malformed key", () => claim(freshName(), "user", { "Idempotency-Key": "two words" })],
] as const)("a refusal %s contains no internals", async ([, ask]) => {
  const answer = await ask();
  expect(answer.status).toBeLessThan(500);
  expectNoInternals(answer);
});

test("refusals of the object contain no internals", async () => {
  const name = await created(1);
  const key = { "Idempotency-Key": "key" };
  await claim(name, "winner", key);
  const answers = [await claim(name, "winner"), await claim(name, "loser"), await claim(name, "loser", key), await create(name, 1)];
  expect(answers.map(({ status }) => status)).toEqual([409, 400, 422, 409]);
  for (const answer of answers) expectNoInternals(answer);
});

describe.for([
  ["claims", "DROP TABLE claims"],
  ["ledger", "DROP TABLE ledger"],
  ["row", "DELETE FROM coupon"],
] as const)("a coupon that lost its %s", ([lost, statement]) => {
  test.for(["before", "after"])(`a coupon that lost its ${lost} answers without internals %s an eviction`, async (when) => {
    const name = await created(2);
    await runSql(name, statement);
    await Promise.all(when === "after" ? [evictDurableObject(stubOf(name))] : []);
    const answer = await claim(name, "user");
    for (const each of [answer, await read(name), await create(name, 1)]) expectNoInternals(each);
    if (when === "before") return;
    expect(["503 unavailable", "503 outcome_unknown"]).toContain(outcomeOf(answer));
    expect(answer.headers.get("Retry-After")).toBe("1");
  });
});

test("a claim that storage refuses names the ledger's true head, or none", async () => {
  const name = await created(5);
  await claim(name, "first");
  await runSql(name, "CREATE TRIGGER broken BEFORE INSERT ON claims BEGIN SELECT RAISE(ABORT, 'broken'); END");
  const answer = await claim(name, "second");
  expect(outcomeOf(answer)).toBe("503 unavailable");
  expect(["2", null]).toContain(answer.headers.get("Coupon-Seq"));
});
