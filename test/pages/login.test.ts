// Logging in and out, and what a page says when its session has ended.

import type { Page } from "playwright-core";
import { expect } from "vitest";

import { expectAccessible, takeFaults, test } from "./support/test.ts";

const TOKEN = "the-admin-token";
test.override("options", { vars: { ADMIN_TOKEN: TOKEN, IDENTITY: "off", ADDRESS_LIMIT: "off" } });

async function logIn(page: Page, token: string): Promise<void> {
  await page.getByLabel("Admin token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
}

test("an operator without JavaScript logs in after a wrong token, and out", async ({ open }) => {
  const page = await open({ javaScriptEnabled: false });
  await page.goto("/operator/webhooks");
  await logIn(page, "wrong");
  await page.getByRole("alert").getByText("This is not the operator's token.").waitFor();
  expect(await page.getByLabel("Admin token").inputValue()).toBe("");
  await logIn(page, TOKEN);
  await page.waitForURL("/operator/webhooks");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByText("You are logged out.").waitFor();
  await page.goto("/operator/webhooks");
  await page.waitForURL("/operator/login?**");
});

test("an operator whose session ends while a sale is typed logs in and goes on, under a name", async ({ page, server }) => {
  const name = `<b>"'&/%?#\u202e`;
  await page.goto("/operator/new");
  await expectAccessible(page);
  await logIn(page, "wrong");
  await page.getByRole("alert").waitFor();
  await expectAccessible(page);
  await page.getByLabel("Your name").fill("ada");
  await logIn(page, TOKEN);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Units").fill("7");
  const session = await page.context().cookies();
  expect(session).toMatchObject([{ httpOnly: true, secure: true, sameSite: "Strict" }]);
  await page.context().clearCookies();
  await page.getByRole("button", { name: "Create sale" }).click();
  await page.getByText("Nothing is created, because your session has ended.").waitFor();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Log in again" }).click();
  await page.getByLabel("Your name").fill("grace");
  await logIn(page, TOKEN);
  await page.waitForURL("/operator/new");
  expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe(name);
  await page.getByRole("button", { name: "Create sale" }).click();
  await page.waitForURL(`/operator/sales/${encodeURIComponent(name)}`);
  const history = await fetch(`${server.url}/api/coupons/${encodeURIComponent(name)}/history`, {
    headers: { Authorization: `Bearer ${TOKEN}` },
  });
  expect(await history.json()).toMatchObject({ events: [{ kind: "created", actor: "grace" }] });
});

test("a link on another site opens the console of an operator who is logged in", async ({ page, server }) => {
  await page.goto("/operator/new");
  await logIn(page, TOKEN);
  await page.waitForURL("/operator/new");
  await page.route("http://elsewhere.test/", (route) =>
    route.fulfill({ contentType: "text/html", body: `<title>Elsewhere</title><a href="${server.url}/operator/new">Go</a>` }),
  );
  await page.goto("http://elsewhere.test/");
  await page.getByRole("link", { name: "Go" }).click();
  await page.waitForURL("/operator/new");
  expect(await takeFaults(page)).toEqual(["another host: http://elsewhere.test/"]);
});
