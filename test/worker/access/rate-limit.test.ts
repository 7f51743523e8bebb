// How often one user may ask for one coupon, by the platform's own counters.

import { beforeAll, describe, expect, test } from "vitest";

import { RATE_LIMIT_WINDOW_SECONDS } from "../../../src/domain/limits.ts";
import { claim, countOutcomes, created, freshName, outcomeOf, send, users, type Answer } from "../../support/api.ts";
import { workerWith, type Ask } from "../../support/worker.ts";

const WINDOW_MS = RATE_LIMIT_WINDOW_SECONDS * 1000;
/** Far more than what one test takes. */
const ROOM_MS = 8_000;

/** Waits until the platform's window, which is aligned to the clock, has room for a whole test. */
async function windowWithRoom(): Promise<void> {
  const left = WINDOW_MS - (Date.now() % WINDOW_MS);
  if (left < ROOM_MS) await scheduler.wait(left + 50);
}

function claimOf(ask: Ask, name: string, userId: string, headers: Record<string, string> = {}): Promise<Answer> {
  return ask("POST", "/api/coupons/claim", { body: { user_id: userId, coupon_name: name }, headers });
}

describe("as it is deployed", () => {
  const asked: { readonly user: string; coupon: string; answers: readonly Answer[] } = { user: "greedy", coupon: "", answers: [] };

  beforeAll(async () => {
    asked.coupon = await created(5);
    await windowWithRoom();
    asked.answers = await Promise.all(Array.from({ length: 100 }, () => claim(asked.coupon, asked.user)));
  });

  test("100 requests of a user for a coupon within ten seconds are judged", () => {
    expect(countOutcomes(asked.answers)).toEqual({ 201: 1, "409 already_claimed": 99 });
  });

  test("the 101st is one too many, and is told when to come back", async () => {
    const { status, body, headers } = await claim(asked.coupon, asked.user);
    expect({ status, body }).toEqual({
      status: 429,
      body: {
        error: "too many requests of this user for this coupon: try again after Retry-After seconds",
        code: "rate_limited",
        request_id: headers.get("X-Request-Id"),
        retry_after: 10,
      },
    });
    expect(headers.get("Retry-After")).toBe("10");
    expect(headers.get("RateLimit")).toBe('"user";r=0;t=10');
    expect(headers.get("RateLimit-Policy")).toBe('"user";q=100;w=10');
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(headers.get("Coupon-Seq")).toBeNull();
  });

  test("a hold is counted with the claims", async () => {
    const body = { user_id: asked.user, ttl_seconds: 60 };
    expect(outcomeOf(await send("POST", `/api/coupons/${asked.coupon}/holds`, { body }))).toBe("429 rate_limited");
  });

  test("neither another user, nor the same user at another coupon, is held up", async () => {
    expect(outcomeOf(await claim(asked.coupon, "modest"))).toBe("201");
    expect(outcomeOf(await claim(await created(1), asked.user))).toBe("201");
    expect(outcomeOf(await claim(freshName(), asked.user))).toBe("404 coupon_not_found");
  });

  test("a user whose name looks alike is another user", async () => {
    expect(outcomeOf(await claim(asked.coupon, `${asked.user} `))).toBe("201");
    expect(outcomeOf(await claim(asked.coupon, asked.user.toUpperCase()))).toBe("201");
  });
});

test("50 honest duplicates get their 409s", async () => {
  const name = await created(5);
  const answers = await Promise.all(Array.from({ length: 50 }, () => claim(name, "impatient")));
  expect(countOutcomes(answers)).toEqual({ 201: 1, "409 already_claimed": 49 });
});

test("100 users at once are not in each other's way", async () => {
  const name = await created(100);
  expect(countOutcomes(await Promise.all(users(100).map((user) => claim(name, user))))).toEqual({ 201: 100 });
});

describe("RATE_LIMIT", () => {
  test.for([5, 20])("%i lets as many requests through, holds and claims together", async (limit) => {
    const ask = workerWith({ RATE_LIMIT: String(limit) });
    const name = await created(5);
    await windowWithRoom();
    const body = { user_id: "ada", ttl_seconds: 60 };
    expect(outcomeOf(await ask("POST", `/api/coupons/${name}/holds`, { body }))).toBe("201");
    const answers: Answer[] = [];
    for (let count = 1; count < limit; count += 1) answers.push(await claimOf(ask, name, "ada"));
    expect(countOutcomes(answers)).toEqual({ 201: 1, "409 already_claimed": limit - 2 });

    const refused = await claimOf(ask, name, "ada");
    expect(outcomeOf(refused)).toBe("429 rate_limited");
    expect(refused.headers.get("RateLimit-Policy")).toBe(`"user";q=${limit};w=10`);
    expect(outcomeOf(await ask("POST", `/api/coupons/${name}/holds`, { body }))).toBe("429 rate_limited");
    expect(outcomeOf(await claimOf(ask, name, "bob"))).toBe("201");
  });

  test("off lets everything through", async () => {
    const ask = workerWith({ RATE_LIMIT: "off" });
    const name = await created(5);
    const answers = await Promise.all(Array.from({ length: 150 }, () => claimOf(ask, name, "ada")));
    expect(countOutcomes(answers)).toEqual({ 201: 1, "409 already_claimed": 149 });
  });
});

test("a winner who asks too often is refused, and told of the win by the same key later", async () => {
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
