// What goes wrong inside stays inside: no answer carries a stack, an SQL text or a word of the platform.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import { claim, create, created, freshName, read, send, type Answer } from "../../support/api.ts";
import { stubOf } from "../../support/storage.ts";

/** Words of our insides; `at x (` is a line of a stack. */
const INSIDES =
  /\bat \S+ \(|\bat .*:\d+:\d+|\.[jt]s\b|stack|sqlite|select |insert |update |constraint|no such table|durable|workerd|cloudflare|isolate|zod|hono|jsrpc|unexpected token|TypeError|RangeError|undefined|\[object/i;

function expectDiscreet({ body, headers }: Answer): void {
  expect(JSON.stringify(body)).not.toMatch(INSIDES);
  expect(JSON.stringify(Array.from(headers))).not.toMatch(INSIDES);
  expect(headers.get("X-Powered-By")).toBeNull();
}

/** Breaks the coupon's own tables, and has the object read them afresh or not. */
async function breakTable(name: string, statement: string, isEvicted: boolean): Promise<void> {
  await runInDurableObject(stubOf(name), (_object, { storage }) => {
    storage.sql.exec(statement);
  });
  await Promise.all(isEvicted ? [evictDurableObject(stubOf(name))] : []);
}

describe("an expected no", () => {
  test.for([
    ["no route", () => send("GET", "/nowhere")],
    ["no such method", () => send("PUT", "/health")],
    ["no body", () => send("POST", "/api/coupons/claim")],
    ["broken JSON", () => send("POST", "/api/coupons/claim", { raw: '{"user_id": oops}' })],
    ["wrong types", () => send("POST", "/api/coupons", { body: { name: [], amount: "x", starts_at: 1, ends_at: {} } })],
    ["a body too large", () => send("POST", "/api/coupons/claim", { raw: "x".repeat(20_000) })],
    ["no such coupon", () => read(freshName())],
    ["a malformed path", () => send("GET", "/api/coupons/%zz")],
    ["a malformed key", () => claim(freshName(), "user", { "idempotency-key": "two words" })],
  ] as const)("%s says nothing of how it is made", async ([, ask]) => {
    const answer = await ask();
    expect(answer.status).toBeLessThan(500);
    expectDiscreet(answer);
  });

  test("by the object says nothing of how it is made", async () => {
    const name = await created(1);
    await claim(name, "winner", { "idempotency-key": "key" });
    const answers = [
      await claim(name, "winner"),
      await claim(name, "loser"),
      await claim(name, "loser", { "idempotency-key": "key" }),
      await create(name, 1),
    ];
    expect(answers.map(({ status }) => status)).toEqual([409, 400, 422, 409]);
    for (const answer of answers) expectDiscreet(answer);
  });
});

describe.for([
  ["the claims are gone", "DROP TABLE claims"],
  ["the ledger is gone", "DROP TABLE ledger"],
  ["the coupon's row is gone", "DELETE FROM coupon"],
] as const)("a coupon of which %s", ([, statement]) => {
  test.for([
    ["warm", false],
    ["cold", true],
  ] as const)("says nothing of how it is made, %s", async ([, isEvicted]) => {
    const name = await created(2);
    await breakTable(name, statement, isEvicted);
    for (const answer of [await claim(name, "user"), await read(name), await create(name, 1)]) expectDiscreet(answer);
  });

  test("answers 503 to a claim, and when to try again", async () => {
    const name = await created(2);
    await breakTable(name, statement, true);
    const answer = await claim(name, "user");
    expect(answer.status).toBe(503);
    expect(["unavailable", "outcome_unknown"]).toContain(answer.body["code"]);
    expect(answer.headers.get("Retry-After")).toBe("1");
  });
});

test("a claim that storage refuses tells the ledger's true head, or none", async () => {
  const name = await created(5);
  await claim(name, "first");
  await breakTable(name, "CREATE TRIGGER broken BEFORE INSERT ON claims BEGIN SELECT RAISE(ABORT, 'broken'); END", false);
  const answer = await claim(name, "second");
  expect([answer.status, answer.body["code"]]).toEqual([503, "unavailable"]);
  expect(["2", null]).toContain(answer.headers.get("Coupon-Seq"));
});
