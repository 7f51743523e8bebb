// The page at `/`.

import { expect } from "vitest";

import { expectAccessible, test } from "./support/test.ts";

test("the home page is accessible, and every link on it answers", async ({ page, server }) => {
  await page.goto("/");
  expect(await page.title()).toBe("Doorbuster");
  await expectAccessible(page);
  const links = await page.locator("a[href]").evaluateAll((found) => found.map((link) => (link as HTMLAnchorElement).href));
  expect(links.length).toBeGreaterThan(0);
  const statuses = await Promise.all(links.map(async (link) => [link, (await fetch(link)).status]));
  expect(statuses).toEqual(links.map((link) => [link, 200]));
  expect(links.filter((link) => !link.startsWith(server.url))).toEqual([]);
});

test("the home page lists the operator's sales", async ({ page, server }) => {
  const name = `<script>"'&/%?#\u202e`;
  const body = JSON.stringify({ name, amount: 5 });
  expect((await fetch(`${server.url}/api/coupons`, { method: "POST", body })).status).toBe(201);
  const sale = page.getByRole("listitem").filter({ hasText: "open, 5 of 5 remaining" }).getByRole("link");
  await expect.poll(() => page.goto("/").then(() => sale.count())).toBe(1);
  await expectAccessible(page);
  await sale.click();
  await page.waitForURL(`/operator/sales/${encodeURIComponent(name)}`);
});
