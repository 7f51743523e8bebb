// Logging in and out: what the admin token opens, and how often it may be tried.

import { expect, test } from "vitest";

import { LOGIN_WINDOW_SECONDS, LOGINS_MAX } from "../../../src/domain/service-limits.ts";
import { logIn, logOut } from "../../../src/http/auth/login.ts";
import { requestContext } from "../../../src/http/request-context.ts";
import { respond } from "../../../src/http/respond.ts";
import { bindings, workerWith } from "../../support/worker.ts";

const TOKEN = "the-admin-token";
const ENV = { ADMIN_TOKEN: TOKEN, ADMIN_TOKEN_PREVIOUS: "the-one-before" };
const ATTRIBUTES = "Path=/; HttpOnly; Secure; SameSite=Strict";

/** Logs in, and returns the refusal's code and sentence, or the cookie. */
async function outcomeOf(login: { token?: string; name?: string }, env: Parameters<typeof logIn>[0] = ENV): Promise<string> {
  const result = await logIn(env, { token: TOKEN, name: "", network: null, ...login }, Date.now());
  return result.ok ? result.setCookie : `${result.code}: ${result.error ?? JSON.stringify(result.fields)}`;
}

test.for([
  ["the token", { token: TOKEN, name: "ada" }],
  ["the token in white space, without a name", { token: ` ${TOKEN}\n`, name: " " }],
  ["the previous token", { token: ENV.ADMIN_TOKEN_PREVIOUS }],
] as const)("a login with %s gets a session that the operator's routes accept", async ([, login]) => {
  const setCookie = await outcomeOf(login);
  expect(setCookie).toMatch(new RegExp(`^__Host-operator=[^;]+; Max-Age=43200; ${ATTRIBUTES}$`));
  const headers = { cookie: setCookie.split(";")[0] ?? "" };
  expect((await workerWith({ ADMIN_TOKEN: TOKEN, ADMIN_AUTH: undefined })("GET", "/api/webhooks", { headers })).status).toBe(200);
});

test("a wrong and a missing token get one answer, and a closed server says how to open it", async () => {
  const wrong = "unauthorized: this is not the operator's token";
  for (const token of ["", " ", "wrong", `${TOKEN}x`, `Bearer ${TOKEN}`]) expect(await outcomeOf({ token })).toBe(wrong);
  expect(await outcomeOf({}, {})).toBe("unauthorized: operator routes are closed: set the secret ADMIN_TOKEN");
});

test.for(["two words", "x".repeat(65), "Zoë", "a\nb"])("a login under the name %j gets 400", async (name) => {
  expect(await outcomeOf({ name })).toMatch(/^invalid_request: .*must be 1 to 64 visible ASCII characters/);
});

test("a logout removes the cookie", () => {
  expect(logOut()).toEqual({ ok: true, setCookie: `__Host-operator=; Max-Age=0; ${ATTRIBUTES}` });
});

test("the sixth login of a network in a minute gets 429, also with the token", async () => {
  const { LOGINS_5_PER_60S: counter } = bindings;
  if (counter === undefined) throw new Error("no counter is bound");
  const env = { ...ENV, LOGINS_5_PER_60S: counter };
  const left = 1000 * LOGIN_WINDOW_SECONDS - (Date.now() % (1000 * LOGIN_WINDOW_SECONDS));
  // The platform's window is aligned to the clock.
  if (left < 5000) await scheduler.wait(left + 50);
  for (const network of ["203.0.113.7", null]) {
    const tries = Array.from({ length: LOGINS_MAX }, () => logIn(env, { token: "wrong", name: "", network }, Date.now()));
    for (const answer of await Promise.all(tries)) expect(answer).toMatchObject({ code: "unauthorized" });
    const sixth = await logIn(env, { token: TOKEN, name: "", network }, Date.now());
    if (sixth.ok) throw new Error("the sixth login succeeded");
    const answer = respond(requestContext(new Headers()), sixth);
    expect([answer.status, await answer.json()]).toMatchObject([429, { code: "rate_limited", retry_after: 60 }]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({ "retry-after": "60", "ratelimit-policy": '"login";q=5;w=60' });
  }
  expect(await logIn(env, { token: TOKEN, name: "", network: "203.0.113.8" }, Date.now())).toMatchObject({ ok: true });
});
