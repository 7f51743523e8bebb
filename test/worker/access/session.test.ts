// The operator's session: which cookies are one, which requests may use it, and what it may do.

import { expect, test } from "vitest";

import { SESSION_SECONDS } from "../../../src/domain/service-limits.ts";
import { issueSession, readSession } from "../../../src/http/auth/session.ts";
import { claim, created, freshName, outcomeOf, pathOf, send } from "../../support/api.ts";
import { SPENT, workerWith, type Ask, type Settings } from "../../support/worker.ts";

const [OWN, CONSOLE, EVIL] = ["https://doorbuster.test", "https://console.example", "https://evil.example"];
const TOKEN = "the-admin-token";
const ON: Settings = { ADMIN_TOKEN: TOKEN, ADMIN_AUTH: undefined, OPERATOR_ORIGINS: CONSOLE };

/** The header `Cookie` of a session. */
async function cookieOf(name: string | null = "ada", token = TOKEN, now = Date.now()): Promise<string> {
  const [cookie = ""] = (await issueSession({ name }, token, now)).split(";");
  return cookie;
}

/** A Worker whose every request has the session, as a page of the own origin sends it. */
async function consoleWith(settings: Settings, name: string | null = "ada"): Promise<Ask> {
  const headers = { Cookie: await cookieOf(name), "Sec-Fetch-Site": "same-origin" };
  const ask = workerWith(settings);
  return (method, path, sent) => ask(method, path, { ...sent, headers: { ...headers, ...sent?.headers } });
}

test("a session is read until it ends, beside other cookies, with the name that it was issued for", async () => {
  const now = Date.now();
  for (const name of ["ada", "a:b;c=%41 .\"'", "x".repeat(64), null]) {
    const cookie = `theme=dark; ${await cookieOf(name, TOKEN, now)}; lang=en`;
    expect(await readSession(cookie, { ADMIN_TOKEN: TOKEN }, now + SESSION_SECONDS * 1000 - 1)).toEqual({ name });
    expect(await readSession(cookie, { ADMIN_TOKEN: TOKEN }, now + SESSION_SECONDS * 1000)).toBeNull();
  }
});

test.for([
  ["no header", () => null],
  ["an empty header", () => ""],
  ["another cookie with the value", (cookie: string) => cookie.replace("__Host-", "")],
  ["a longer name of the cookie", (cookie: string) => `x${cookie}`],
  ["an empty value", () => "__Host-operator="],
  ["no value", () => "__Host-operator"],
  ["no signature", (cookie: string) => cookie.slice(0, cookie.lastIndexOf("."))],
  ["half a signature", (cookie: string) => cookie.slice(0, -20)],
  ["a signature alone", (cookie: string) => `__Host-operator=${cookie.slice(cookie.lastIndexOf("."))}`],
  ["a later end", (cookie: string) => cookie.replace("=", "=9")],
  ["another name", (cookie: string) => cookie.replace("ada", "eve")],
  ["malformed percent-encoding", (cookie: string) => cookie.replace("=", "=%ff%")],
  ["a signature that is no base64", () => `__Host-operator=1%20ada.${"-".repeat(43)}=`],
  ["a signature of another token", () => cookieOf("ada", "another-token")],
  ["the admin token", () => `__Host-operator=${TOKEN}`],
  ["100,000 characters", (cookie: string) => `${cookie}${"x".repeat(100_000)}`],
  ["50,000 cookies", () => "__Host-operator=x; ".repeat(50_000)],
] as const)("a cookie header with %s has no session", async ([, change]) => {
  expect(await readSession(await change(await cookieOf()), { ADMIN_TOKEN: TOKEN }, Date.now())).toBeNull();
});

test("a session outlives a rotation of its token, and ends with the token", async () => {
  const cookie = await cookieOf();
  const read = (tokens: Settings) => readSession(cookie, tokens, Date.now());
  expect(await read({ ADMIN_TOKEN: "new", ADMIN_TOKEN_PREVIOUS: TOKEN })).toEqual({ name: "ada" });
  for (const tokens of [{ ADMIN_TOKEN: "new" }, { ADMIN_TOKEN: "new", ADMIN_TOKEN_PREVIOUS: "newer" }, {}])
    expect(await read(tokens)).toBeNull();
});

const SITES = ["same-origin", "same-site", "cross-site", "none", null] as const;

/** For each `Origin`, the statuses of a read and of a write in the order of `SITES`. */
test.for<[origin: string | null, statuses: readonly string[]]>([
  [null, ["200 201", "401 403", "401 403", "200 201", "200 201"]],
  [OWN, ["200 201", "401 403", "401 403", "200 201", "200 201"]],
  // Behind a proxy that changes the host, `Sec-Fetch-Site` alone shows the own page.
  [CONSOLE, ["200 201", "401 401", "401 401", "401 401", "401 401"]],
  [EVIL, ["200 201", "401 403", "401 403", "401 403", "401 403"]],
  ["null", ["200 201", "401 403", "401 403", "401 403", "401 403"]],
])("a session in requests with Origin %s counts for the own page alone", async ([origin, statuses]) => {
  const cookie = await cookieOf();
  const ask = workerWith(ON);
  const seen = SITES.map(async (site) => {
    const headers = { cookie, ...(origin === null ? {} : { origin }), ...(site === null ? {} : { "sec-fetch-site": site }) };
    const read = await ask("GET", "/api/webhooks", { headers });
    const write = await ask("POST", "/api/coupons", { headers, body: { name: freshName(), amount: 1 } });
    for (const answer of [read, write]) expect(answer.headers.get("Access-Control-Allow-Credentials")).toBeNull();
    return `${read.status} ${write.status}`;
  });
  expect(await Promise.all(seen)).toEqual(statuses);
});

test("a page of an operator's origin writes with its bearer token, and its session does not count", async () => {
  const name = freshName();
  const headers = { cookie: await cookieOf(), origin: CONSOLE, "sec-fetch-site": "same-site" };
  const sent = { headers, authorization: `Bearer ${TOKEN}`, body: { name, amount: 1 } };
  expect(outcomeOf(await workerWith(ON)("POST", "/api/coupons", sent))).toBe("201");
  const { body } = await send("GET", pathOf(name, "history"));
  expect(body["events"]).toMatchObject([{ actor: expect.stringMatching(/^token:/) }]);
});

test("a session is the operator on every route but those for users alone", async () => {
  const name = await created(3);
  await claim(name, "ada");
  const ask = await consoleWith({ ...ON, IDENTITY_SECRET: "secret" });
  expect((await ask("GET", pathOf(name))).body["claimed_by"]).toEqual(["ada"]);
  expect(outcomeOf(await ask("GET", pathOf(name, "claims")))).toBe("200");
  expect(outcomeOf(await ask("GET", pathOf(name, "claims", "ada")))).toBe("200");
  expect(outcomeOf(await ask("GET", "/health?deep=1"))).toBe("200");
  expect((await (await consoleWith({ ...ON, RATE_LIMIT: "no" }))("GET", pathOf(name))).body["fields"]).toHaveProperty("RATE_LIMIT");

  const claiming = { body: { user_id: "bob", coupon_name: name } };
  expect(outcomeOf(await ask("POST", "/api/coupons/claim", claiming))).toBe("401 unauthorized");
  expect(outcomeOf(await ask("POST", pathOf(name, "holds"), { body: { user_id: "bob", ttl_seconds: 60 } }))).toBe("401 unauthorized");
  const limited = { ...ON, ...SPENT, IDENTITY: "off" };
  expect(outcomeOf(await (await consoleWith(limited))("POST", "/api/coupons/claim", claiming))).toBe("429 rate_limited");
});

test.for<[string, string | null, Record<string, string>, string]>([
  ["with a name", "ada", {}, "ada"],
  ["without a name", null, {}, "console"],
  ["and X-Actor", "ada", { "X-Actor": "bob" }, "bob"],
])("the actor of a session %s is in the history", async ([, name, headers, actor]) => {
  for (const settings of [ON, { ...ON, ADMIN_AUTH: "off" }]) {
    const coupon = freshName();
    const ask = await consoleWith(settings, name);
    expect(outcomeOf(await ask("POST", "/api/coupons", { headers, body: { name: coupon, amount: 1 } }))).toBe("201");
    expect((await ask("GET", pathOf(coupon, "history"))).body["events"]).toMatchObject([{ actor }]);
  }
});
