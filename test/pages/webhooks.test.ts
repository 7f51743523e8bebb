// The page of webhooks, with a receiver of its own.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { Locator, Page } from "playwright-core";
import { Webhook } from "standardwebhooks";
import { expect } from "vitest";

import { expectAccessible, test as base } from "./support/test.ts";

type Message = { readonly headers: Record<string, string>; readonly body: string };
type Receiver = { readonly url: string; readonly got: Message[]; status: number };

const test = base.extend("receiver", async ({ server }, { onCleanup }) => {
  const receiver: Receiver & { url: string } = { url: "", got: [], status: 204 };
  const endpoint = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    receiver.got.push({ headers: request.headers as Record<string, string>, body });
    response.writeHead(receiver.status).end(receiver.status === 204 ? undefined : "<b>full</b>");
  });
  await new Promise<void>((listening) => endpoint.listen(0, "127.0.0.1", listening));
  receiver.url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/`;
  onCleanup(async () => {
    await deleteAll(server.url);
    endpoint.closeAllConnections();
    endpoint.close();
  });
  return receiver;
});

async function deleteAll(origin: string): Promise<void> {
  for (const { id } of await webhooksOf(origin)) await fetch(`${origin}/api/webhooks/${id}`, { method: "DELETE" });
}

async function webhooksOf(origin: string): Promise<readonly { readonly id: string }[]> {
  const { webhooks } = (await (await fetch(`${origin}/api/webhooks`)).json()) as { webhooks: readonly { id: string }[] };
  return webhooks;
}

test.override("options", { vars: { ADMIN_AUTH: "off", IDENTITY: "off", ADDRESS_LIMIT: "off", WEBHOOK_TARGETS: "any" } });

const NAME = `<script>alert("x")</script> \u202e/%?#\u{1F39F}`;

const dialog = (page: Page): Locator => page.locator("dialog[open]");

/** Opens the dialog of an action, and confirms it. */
async function act(page: Page, action: string, confirm = action): Promise<void> {
  await page.getByRole("button", { name: action }).click();
  await dialog(page).getByRole("button", { name: confirm }).click();
}

/** Reads the secret that is shown, and closes its dialog. */
async function takeSecret(page: Page): Promise<string> {
  const secret = (await dialog(page).locator(".secret").textContent()) ?? "";
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await dialog(page).getByRole("button", { name: "Copy the secret" }).click();
  await dialog(page).getByText("Copied").waitFor();
  expect(await page.evaluate("navigator.clipboard.readText()")).toBe(secret);
  await dialog(page).getByRole("button", { name: "I have stored it" }).click();
  return secret;
}

async function createSale(server: { readonly url: string }, name: string): Promise<void> {
  const created = await fetch(`${server.url}/api/coupons`, { method: "POST", body: JSON.stringify({ name, amount: 1 }) });
  expect(created.status).toBe(201);
}

/** Sends a test and returns what arrived. */
async function testOf(page: Page, receiver: Receiver, sentence: RegExp): Promise<Message> {
  receiver.got.length = 0;
  await act(page, "Send a test");
  await page.getByRole("definition").getByText(sentence).waitFor();
  expect(receiver.got).toHaveLength(1);
  return receiver.got[0] ?? { headers: {}, body: "" };
}

test("a webhook is added, tested, paused, rotated and deleted, and each secret is shown once", async ({ page, receiver }) => {
  await page.goto("/operator/webhooks");
  await page.getByText("A webhook is an address of your server.").waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Add a webhook" }).click();
  await dialog(page).getByLabel("Address").fill("shop.example");
  await dialog(page).getByRole("radio", { name: "Only these" }).nth(1).check();
  await dialog(page).getByLabel("Names of sales").fill(`A\n\n${NAME}\n`);
  await dialog(page).getByRole("button", { name: "Add a webhook" }).click();
  await dialog(page).getByText("The address is not a URL.").waitFor();
  await expect.poll(() => page.evaluate("document.activeElement.inputMode")).toBe("url");
  await dialog(page).getByRole("radio", { name: "Only these" }).first().check();
  await expectAccessible(page);
  await dialog(page).getByLabel("Address").fill(receiver.url);
  await dialog(page).getByLabel("coupon.created").check();
  await dialog(page).getByRole("button", { name: "Add a webhook" }).click();
  await dialog(page).getByText("It is shown this once.").waitFor();
  await expectAccessible(page);
  const secret = await takeSecret(page);
  await page.reload();
  await page.getByRole("region", { name: receiver.url }).getByText("active").waitFor();
  expect(await page.getByRole("link", { name: NAME }).getAttribute("href")).toBe(`/operator/sales/${encodeURIComponent(NAME)}`);
  expect(await page.content()).not.toContain(secret);
  await expectAccessible(page);

  const { body, headers } = await testOf(page, receiver, /Delivered: it answered 204 in \d+ ms\./);
  expect(new Webhook(secret).verify(body, headers)).toMatchObject({ type: "webhook.test" });
  receiver.status = 500;
  await testOf(page, receiver, /Not delivered: it answered 500 in \d+ ms, with “<b>full<\/b>”\. Only 2xx counts\./);
  receiver.status = 204;

  await act(page, "Pause");
  await page.getByText("Nothing is sent to it. Its messages wait until you resume it.").waitFor();
  await act(page, "Resume");
  await page.getByText("Active. What it has missed is on its way.").waitFor();
  await page.getByRole("button", { name: "Pause" }).waitFor();

  await act(page, "Rotate secret", "Rotate");
  await dialog(page)
    .getByText(/^The earlier secret signs too until /)
    .waitFor();
  const rotated = await takeSecret(page);
  expect(rotated).not.toBe(secret);
  const signedByBoth = await testOf(page, receiver, /Delivered/);
  for (const one of [secret, rotated]) new Webhook(one).verify(signedByBoth.body, signedByBoth.headers);

  await act(page, "Delete");
  await page.getByText("A webhook is an address of your server.").waitFor();
});

test("a changed webhook gets a sale's events, and a replay sends them again", async ({ page, server, receiver }) => {
  const body = JSON.stringify({ url: `${receiver.url}old`, events: ["coupon.ended"] });
  await fetch(`${server.url}/api/webhooks`, { method: "POST", body });
  await page.goto("/operator/webhooks");
  await page.getByRole("button", { name: "Change" }).click();
  await dialog(page).getByLabel("Address").fill(receiver.url);
  await dialog(page).getByRole("radio", { name: "All events" }).check();
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await page.getByRole("region", { name: receiver.url }).getByText("All events").waitFor();
  await createSale(server, NAME);
  await expect.poll(() => receiver.got.length).toBe(2);
  await page.getByRole("button", { name: "Replay" }).click();
  await dialog(page).getByLabel("Name of the sale").fill("NONE");
  await dialog(page).getByLabel("From event number").fill("1");
  await dialog(page).getByRole("button", { name: "Replay" }).click();
  await dialog(page).getByText("There is no sale of this name.").waitFor();
  await expectAccessible(page);
  await dialog(page).getByLabel("Name of the sale").fill(NAME);
  await dialog(page).getByRole("button", { name: "Replay" }).click();
  await expect.poll(() => receiver.got.length).toBe(4);
  const ids = receiver.got.map((message) => message.headers["webhook-id"]);
  expect(ids.slice(2)).toEqual(ids.slice(0, 2));
});

test("a webhook that fails names the sale and the reason, until it is tried again", async ({ page, server, receiver }) => {
  receiver.status = 503;
  const body = JSON.stringify({ url: receiver.url, events: ["coupon.created"] });
  await fetch(`${server.url}/api/webhooks`, { method: "POST", body });
  const name = `2${NAME}`;
  await createSale(server, name);
  await expect.poll(() => receiver.got.length).toBeGreaterThan(0);
  await page.goto("/operator/webhooks");
  await page.getByText("It does not take the messages of one sale.").waitFor();
  const item = page.getByRole("listitem").filter({ hasText: "waits" });
  await item.getByText(/The last answer: status 503: <b>full<\/b>$/).waitFor();
  expect(await item.getByRole("link").textContent()).toBe(name);
  await expectAccessible(page);
  receiver.status = 204;
  await act(page, "Try again");
  await page.getByText("active", { exact: true }).waitFor();
});

test("an addition whose answer is lost is sent again with the same key, and makes one webhook", async ({ page, server, receiver }) => {
  const keys: (string | undefined)[] = [];
  await page.route("/api/webhooks", async (route) => {
    if (route.request().method() === "GET") return route.continue();
    keys.push(route.request().headers()["idempotency-key"]);
    const response = await route.fetch();
    await (keys.length === 1 ? route.abort("aborted") : route.fulfill({ response }));
  });
  await page.goto("/operator/webhooks");
  await page.getByRole("button", { name: "Add a webhook" }).click();
  await dialog(page).getByLabel("Address").fill(receiver.url);
  await dialog(page).getByRole("button", { name: "Add a webhook" }).click();
  await dialog(page).getByText("No answer arrived, so the webhook may exist already.").waitFor();
  await dialog(page).getByRole("button", { name: "Add a webhook" }).click();
  await takeSecret(page);
  expect(keys).toHaveLength(2);
  expect(keys[1]).toBe(keys[0]);
  expect(await webhooksOf(server.url)).toHaveLength(1);
});
