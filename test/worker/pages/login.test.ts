// Logging in and out by the pages of the console, as a browser does without JavaScript.

import { expect, test } from "vitest";

import { fetchWith, type Settings } from "../../support/worker.ts";

const TOKEN = "the-admin-token";
const ON: Settings = { ADMIN_TOKEN: TOKEN, ADMIN_AUTH: undefined, LOGINS_5_PER_60S: undefined };
const PATH = "/operator/login";
const HOSTILE = `"><script>alert(1)</script>`;

async function shown(settings: Settings, method: string, path: string, headers: Record<string, string> = {}, body?: URLSearchParams) {
  const response = await fetchWith({ ...ON, ...settings }, method, path, { headers, body });
  expect(response.headers.get("Cache-Control")).toContain("no-store");
  const [to, cookie] = [response.headers.get("Location"), response.headers.get("Set-Cookie")];
  return { status: response.status, to, cookie, text: await response.text(), headers: response.headers };
}

function logIn(form: Record<string, string>, settings: Settings = {}, headers: Record<string, string> = {}) {
  return shown(settings, "POST", PATH, headers, new URLSearchParams(form));
}

test("a login with the token leads to the page that was asked for, and opens it", async () => {
  const asked = "/operator/sales/%3Cscript%3E%2F%25?x=1";
  const closed = await shown({}, "GET", asked);
  expect([closed.status, closed.to]).toEqual([303, `${PATH}?next=${encodeURIComponent(asked)}`]);
  const form = await shown({}, "GET", closed.to ?? "");
  expect([form.status, form.text]).toEqual([200, expect.stringContaining(`name="next" value="${asked}"`)]);
  const { status, to, cookie } = await logIn({ token: TOKEN, actor: "ada", next: asked });
  expect([status, to]).toEqual([303, asked]);
  const headers = { Cookie: cookie?.split(";")[0] ?? "" };
  expect((await shown({}, "GET", asked, headers)).status).toBe(200);
  // Who has a session needs no login.
  expect(await shown({}, "GET", closed.to ?? "", headers)).toMatchObject({ status: 303, to: asked });
});

const SPENT: Settings = { LOGINS_5_PER_60S: { limit: () => Promise.resolve({ success: false }) } };

test.for<[string, Record<string, string>, Settings, number, string]>([
  ["a wrong token", { token: "wrong" }, {}, 401, "This is not the operator&#39;s token."],
  ["no token", {}, {}, 401, "This is not the operator&#39;s token."],
  ["a name that is no name", { token: TOKEN, actor: `two words${HOSTILE}` }, {}, 400, "64 visible ASCII characters, without spaces."],
  ["too many tries", { token: TOKEN }, SPENT, 429, "Too many tries. Try again in 60 seconds."],
  [
    "no token to compare with",
    { token: TOKEN },
    { ADMIN_TOKEN: undefined },
    401,
    "Operator routes are closed: set the secret ADMIN_TOKEN.",
  ],
])("a login with %s shows the form with the reason, and opens no session", async ([, form, settings, status, reason]) => {
  const answer = await logIn({ ...form, next: "/operator/new" }, settings);
  expect(answer).toMatchObject({ status, cookie: null, to: null, text: expect.stringContaining(reason) });
  expect(answer.text).toContain('name="next" value="/operator/new"');
  expect(answer.text).not.toContain("<script>");
  expect(answer.text).not.toContain(TOKEN);
  expect(answer.headers.get("Retry-After")).toBe(status === 429 ? "60" : null);
});

test("a login leads nowhere but to the console", async () => {
  for (const next of ["//evil.example", "https://evil.example", "/operator\\evil", HOSTILE]) {
    expect(await logIn({ token: TOKEN, next })).toMatchObject({ status: 303, to: "/operator" });
    const { text } = await shown({}, "GET", `${PATH}?next=${encodeURIComponent(next)}`);
    expect(text).toContain('name="next" value="/operator"');
    expect(text).not.toContain("evil");
  }
});

test("a page of another site, the shop's too, can neither log in nor log out", async () => {
  const listed = { ALLOWED_ORIGINS: "https://shop.example", OPERATOR_ORIGINS: "https://console.example" };
  for (const Origin of ["https://evil.example", "https://shop.example", "https://console.example"]) {
    const headers = { Origin, "Sec-Fetch-Site": "cross-site" };
    expect(await logIn({ token: TOKEN }, listed, headers)).toMatchObject({ status: 403, cookie: null });
    expect(await shown(listed, "POST", "/operator/logout", headers)).toMatchObject({ status: 403, cookie: null });
  }
});

test("a link from another site shows a page that loads itself again, because it came without the cookie", async () => {
  const path = `${PATH}?next=%2Foperator%2Fnew`;
  const { text } = await shown({}, "GET", path, { "Sec-Fetch-Site": "cross-site" });
  expect(text).toContain(`<meta http-equiv="refresh" content="0; url=${path}"/>`);
  expect((await shown({}, "GET", path, { "Sec-Fetch-Site": "same-origin" })).text).not.toContain("refresh");
});

test("a logout removes the cookie and says so", async () => {
  const { status, to, cookie } = await shown({}, "POST", "/operator/logout");
  expect([status, cookie]).toEqual([303, expect.stringMatching(/^__Host-operator=; Max-Age=0;/)]);
  expect((await shown({}, "GET", to ?? "")).text).toContain("You are logged out.");
});

test("with ADMIN_AUTH=off the login page says that no login is needed", async () => {
  const { status, text } = await shown({ ADMIN_AUTH: "off" }, "GET", PATH);
  expect([status, text]).toEqual([200, expect.stringContaining("No login is needed")]);
  expect(await logIn({ next: "/operator/new" }, { ADMIN_AUTH: "off" })).toMatchObject({ status: 303, to: "/operator/new", cookie: null });
});
