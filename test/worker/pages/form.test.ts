// Claims by the form of the sale page: without JavaScript, each answer is a redirect to a page that explains it.

import { expect, test } from "vitest";

import { change, claim, created, freshName } from "../../support/api.ts";
import { fetchWith, SPENT, type Settings } from "../../support/worker.ts";
import { parsed, pathOfSale, shown } from "./page.ts";

const OPEN: Settings = { IDENTITY: "off" };

function post(
  name: string,
  fields: Record<string, string>,
  settings: Settings = OPEN,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetchWith(settings, "POST", pathOfSale(name), { body: new URLSearchParams(fields), headers });
}

/** Returns the page that a visitor sees after the form, as a browser gets it. */
async function outcome(name: string, userId: string) {
  const response = await post(name, { user_id: userId });
  const [cookie = ""] = (response.headers.get("Set-Cookie") ?? "").split(";");
  expect([response.status, response.headers.get("Location")]).toEqual([303, `${pathOfSale(name)}/outcome`]);
  return { cookie, page: await shown(`${pathOfSale(name)}/outcome`, OPEN, { cookie }) };
}

test("the form claims, and a second try of the winner gets the same number", async () => {
  const name = await created(2);
  await claim(name, "ada");
  const first = await outcome(name, " bob ");
  const second = await outcome(name, "bob");
  expect([first.page.h1, second.page.h1]).toEqual(["You have number 2 of 2", "You already have number 2 of 2"]);
  expect(first.page.headers.get("Cache-Control")).toBe("no-store, no-transform");
  expect((await outcome(name, "eve")).page.h1).toBe("Sold out");
});

test("a claim by the form on a paused sale is explained", async () => {
  const name = await created(2);
  await change(name, { paused: true });
  expect((await outcome(name, "ada")).page.h1).toBe("Paused");
});

test("the cookie is short-lived, closed to scripts, and of one sale", async () => {
  const made = await created(1);
  const response = await post(made, { user_id: "ada" });
  const cookie = response.headers.get("Set-Cookie") ?? "";
  expect(cookie).toBe(`outcome=granted.1.${made}; Path=/s/${made}; Max-Age=300; HttpOnly; SameSite=Lax`);
  const other = await created(1);
  expect((await shown(`${pathOfSale(other)}/outcome`, OPEN, { cookie })).h1).toBe("No answer yet");
  for (const forged of ["", "outcome=toString.1.x", `outcome=<b>.1.${other}`, `outcome=granted.x.${other}`])
    expect((await shown(`${pathOfSale(other)}/outcome`, OPEN, { cookie: forged })).h1).toBe("No answer yet");
});

test.for<[about: string, fields: Record<string, string>, settings: Settings, headers: Record<string, string>, status: number, h1: string]>([
  ["no id", {}, OPEN, {}, 400, "Please check what you entered"],
  ["an id of spaces", { user_id: "  " }, OPEN, {}, 400, "Please check what you entered"],
  ["too many tries", { user_id: "ada" }, { ...OPEN, ...SPENT }, {}, 429, "Too many tries"],
  ["no token where one is needed", { user_id: "ada" }, { IDENTITY_SECRET: "a secret" }, {}, 401, "Come here from the shop"],
  ["a page of another origin", { user_id: "ada" }, OPEN, { origin: "https://evil.example" }, 403, "This came from another page"],
])("a form with %s claims nothing and gets a page", async ([, fields, settings, headers, status, h1]) => {
  const name = await created(1);
  const page = await parsed(await post(name, fields, settings, headers));
  expect([page.status, page.h1]).toEqual([status, h1]);
  expect((await claim(name, "bob")).status).toBe(201);
});

test("a form for a sale that does not exist gets a page that says so", async () => {
  expect((await post(freshName(), { user_id: "ada" })).status).toBe(404);
});
