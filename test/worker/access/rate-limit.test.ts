// How often one user may ask for one coupon, by the platform's own counters.

import { expect, test } from "vitest";

import { RATE_LIMIT_WINDOW_SECONDS } from "../../../src/domain/limits.ts";
import { claim, countOutcomes, created, freshName, hold, outcomeOf, send, users, type Answer } from "../../support/api.ts";
import { workerWith, type Ask } from "../../support/worker.ts";

const WINDOW_MS = RATE_LIMIT_WINDOW_SECONDS * 1000;
/** Far more than one test takes. */
const ROOM_MS = 8_000;

/** Waits until the platform's window, which is aligned to the clock, has room for a whole test. */
async function windowWithRoom(): Promise<void> {
  const left = WINDOW_MS - (Date.now() % WINDOW_MS);
  if (left < ROOM_MS) await scheduler.wait(left + 50);
}

function claimOf(ask: Ask, name: string, userId: string, headers: Record<string, string> = {}): Promise<Answer> {
  return ask("POST", "/api/coupons/claim", { body: { user_id: userId, coupon_name: name }, headers });
}

function from(address: string): Record<string, string> {
  return { "CF-Connecting-IP": address };
}

test("a user's 101st request for a coupon gets 429 by default", async () => {
  const name = await created(5);
  await windowWithRoom();
  const answers = await Promise.all(Array.from({ length: 100 }, () => claim(name, "greedy")));
  expect(countOutcomes(answers)).toEqual({ 201: 1, "409 already_claimed": 99 });

  const { status, body, headers } = await claim(name, "greedy");
  expect([status, body["code"], body["retry_after"]]).toEqual([429, "rate_limited", 10]);
  expect(body["request_id"]).toBe(headers.get("X-Request-Id"));
  expect(Object.fromEntries(headers)).toMatchObject({
    "retry-after": "10",
    ratelimit: '"user";r=0;t=10',
    "ratelimit-policy": '"user";q=100;w=10',
    "cache-control": "no-store, no-transform",
  });
  expect(headers.get("Coupon-Seq")).toBeNull();
  // Holds count with the claims. Other users and other coupons have counts of their own.
  expect(outcomeOf(await hold(name, "greedy"))).toBe("429 rate_limited");
  for (const user of ["modest", "greedy ", "GREEDY"]) expect(outcomeOf(await claim(name, user))).toBe("201");
  expect(outcomeOf(await claim(await created(1), "greedy"))).toBe("201");
  expect(outcomeOf(await claim(freshName(), "greedy"))).toBe("404 coupon_not_found");
});

test("100 users at once do not count against one another", async () => {
  const name = await created(100);
  expect(countOutcomes(await Promise.all(users(100).map((user) => claim(name, user))))).toEqual({ 201: 100 });
});

test.for([5, 20])("RATE_LIMIT %i allows as many requests, holds and claims together", async (limit) => {
  const ask = workerWith({ RATE_LIMIT: String(limit) });
  const name = await created(5);
  const holding = { body: { user_id: "ada", ttl_seconds: 60 } };
  await windowWithRoom();
  expect(outcomeOf(await ask("POST", `/api/coupons/${name}/holds`, holding))).toBe("201");
  const answers: Answer[] = [];
  for (let count = 1; count < limit; count += 1) answers.push(await claimOf(ask, name, "ada"));
  expect(countOutcomes(answers)).toEqual({ 201: 1, "409 already_claimed": limit - 2 });

  const refused = await claimOf(ask, name, "ada");
  expect(outcomeOf(refused)).toBe("429 rate_limited");
  expect(refused.headers.get("RateLimit-Policy")).toBe(`"user";q=${limit};w=10`);
  expect(outcomeOf(await ask("POST", `/api/coupons/${name}/holds`, holding))).toBe("429 rate_limited");
  expect(outcomeOf(await claimOf(ask, name, "bob"))).toBe("201");
});

test("RATE_LIMIT off allows 150 requests of one user", async () => {
  const ask = workerWith({ RATE_LIMIT: "off" });
  const name = await created(5);
  const answers = await Promise.all(Array.from({ length: 150 }, () => claimOf(ask, name, "ada")));
  expect(countOutcomes(answers)).toEqual({ 201: 1, "409 already_claimed": 149 });
});

test("a stranger's 100 claims in a victim's name leave the victim's own budget", async () => {
  const name = await created(5, { starts_at: "2099-01-01T00:00:00Z" });
  const ask = workerWith({});
  await windowWithRoom();
  for (let count = 0; count < 100; count += 1) await claimOf(ask, name, "victim", from("203.0.113.7"));
  await send("PATCH", `/api/coupons/${name}`, { body: { starts_at: null } });
  expect(outcomeOf(await claimOf(ask, name, "victim", from("203.0.113.7")))).toBe("429 rate_limited");
  expect(outcomeOf(await claimOf(ask, name, "victim", from("203.0.113.8")))).toBe("201");
});

test("the 101st invented user of one address gets 429 under ADDRESS_LIMIT 100", async () => {
  const ask = workerWith({ ADDRESS_LIMIT: "100", SERVICE_TOKEN: "of-the-shop", ADMIN_TOKEN: "of-the-operator" });
  const name = await created(200);
  await windowWithRoom();
  for (const bot of users(100)) expect(outcomeOf(await claimOf(ask, name, bot, from("2001:db8::7")))).toBe("201");

  const refused = await claimOf(ask, name, "bot", from("2001:db8::8"));
  expect([refused.status, refused.body["error"]]).toEqual([
    429,
    "too many requests from this client address: try again after Retry-After seconds",
  ]);
  expect(refused.headers.get("RateLimit-Policy")).toBe('"address";q=100;w=10');
  expect(refused.headers.get("RateLimit")).toBe('"address";r=0;t=10');
  expect(outcomeOf(await claimOf(ask, name, "ada", from("2001:db8:0:1::8")))).toBe("201");
  expect(outcomeOf(await claimOf(ask, name, "bob"))).toBe("201");
  for (const token of ["of-the-shop", "of-the-operator"]) {
    const headers = { ...from("2001:db8::7"), Authorization: `Bearer ${token}` };
    expect(outcomeOf(await claimOf(ask, name, token, headers))).toBe("201");
  }
});

test("a winner who gets 429 gets the receipt by key later", async () => {
  const ask = workerWith({ RATE_LIMIT: "5" });
  const name = await created(5);
  await windowWithRoom();
  const key = { "Idempotency-Key": "key-1" };
  const outcomes: string[] = [];
  for (let count = 0; count < 6; count += 1) outcomes.push(outcomeOf(await claimOf(ask, name, "ada", key)));
  expect(outcomes).toEqual(["201", "201", "201", "201", "201", "429 rate_limited"]);
  const later = await claimOf(workerWith({ RATE_LIMIT: "off" }), name, "ada", key);
  expect(outcomeOf(later)).toBe("201");
  expect(later.headers.get("Idempotent-Replayed")).toBe("true");
});
