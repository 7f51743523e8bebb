// The form that creates a sale.

import type { Page } from "playwright-core";
import { expect } from "vitest";

import { expectAccessible, test } from "./support/test.ts";

const NAMES = [`<script>alert("x")</script> & 'co' /%?#`, "\u202eOHCS \u{1F39F}\uFE0F", "x".repeat(255)];

async function fill(page: Page, name: string, units: string): Promise<void> {
  await page.goto("/operator/new");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Units").fill(units);
}

const create = (page: Page) => page.getByRole("button", { name: "Create sale" }).click();

test.for(NAMES)("a sale named %j is created, and its page's address is shown", async (name, { open, server }) => {
  const page = await open({ timezoneId: "Europe/Berlin" });
  await page.clock.setFixedTime("2026-11-30T09:00:00Z");
  await fill(page, name, "0");
  await page.getByLabel("Title").fill(`${name.slice(0, 200)} title`);
  await page.getByLabel("Description").fill("One\n<b>two</b>");
  await page.getByLabel("Picture").fill("https://elsewhere.test/shoe.jpg");
  await page.getByRole("radio", { name: "At a time" }).first().check();
  await page.getByLabel("Opening time").fill("2036-03-30T02:30");
  await create(page);
  await page.getByText("02:30 does not exist that day: the clocks go forward.", { exact: true }).waitFor();
  await page.getByLabel("Opening time").fill("2036-03-30T03:30");
  await create(page);
  await page.getByText("The number of units must be at least 1.").waitFor();
  await page.getByText("The picture must be a path of this server, such as /pictures/shoe.jpg.").waitFor();
  await expect.poll(() => page.evaluate("document.activeElement.inputMode")).toBe("numeric");
  await expectAccessible(page);
  await page.getByLabel("Name", { exact: true }).fill("");
  await create(page);
  await page.getByText("The name is required.").waitFor();
  // A corrected field keeps the focus, although another one is still faulty.
  await page.getByLabel("Name", { exact: true }).pressSequentially("ab");
  expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("ab");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Picture").fill("/pictures/shoe.jpg");
  await page.getByLabel("Units").fill("1,500");
  await page.getByText("Opens Sun 30 Mar 2036 03:30 Berlin, in 3,408 days; 1,500 units, one each; has no end.").waitFor();
  await create(page);
  await page.waitForURL(`/operator/sales/${encodeURIComponent(name)}`);
  await page.getByText("The sale is created. Opens Sun 30 Mar 2036 03:30 Berlin").waitFor();
  const link = page.getByRole("link", { name: `${server.url}/s/` });
  expect(await link.getAttribute("href")).toBe(`/s/${encodeURIComponent(name)}`);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy address" }).click();
  await page.getByText("Copied").waitFor();
  expect(await page.evaluate("navigator.clipboard.readText()")).toBe(`${server.url}/s/${encodeURIComponent(name)}`);
  const coupon: unknown = await (await fetch(`${server.url}/api/coupons/${encodeURIComponent(name)}`)).json();
  const texts = { title: `${name.slice(0, 200)} title`, description: "One\n<b>two</b>", image_url: "/pictures/shoe.jpg" };
  expect(coupon).toMatchObject({ name, ...texts, amount: 1500, starts_at: "2036-03-30T01:30:00.000Z", ends_at: null });
  await page.reload();
  await page.getByRole("heading", { level: 1 }).waitFor();
  expect(await page.getByText("The sale is created.").count()).toBe(0);
  await fill(page, name, "1");
  await create(page);
  await page.getByText("A sale of this name exists already. Choose another name.").waitFor();
});

test("a creation whose answer is lost is sent again with the same key, also without HTTPS", async ({ page }) => {
  // What browsers hide from a page without HTTPS.
  await page.addInitScript("delete Crypto.prototype.randomUUID");
  const keys: (string | undefined)[] = [];
  await page.route("/api/coupons", async (route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    const response = await route.fetch();
    await (keys.length === 1 ? route.abort("aborted") : route.fulfill({ response }));
  });
  await fill(page, "LOST", "5");
  await create(page);
  await page.getByRole("alert").getByText("No answer arrived").waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.waitForURL("/operator/sales/LOST");
  expect(keys).toHaveLength(2);
  expect(keys[0]).toMatch(/^[\da-f]{32}$/);
  expect(keys[1]).toBe(keys[0]);
});
