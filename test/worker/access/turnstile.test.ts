// Claims and holds behind Cloudflare Turnstile. The service is a stand-in that respects idempotency keys.

import { expect, onTestFinished, test, vi } from "vitest";

import { TURNSTILE_TOKEN_LENGTH_MAX } from "../../../src/domain/limits.ts";
import { platform } from "../../support/platform-faults.ts";
import { created, freshName, outcomeOf } from "../../support/api.ts";
import { SPENT, workerWith, type Ask } from "../../support/worker.ts";

type Asked = Readonly<Record<"secret" | "response" | "remoteip" | "idempotency_key", string>>;
type Answering = (asked: Asked, signal: AbortSignal | null) => Response | Promise<Response>;

const SECRET = "of-the-widget";

function failing(...codes: string[]): Response {
  return Response.json({ success: false, "error-codes": codes });
}

/** Stands in for siteverify until the end of the test. Returns what it was asked. */
function siteverify(answer: Answering = singleUse()): Asked[] {
  const asked: Asked[] = [];
  const elsewhere = globalThis.fetch;
  globalThis.fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    if (input !== "https://challenges.cloudflare.com/turnstile/v0/siteverify") return elsewhere(input, init);
    const question = (await new Request(input, init).json()) as Asked;
    asked.push(question);
    return answer(question, init?.signal ?? null);
  };
  onTestFinished(() => {
    globalThis.fetch = elsewhere;
  });
  return asked;
}

/** Every token that begins with "solved" is valid once, or again under the same idempotency key. */
function singleUse(): Answering {
  const used = new Map<string, string>();
  return ({ response, idempotency_key: key }) => {
    if (!response.startsWith("solved")) return failing("invalid-input-response");
    if ((used.get(response) ?? key) !== key) return failing("timeout-or-duplicate");
    used.set(response, key);
    return Response.json({ success: true, "error-codes": [] });
  };
}

function claimOf(ask: Ask, name: string, userId: string, headers: Record<string, string>) {
  return ask("POST", "/api/coupons/claim", { body: { user_id: userId, coupon_name: name }, headers });
}

test("a claim with a solved challenge gets 201, and its retry the same receipt", async () => {
  const asked = siteverify();
  const ask = workerWith({ TURNSTILE_SECRET: SECRET });
  const name = await created(3);
  const headers = { "Turnstile-Token": "solved", "Idempotency-Key": "key-1", "CF-Connecting-IP": "2001:db8::1" };
  const first = await claimOf(ask, name, "ada", headers);
  const again = await claimOf(ask, name, "ada", { ...headers, "CF-Connecting-IP": "203.0.113.7" });
  const anew = await claimOf(ask, name, "ada", { ...headers, "Turnstile-Token": "solved anew" });
  expect([first, again, anew].map(outcomeOf)).toEqual(["201", "201", "201"]);
  expect([again.body, anew.body]).toEqual([first.body, first.body]);
  expect([first, again, anew].map(({ headers: sent }) => sent.get("Idempotent-Replayed"))).toEqual([null, "true", "true"]);
  const uuid = expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}$/);
  expect(asked[0]).toEqual({ secret: SECRET, response: "solved", remoteip: "2001:db8::1", idempotency_key: uuid });
  expect(asked[1]).toEqual({ ...asked[0], remoteip: "203.0.113.7" });
});

test("one solved challenge serves one user of one coupon, for a hold and a claim", async () => {
  siteverify();
  const ask = workerWith({ TURNSTILE_SECRET: SECRET });
  const [name, other] = [await created(3), await created(3)];
  const headers = { "Turnstile-Token": "solved" };
  const hold = { body: { user_id: "ada", ttl_seconds: 60 }, headers };
  expect(outcomeOf(await ask("POST", `/api/coupons/${name}/holds`, hold))).toBe("201");
  expect(outcomeOf(await claimOf(ask, name, "ada", headers))).toBe("201");
  expect(outcomeOf(await claimOf(ask, name, "bot-2", headers))).toBe("403 challenge_failed");
  expect(outcomeOf(await claimOf(ask, other, "ada", headers))).toBe("403 challenge_failed");
});

test.for([
  ["no token", {}, 0],
  ["an empty token", { "Turnstile-Token": "" }, 0],
  ["a token that is too long", { "Turnstile-Token": "s".repeat(TURNSTILE_TOKEN_LENGTH_MAX + 1) }, 0],
  ["a token that no challenge gave", { "Turnstile-Token": "forged" }, 1],
] as const)("a claim and a hold with %s get 403 without any call to the object", async ([, headers, count]) => {
  const asked = siteverify();
  const object = platform();
  const ask = workerWith({ TURNSTILE_SECRET: SECRET, COUPONS: object.coupons });
  const hold = { body: { user_id: "ada", ttl_seconds: 60 }, headers };
  const answers = [await claimOf(ask, "any", "ada", headers), await ask("POST", "/api/coupons/any/holds", hold)];
  for (const { body } of answers)
    expect(body).toMatchObject({
      code: "challenge_failed",
      error: "solved challenge required: send a new Turnstile token in the header Turnstile-Token",
    });
  expect(answers.map(({ status }) => status)).toEqual([403, 403]);
  expect([object.calls, asked.length]).toEqual([[], 2 * count]);
});

test.for<[string, Answering]>([
  ["refuses the connection", () => Promise.reject(new TypeError("connection refused"))],
  ["answers with a page of HTML", () => new Response("<!doctype html>", { status: 502 })],
  ["answers null", () => Response.json(null)],
  ["answers without a reason", () => Response.json({ success: "true" })],
  ["has an internal error", () => failing("internal-error")],
  ["does not know the secret", () => failing("invalid-input-secret", "invalid-input-response")],
  [
    "is slower than TURNSTILE_DEADLINE_MS",
    (_asked, signal) => new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error))),
  ],
])("a claim gets 503 while siteverify %s, and the log says why", async ([, answer]) => {
  const logged = vi.spyOn(console, "error");
  siteverify(answer);
  const refused = await claimOf(workerWith({ TURNSTILE_SECRET: SECRET }), freshName(), "ada", { "Turnstile-Token": "solved" });
  expect([refused.status, refused.body["code"], refused.headers.get("Retry-After")]).toEqual([503, "unavailable", "1"]);
  expect(refused.body["error"]).toBe("the challenge can't be verified right now: try again");
  expect(logged.mock.calls.map(([line]) => String(line))).toEqual([expect.stringMatching(/^\{"event":"turnstile_failed","cause":/)]);
  expect(String(logged.mock.calls[0]?.[0])).not.toMatch(/of-the-widget|solved/);
  logged.mockRestore();
});

test("the challenge comes after the rate limit, and not for a back end, an operator or a read", async () => {
  const asked = siteverify();
  const name = await created(3);
  const settings = { TURNSTILE_SECRET: SECRET, SERVICE_TOKEN: "of-the-shop", ADMIN_TOKEN: "of-the-operator" };
  const ask = workerWith(settings);
  expect(outcomeOf(await claimOf(ask, name, " ", {}))).toBe("400 invalid_request");
  expect(outcomeOf(await claimOf(workerWith({ ...settings, ...SPENT }), name, "ada", {}))).toBe("429 rate_limited");
  const identified = workerWith({ ...settings, IDENTITY_SECRET: "secret" });
  expect(outcomeOf(await claimOf(identified, name, "ada", {}))).toBe("401 unauthorized");
  for (const token of ["of-the-shop", "of-the-operator"])
    expect(outcomeOf(await claimOf(ask, name, token, { Authorization: `Bearer ${token}` }))).toBe("201");
  expect(outcomeOf(await ask("GET", `/api/coupons/${name}/claims/of-the-shop`))).toBe("200");
  expect(asked).toEqual([]);
});
