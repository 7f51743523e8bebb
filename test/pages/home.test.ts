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
