// What the rate limit counts, under which key, and what happens where the platform's counter fails.

import { sign } from "hono/jwt";
import { expect, test, vi } from "vitest";

import { claim, created, freshName, outcomeOf, read, send } from "../../support/api.ts";
import { platform } from "../../support/platform-faults.ts";
import { fetchWith, SPENT, workerWith, type Ask } from "../../support/worker.ts";

type Counter = { readonly counter: RateLimit; readonly keys: string[] };

/** A stand-in for a counter of the platform. It allows every request and records the keys. */
function recording(): Counter {
  const keys: string[] = [];
  const counter: RateLimit = {
    limit({ key }) {
      keys.push(key);
      return Promise.resolve({ success: true });
    },
  };
  return { counter, keys };
}

function claimOf(ask: Ask, name: string, userId: string, address?: string, authorization?: string) {
  const headers = address === undefined ? {} : { "CF-Connecting-IP": address };
  return ask("POST", "/api/coupons/claim", { body: { user_id: userId, coupon_name: name }, headers, authorization });
}

test.for([
  ["RATE_LIMIT", "100", ["CLAIMS_100_PER_10S"]],
  ["RATE_LIMIT", "20", ["CLAIMS_20_PER_10S"]],
  ["RATE_LIMIT", "5", ["CLAIMS_5_PER_10S"]],
  ["RATE_LIMIT", "off", []],
  // The next lower limit counts.
  ["RATE_LIMIT", "99", ["CLAIMS_20_PER_10S"]],
  ["RATE_LIMIT", "19", ["CLAIMS_5_PER_10S"]],
  ["RATE_LIMIT", "1", ["CLAIMS_5_PER_10S"]],
  ["RATE_LIMIT", "101", ["CLAIMS_100_PER_10S"]],
  ["RATE_LIMIT", undefined, ["CLAIMS_100_PER_10S"]],
  ["ADDRESS_LIMIT", "1000", ["ADDRESS_1000_PER_10S"]],
  ["ADDRESS_LIMIT", "100", ["ADDRESS_100_PER_10S"]],
  ["ADDRESS_LIMIT", "off", []],
  ["ADDRESS_LIMIT", "999", ["ADDRESS_100_PER_10S"]],
  ["ADDRESS_LIMIT", "1", ["ADDRESS_100_PER_10S"]],
  ["ADDRESS_LIMIT", undefined, ["ADDRESS_1000_PER_10S"]],
] as const)("a claim under %s %j is counted by %j", async ([variable, value, counting]) => {
  const counters = {
    CLAIMS_100_PER_10S: recording(),
    CLAIMS_20_PER_10S: recording(),
    CLAIMS_5_PER_10S: recording(),
    ADDRESS_1000_PER_10S: recording(),
    ADDRESS_100_PER_10S: recording(),
  };
  const bound = Object.fromEntries(Object.entries(counters).map(([binding, { counter }]) => [binding, counter]));
  const ask = workerWith({ ...bound, RATE_LIMIT: "off", ADDRESS_LIMIT: "off", [variable]: value });
  await claimOf(ask, freshName("missing"), "ada", "203.0.113.7");
  expect(Object.entries(counters).flatMap(([binding, { keys }]) => keys.map(() => binding))).toEqual(counting);
});

test.for([
  ["without a token is one for each network", {}, undefined, 3],
  ["with the user's token is the same everywhere", { IDENTITY_SECRET: "secret" }, "ada", 1],
] as const)("a user's key %s", async ([, settings, sub, count]) => {
  const { counter, keys } = recording();
  const ask = workerWith({ ...settings, CLAIMS_100_PER_10S: counter });
  const authorization = sub === undefined ? undefined : `Bearer ${await sign({ sub }, "secret", "HS256")}`;
  const name = freshName("missing");
  for (const address of ["203.0.113.7", "::ffff:203.0.113.7", "2001:db8::1", "2001:db8::2", "no address", undefined])
    await claimOf(ask, name, "ada", address, authorization);
  expect(keys).toHaveLength(6);
  expect(new Set(keys).size).toBe(count);
});

test("the counter's key is the same for a user's claims and holds", async () => {
  const { counter, keys } = recording();
  const ask = workerWith({ CLAIMS_100_PER_10S: counter });
  const name = await created(5);
  await claimOf(ask, name, "ada");
  await ask("POST", `/api/coupons/${name}/holds`, { body: { user_id: "ada", ttl_seconds: 60 } });
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
});

test("the counter's key differs for any two pairs of user and coupon", async () => {
  const { counter, keys } = recording();
  const ask = workerWith({ CLAIMS_100_PER_10S: counter });
  for (const [coupon, user] of [
    ["a", "b c"],
    ["a b", "c"],
    ["a:b", "c"],
    ["a", "b:c"],
    ["a\\nb", "c"],
    ["a", "b\\nc"],
    ["c", "a"],
    ["a", "c"],
  ] as const) {
    await claimOf(ask, coupon, user);
  }
  expect(new Set(keys).size).toBe(8);
});

test("malformed requests get 400 and are not counted, also beyond the limit", async () => {
  const { counter, keys } = recording();
  const name = await created(5);
  const malformed = { user_id: "ada", coupon_name: name };
  for (const settings of [{ CLAIMS_100_PER_10S: counter }, SPENT]) {
    const ask = workerWith(settings);
    const answers = [
      await ask("POST", "/api/coupons/claim", { body: { user_id: " ", coupon_name: name } }),
      await ask("POST", "/api/coupons/claim", { body: malformed, headers: { "Idempotency-Key": "two words" } }),
      await ask("POST", `/api/coupons/${name}/holds`, { body: { user_id: "ada", ttl_seconds: -1 } }),
    ];
    expect(answers.map(outcomeOf)).toEqual(Array.from({ length: 3 }, () => "400 invalid_request"));
  }
  expect(keys).toEqual([]);
});

test("a request beyond the limit gets 429 and never reaches the coupon; a claim is counted", async () => {
  const name = await created(5);
  const metrics = async () => (await fetchWith({}, "GET", `/api/coupons/${name}/metrics`)).text();
  const before = await metrics();
  const counted = 'outcome="rate_limited"}';
  const over = platform();
  const ask = workerWith({ ...SPENT, COUPONS: over.coupons });
  const holding = await ask("POST", `/api/coupons/${name}/holds`, { body: { user_id: "ada", ttl_seconds: 60 } });
  for (const answer of [await claimOf(ask, name, "ada"), holding]) expect(outcomeOf(answer)).toBe("429 rate_limited");
  expect([over.calls, over.named]).toEqual([[], []]);
  expect(await metrics()).toBe(before.replace(`${counted} 0`, `${counted} 1`));
  expect((await read(name)).headers.get("Coupon-Seq")).toBe("1");
});

test.for<[string, string, unknown, number]>([
  ["GET", "", undefined, 200],
  ["GET", "/status", undefined, 200],
  ["GET", "/metrics", undefined, 200],
  ["GET", "/claims", undefined, 200],
  ["GET", "/claims/ada", undefined, 200],
  ["DELETE", "/holds/ada", undefined, 204],
  ["PATCH", "", { amount: 9 }, 200],
  ["DELETE", "/claims/ada", undefined, 200],
  ["DELETE", "", undefined, 204],
])("%s /api/coupons/{name}%s has no rate limit", async ([method, rest, body, status]) => {
  const name = await created(5);
  await claim(name, "ada");
  const response = await fetchWith(SPENT, method, `/api/coupons/${name}${rest}`, { body });
  expect(response.status).toBe(status);
  expect(response.headers.get("RateLimit-Policy")).toBeNull();
});

test("POST /api/coupons has no rate limit", async () => {
  expect((await workerWith(SPENT)("POST", "/api/coupons", { body: { name: freshName(), amount: 1 } })).status).toBe(201);
});

test.for([
  ["off", "CLAIMS_100_PER_10S"],
  [undefined, "CLAIMS_100_PER_10S"],
  ["20", "CLAIMS_20_PER_10S"],
  ["5", "CLAIMS_5_PER_10S"],
] as const)("claims under RATE_LIMIT %j are allowed where %s is not bound", async ([RATE_LIMIT, missing]) => {
  const name = await created(5);
  const refusing = { limit: () => Promise.resolve({ success: false }) };
  const others = { CLAIMS_100_PER_10S: refusing, CLAIMS_20_PER_10S: refusing, CLAIMS_5_PER_10S: refusing };
  const ask = workerWith({ ...others, [missing]: undefined, RATE_LIMIT });
  expect(outcomeOf(await claimOf(ask, name, "ada"))).toBe("201");
  expect(outcomeOf(await claimOf(ask, name, "ada"))).toBe("409 already_claimed");
});

test.for<[string, () => Promise<RateLimitOutcome>]>([
  ["rejects", () => Promise.reject(new Error("counter is down"))],
  [
    "throws",
    () => {
      throw new TypeError("counter is broken");
    },
  ],
])("a claim is granted where the counter %s, and the log says so", async ([, limit]) => {
  const logged = vi.spyOn(console, "error");
  const name = await created(5);
  expect(outcomeOf(await claimOf(workerWith({ CLAIMS_100_PER_10S: { limit } }), name, "ada"))).toBe("201");
  expect(logged.mock.calls.map(([line]) => String(line))).toEqual([
    expect.stringMatching(/^\{"event":"rate_limit_failed","cause":"[^"]*counter is (down|broken)"\}$/),
  ]);
  logged.mockRestore();
  expect(outcomeOf(await send("GET", `/api/coupons/${name}/claims/ada`))).toBe("200");
});
