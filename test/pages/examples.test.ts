// The example of a plain page, on the shop's origin: its server signs the visitor's token, and the page claims.

import { spawn } from "node:child_process";
import { once } from "node:events";

import { expect } from "vitest";

import { freePort } from "../../scripts/server/loopback.ts";
import { expectAccessible, takeFaults, test as base } from "./support/test.ts";
import { api, createSale } from "./support/sales.ts";

const IDENTITY_SECRET = "a secret of the shop";

const test = base.extend("shopPort", { scope: "file" }, () => freePort());

test.override("options", { scope: "file" }, ({ shopPort }) => ({
  vars: { ADMIN_AUTH: "off", IDENTITY_SECRET, ADDRESS_LIMIT: "off", ALLOWED_ORIGINS: `http://127.0.0.1:${shopPort}` },
}));

test("the example's page that reloads after a lost answer gets the same unit", async ({ page, server, shopPort, onTestFinished }) => {
  const coupon = await createSale(server.url, { amount: 1 });
  const env = { ...process.env, DOORBUSTER_URL: server.url, COUPON: coupon, IDENTITY_SECRET, PORT: String(shopPort) };
  const shop = spawn(process.execPath, ["examples/page/server.ts"], { env, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void shop.kill());
  await once(shop.stdout, "data");
  const url = `http://127.0.0.1:${shopPort}/`;

  // The server grants the unit, and its answers are lost.
  await page.route("**/api/coupons/claim", async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.goto(url);
  await page.getByText("1 of 1 left").waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Get one" }).click();
  await page.getByText("0 of 1 left").waitFor();
  await page.unroute("**/api/coupons/claim");
  await page.reload();
  await page.getByRole("button", { name: "Get one" }).click();
  await page.getByText("You have number 1.").waitFor();
  await expectAccessible(page);
  const metrics = await fetch(`${server.url}/api/coupons/${coupon}/metrics`, { headers: { Accept: "application/json" } });
  expect(await metrics.json()).toMatchObject({ outcomes: { granted: 1, already_claimed: 0 } });
  await takeFaults(page);

  await page.context().clearCookies();
  await page.evaluate("localStorage.clear()");
  await page.goto(url);
  await page.getByRole("button", { name: "Get one" }).click();
  await page.getByText("Sold out.").waitFor();
  expect((await takeFaults(page)).filter((fault) => !fault.startsWith("another host: "))).toEqual([]);
  expect(await api(server.url, "GET", `/api/coupons/${coupon}`)).toMatchObject({ remaining_amount: 0 });
});
