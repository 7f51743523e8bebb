// The console's list of sales, and what its pages do when their session has ended.

import type { Page } from "playwright-core";
import { expect } from "vitest";

import { bulkClaim, createSale } from "./support/sales.ts";
import { expectAccessible, test } from "./support/test.ts";

/** The names of the sales in the list, in its order. */
function listed(page: Page): Promise<string[]> {
  return page.locator("tbody th").allInnerTexts();
}

test("each sale is listed once, however often More is pressed and the filter is changed", async ({ page, server }) => {
  const names = await Promise.all(Array.from({ length: 105 }, () => createSale(server.url, { amount: 1 })));
  const [soldOut = ""] = names;
  await bulkClaim(server.url, soldOut, 1);
  await expect
    .poll(async () => {
      await page.goto("/operator");
      await page.locator("table").waitFor();
      return page.getByRole("button", { name: "More" }).count();
    })
    .toBe(1);
  expect(await listed(page)).toHaveLength(100);
  await page.getByRole("button", { name: "More" }).dblclick();
  await expect.poll(() => listed(page)).toEqual(names.toSorted());
  await expectAccessible(page);
  await page.reload();
  // A page that was asked for before the filter is no part of its list.
  await page.getByRole("button", { name: "More" }).click();
  await page.getByLabel("State").selectOption("sold_out");
  await expect.poll(() => listed(page)).toEqual([soldOut]);
  await page.waitForLoadState("networkidle");
  expect(await listed(page)).toEqual([soldOut]);
});

const REFUSED = { status: 401, json: { error: "token required", code: "unauthorized" } };

test.for(["/operator", "/operator/webhooks"])("%s stops asking when its session has ended", async (path, { page }) => {
  let askedCount = 0;
  await page.route("**/api/**", (route) => {
    askedCount += 1;
    return route.fulfill(REFUSED);
  });
  await page.goto(path);
  await page.getByRole("link", { name: "Log in again" }).waitFor();
  const before = askedCount;
  await page.waitForTimeout(6_000);
  expect(askedCount).toBe(before);
});

test("an open dialog offers the login when the session has ended", async ({ page, server }) => {
  await page.goto(`/operator/sales/${await createSale(server.url, { amount: 1 })}`);
  await page.getByRole("button", { name: "Pause" }).click();
  const dialog = page.getByRole("dialog");
  await page.route("**/api/**", (route) => route.fulfill(REFUSED));
  await dialog.getByRole("button", { name: "Pause" }).click();
  await dialog.getByRole("link", { name: "Log in again" }).click({ trial: true });
  await expectAccessible(page);
});

test("an action that fails after its dialog was closed says so, and leaves the next dialog open", async ({ page, server }) => {
  await page.goto(`/operator/sales/${await createSale(server.url, { amount: 1 })}`);
  const answer = Promise.withResolvers<undefined>();
  await page.route("**/api/coupons/*", async (route) => {
    if (route.request().method() !== "PATCH") return route.fallback();
    await answer.promise;
    return route.fulfill({ status: 503, json: { error: "try again", code: "unavailable" } });
  });
  await page.getByRole("button", { name: "Pause" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Pause" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Archive" }).click();
  answer.resolve(undefined);
  await page.locator(".notice.bad").getByText("Try again.").waitFor();
  expect(await dialog.getByRole("heading").innerText()).toBe("Archive");
});
