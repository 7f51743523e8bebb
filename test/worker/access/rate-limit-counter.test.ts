// What is counted, under which key, and what happens where the platform's counter is missing or fails.

import { describe, expect, test, vi } from "vitest";

import { claim, created, freshName, outcomeOf, read, send } from "../../support/api.ts";
import { platform } from "../../support/platform-faults.ts";
import { fetchWith, SPENT, workerWith, type Ask } from "../../support/worker.ts";

type Counter = { readonly counter: RateLimit; readonly keys: string[] };

/** A stand-in for a counter of the platform that notes what it is asked, and lets everybody through. */
function noting(): Counter {
  const keys: string[] = [];
  const counter: RateLimit = {
    limit({ key }) {
      keys.push(key);
      return Promise.resolve({ success: true });
    },
  };
  return { counter, keys };
}

function claimOf(ask: Ask, name: string, userId: string) {
  return ask("POST", "/api/coupons/claim", { body: { user_id: userId, coupon_name: name } });
}

/** Which of the platform's counters are asked about one claim. */
async function askedUnder(RATE_LIMIT: string | undefined): Promise<string[]> {
  const counters = { CLAIMS_100_PER_10S: noting(), CLAIMS_20_PER_10S: noting(), CLAIMS_5_PER_10S: noting() };
  const bound = Object.fromEntries(Object.entries(counters).map(([binding, { counter }]) => [binding, counter]));
  await claimOf(workerWith({ ...bound, RATE_LIMIT }), freshName("missing"), "ada");
  return Object.entries(counters).flatMap(([binding, { keys }]) => keys.map(() => binding));
}

describe("RATE_LIMIT", () => {
  test.for([
    ["100", "CLAIMS_100_PER_10S"],
    ["20", "CLAIMS_20_PER_10S"],
    ["5", "CLAIMS_5_PER_10S"],
  ] as const)("%s has %s count", async ([limit, binding]) => {
    expect(await askedUnder(limit)).toEqual([binding]);
  });

  test("off has none of them count", async () => {
    expect(await askedUnder("off")).toEqual([]);
  });

  test.for([
    ["99", "CLAIMS_20_PER_10S"],
    ["30", "CLAIMS_20_PER_10S"],
    ["19", "CLAIMS_5_PER_10S"],
    ["1", "CLAIMS_5_PER_10S"],
    ["0.5", "CLAIMS_5_PER_10S"],
  ] as const)("%s means the next lower one: %s counts", async ([limit, binding]) => {
    expect(await askedUnder(limit)).toEqual([binding]);
  });

  test.for([undefined, "", "0", "-1", "101", "NaN", "Infinity", "many", "true", "OFF", "Off", " off", "no"])(
    "%j says nothing: the limit stays 100",
    async (RATE_LIMIT) => {
      expect(await askedUnder(RATE_LIMIT)).toEqual(["CLAIMS_100_PER_10S"]);
    },
  );
});

describe("counted are", () => {
  test("claims and holds of one user for one coupon, together", async () => {
    const { counter, keys } = noting();
    const ask = workerWith({ CLAIMS_100_PER_10S: counter });
    const name = await created(5);
    await claimOf(ask, name, "ada");
    await ask("POST", `/api/coupons/${name}/holds`, { body: { user_id: "ada", ttl_seconds: 60 } });
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  test("no two pairs of user and coupon as one", async () => {
    const { counter, keys } = noting();
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

  test("no malformed requests", async () => {
    const { counter, keys } = noting();
    const ask = workerWith({ CLAIMS_100_PER_10S: counter });
    const name = await created(5);
    const sent = [
      await ask("POST", "/api/coupons/claim", { body: { user_id: " ", coupon_name: name } }),
      await ask("POST", "/api/coupons/claim", { body: { user_id: "ada", coupon_name: name }, headers: { "Idempotency-Key": "two words" } }),
      await ask("POST", `/api/coupons/${name}/holds`, { body: { user_id: "ada", ttl_seconds: -1 } }),
    ];
    expect(sent.map(outcomeOf)).toEqual(Array.from({ length: 3 }, () => "400 invalid_request"));
    expect(keys).toEqual([]);
  });
});

describe("a request that is one too many", () => {
  test("does not touch the object: not its ledger, not its metrics, not even a call", async () => {
    const name = await created(5);
    const before = await (await fetchWith({}, "GET", `/api/coupons/${name}/metrics`)).text();
    const over = platform();
    const ask = workerWith({ ...SPENT, COUPONS: over.coupons });
    expect(outcomeOf(await claimOf(ask, name, "ada"))).toBe("429 rate_limited");
    expect(outcomeOf(await ask("POST", `/api/coupons/${name}/holds`, { body: { user_id: "ada", ttl_seconds: 60 } }))).toBe(
      "429 rate_limited",
    );
    expect(over.calls).toEqual([]);
    expect(over.named).toEqual([]);
    expect(await (await fetchWith({}, "GET", `/api/coupons/${name}/metrics`)).text()).toBe(before);
    expect((await read(name)).headers.get("Coupon-Seq")).toBe("1");
  });

  test("is told so before it is told that there is no such coupon", async () => {
    expect(outcomeOf(await claimOf(workerWith(SPENT), freshName(), "ada"))).toBe("429 rate_limited");
  });

  test("is malformed before it is too many", async () => {
    const ask = workerWith(SPENT);
    expect(outcomeOf(await ask("POST", "/api/coupons/claim", { body: { user_id: "ada" } }))).toBe("400 invalid_request");
  });
});

describe("never limited is", () => {
  test.for<[string, string, string, unknown, number]>([
    ["a look", "GET", "", undefined, 200],
    ["the status", "GET", "/status", undefined, 200],
    ["the metrics", "GET", "/metrics", undefined, 200],
    ["the list of claims", "GET", "/claims", undefined, 200],
    ["one's own claim", "GET", "/claims/ada", undefined, 200],
    ["giving a hold back", "DELETE", "/holds/ada", undefined, 204],
    ["a change", "PATCH", "", { amount: 9 }, 200],
    ["a release", "DELETE", "/claims/ada", undefined, 200],
    ["the end of the coupon", "DELETE", "", undefined, 204],
  ])("%s", async ([, method, rest, body, status]) => {
    const name = await created(5);
    await claim(name, "ada");
    const path = `/api/coupons/${name}${rest}`;
    const response = await fetchWith(SPENT, method, path, { body });
    expect(response.status).toBe(status);
    expect(response.headers.get("RateLimit-Policy")).toBeNull();
  });

  test("creating a coupon", async () => {
    const ask = workerWith(SPENT);
    expect((await ask("POST", "/api/coupons", { body: { name: freshName(), amount: 1 } })).status).toBe(201);
  });
});

describe("everybody is let through", () => {
  test.for([
    ["off", "CLAIMS_100_PER_10S"],
    [undefined, "CLAIMS_100_PER_10S"],
    ["100", "CLAIMS_100_PER_10S"],
    ["20", "CLAIMS_20_PER_10S"],
    ["5", "CLAIMS_5_PER_10S"],
  ] as const)("under RATE_LIMIT %j where %s is not bound, whatever else is", async ([RATE_LIMIT, missing]) => {
    const name = await created(5);
    const refusing = { limit: () => Promise.resolve({ success: false }) };
    const others = { CLAIMS_100_PER_10S: refusing, CLAIMS_20_PER_10S: refusing, CLAIMS_5_PER_10S: refusing };
    const ask = workerWith({ ...others, [missing]: undefined, RATE_LIMIT });
    expect(outcomeOf(await claimOf(ask, name, "ada"))).toBe("201");
    expect(outcomeOf(await claimOf(ask, name, "ada"))).toBe("409 already_claimed");
  });

  test("where it is off, and the counter is not asked", async () => {
    const { counter, keys } = noting();
    expect(outcomeOf(await claimOf(workerWith({ CLAIMS_100_PER_10S: counter, RATE_LIMIT: "off" }), await created(5), "ada"))).toBe("201");
    expect(keys).toEqual([]);
  });

  test.for<[string, () => Promise<RateLimitOutcome>]>([
    ["rejects", () => Promise.reject(new Error("counter is down"))],
    [
      "throws",
      () => {
        throw new TypeError("counter is broken");
      },
    ],
  ])("where the counter %s, and the log says so", async ([, limit]) => {
    const logged = vi.spyOn(console, "error");
    const name = await created(5);
    const ask = workerWith({ CLAIMS_100_PER_10S: { limit } });
    expect(outcomeOf(await claimOf(ask, name, "ada"))).toBe("201");
    expect(logged.mock.calls.map(([line]) => String(line))).toEqual([
      expect.stringMatching(/^\{"event":"rate_limit_failed","cause":"[^"]*counter is (down|broken)"\}$/),
    ]);
    logged.mockRestore();
    expect(outcomeOf(await send("GET", `/api/coupons/${name}/claims/ada`))).toBe("200");
  });
});
