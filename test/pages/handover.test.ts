// A shop hands its user over to the sale page: by the address, and by a message to a frame.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { sign } from "hono/jwt";
import type { Page } from "playwright-core";
import { expect } from "vitest";

import { api, createSale, salePath } from "./support/sales.ts";
import { expectAccessible, takeFaults, test as base } from "./support/test.ts";

const SECRET = "a secret of the shop";
const USER = "ümit + co@shop.example";

/** Two servers of pages that embed a sale: the origin of the shop, and one that the sale does not allow. */
const test = base.extend("shop", { scope: "file" }, async ({}, { onCleanup }) => {
  const listeners = [createServer(answer), createServer(answer)];
  onCleanup(() => listeners.forEach((listener) => listener.close()));
  const [allowed = "", other = ""] = await Promise.all(
    listeners.map(async (listener) => {
      await once(listener.listen(0, "127.0.0.1"), "listening");
      return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    }),
  );
  return { allowed, other };
});

function answer({ url = "" }: IncomingMessage, response: ServerResponse): void {
  const { coupon = "", flow = "", token = "", server = "" } = Object.fromEntries(new URL(url, "http://shop").searchParams);
  response.writeHead(200, { "content-type": "text/html" })
    .end(`<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
    <main><h1>Shop</h1>
    <script>
      doorbuster = { token: async () => ${JSON.stringify(token)} };
      outcomes = [];
      document.addEventListener("doorbuster:outcome", ({ detail }) => outcomes.push(detail));
    </script>
    <script src="${server}/embed.js" data-coupon="${coupon}" data-flow="${flow}" data-title="Our sale" async></script></main>`);
}

test.override("options", { scope: "file" }, ({ shop }) => ({
  vars: { ADMIN_AUTH: "off", IDENTITY_SECRET: SECRET, ADDRESS_LIMIT: "off", ALLOWED_ORIGINS: shop.allowed },
}));

function tokenOf(sub: string, inSeconds = 600): Promise<string> {
  return sign({ sub, exp: Math.floor(Date.now() / 1000) + inSeconds }, SECRET, "HS256");
}

/** Opens a page of the shop that embeds a sale. */
async function openShop(page: Page, shop: string, server: string, coupon: string, flow: string): Promise<void> {
  await page.goto(`${shop}/?${String(new URLSearchParams({ server, coupon, flow, token: await tokenOf(USER) }))}`);
}

test("a token in the address names the visitor, and leaves the address at once", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 5 });
  await page.goto(`${salePath(name)}#token=${await tokenOf(USER)}`);
  await page.locator("#who").waitFor();
  expect([page.url(), await page.locator("#who-name").innerText()]).toEqual([`${server.url}${salePath(name)}`, USER]);
  await expectAccessible(page);
  await page.reload();
  await page.click("#main-button");
  await expect.poll(() => page.locator("#outcome-headline").innerText()).toBe("You have number 1 of 5");
  expect(await api(server.url, "GET", `/api/coupons/${name}`)).toMatchObject({ claimed_by: [USER] });
});

test("a visitor without a token is sent to the shop, and so is one whose token has run out", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 5 });
  await page.goto(salePath(name));
  await expect.poll(() => page.locator("#outcome-headline").innerText()).toBe("Come here from the shop");
  expect(await page.locator("#main-button").isVisible()).toBe(false);
  await expectAccessible(page);
  await page.goto(`${salePath(name)}#token=${await tokenOf(USER, -600)}`);
  await page.click("#main-button");
  await expect.poll(() => page.locator("#outcome-headline").innerText()).toBe("Please sign in again");
  expect(await page.locator("#main-button").isVisible()).toBe(false);
  expect(await api(server.url, "GET", `/api/coupons/${name}`)).toMatchObject({ claimed_by: [] });
});

test("a shop embeds a sale, hands its user over, and is told the outcomes", async ({ page, server, shop }) => {
  const name = await createSale(server.url, { amount: 5 });
  await openShop(page, shop.allowed, server.url, name, "hold");
  const frame = page.frameLocator("iframe");
  await frame.locator("#main-button").click();
  await expect.poll(() => frame.locator("#outcome-headline").innerText()).toBe("Reserved for you");
  await frame.locator("#main-button").click();
  await expect.poll(() => frame.locator("#outcome-headline").innerText()).toBe("You have number 1 of 5");
  const outcomes = (await page.evaluate("outcomes")) as { code: string; coupon: string; position?: number }[];
  expect(outcomes.map(({ code, coupon, position }) => [code, coupon, position])).toEqual([
    ["held", name, undefined],
    ["granted", name, 1],
  ]);
  // The frame is as high as its page, so it has no scroll bar.
  const heights = await frame
    .locator("html")
    .evaluate(({ scrollHeight, ownerDocument }) => [scrollHeight, ownerDocument.defaultView?.innerHeight]);
  expect(heights[0]).toBe(heights[1]);
  await expectAccessible(page);
  expect((await takeFaults(page)).filter((fault) => !fault.startsWith(`another host: ${shop.allowed}`))).toEqual([]);
});

test("a page of an origin that is not listed can neither show the sale nor hand over a user", async ({ page, server, shop }) => {
  const name = await createSale(server.url, { amount: 5 });
  await openShop(page, shop.other, server.url, name, "claim");
  await expect.poll(async () => (await takeFaults(page)).some((fault) => fault.includes("frame-ancestors"))).toBe(true);
  await page.goto(salePath(name));
  await expect.poll(() => page.locator("#outcome-headline").innerText()).toBe("Come here from the shop");
  const forged = `dispatchEvent(new MessageEvent("message", { origin: ${JSON.stringify(shop.other)}, data: { type: "doorbuster:token", token: ${JSON.stringify(await tokenOf(USER))} } }))`;
  await page.evaluate(forged);
  expect(await page.locator("#who").isVisible()).toBe(false);
  await page.evaluate(forged.replace(shop.other, shop.allowed));
  await expect.poll(() => page.locator("#who-name").innerText()).toBe(USER);
});
