// The sale page in Chromium: what a visitor sees while the sale goes on, and what survives.

import { gzipSync } from "node:zlib";

import type { Page } from "playwright-core";
import { expect } from "vitest";

import { shiftClock } from "./support/clock.ts";
import { api, bulkClaim, createSale, salePath } from "./support/sales.ts";
import { expectAccessible, test } from "./support/test.ts";

const HOUR_MS = 3_600_000;

const iso = (inMs: number): string => new Date(Date.now() + inMs).toISOString();
const text = (page: Page, id: string): Promise<string> => page.locator(`#${id}`).innerText();

/** Waits for the text of a part of the page. */
function expectText(page: Page, id: string) {
  return expect.poll(() => text(page, id), { timeout: 25_000 });
}

async function claimAs(page: Page, userId: string): Promise<void> {
  await page.fill("#user", userId);
  await page.click("#main-button");
  await page.locator("#outcome").waitFor();
}

test("two tabs of a winner show one receipt, also after a reload", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 500 });
  await bulkClaim(server.url, name, 181);
  const other = await page.context().newPage();
  await Promise.all([page, other].map((tab) => tab.goto(salePath(name))));
  await claimAs(page, "ada@shop.example");
  expect(await text(page, "outcome-headline")).toBe("You have number 182 of 500");
  await expectText(other, "outcome-headline").toBe("You have number 182 of 500");
  await other.reload();
  expect(await text(other, "outcome-headline")).toBe("You have number 182 of 500");
  await other.click("#other");
  await claimAs(other, "bob@shop.example");
  expect(await text(other, "outcome-headline")).toBe("You have number 183 of 500");
  expect(await page.locator("#main-button").isVisible()).toBe(true);
  await expectAccessible(page);
});

test("two tabs that claim at once get one unit", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 5 });
  const tabs = [page, await page.context().newPage()];
  await Promise.all(tabs.map((tab) => tab.goto(salePath(name))));
  await Promise.all(tabs.map((tab) => tab.fill("#user", "ada")));
  // A tab that hears of the receipt of the other hides its button.
  await Promise.all(tabs.map((tab) => tab.evaluate("document.querySelector('#main-button').click()")));
  for (const tab of tabs) await expectText(tab, "outcome-headline").toMatch(/^You (already )?have number 1 of 5$/);
  expect(await api(server.url, "GET", `/api/coupons/${name}`)).toMatchObject({ remaining_amount: 4 });
});

test("a visitor without JavaScript claims by the form, and reads the outcome", async ({ open, server }) => {
  const name = await createSale(server.url, { amount: 1 });
  const page = await open({ javaScriptEnabled: false });
  await page.goto(salePath(name));
  expect(await page.locator("#freshness").isVisible()).toBe(false);
  await page.fill("#user", "ada");
  await page.click("#main-button");
  expect([new URL(page.url()).pathname, await page.locator("h1").innerText()]).toEqual([
    `${salePath(name)}/outcome`,
    "You have number 1 of 1",
  ]);
  await page.click("a.button");
  expect(await text(page, "headline")).toBe("Sold out");
});

test("a sale sells out, comes back and is paused while it is watched", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 2 });
  await page.goto(salePath(name));
  await expectText(page, "freshness").toBe("Live");
  await bulkClaim(server.url, name, 2);
  await expectText(page, "headline").toBe("Sold out");
  expect([await text(page, "milestone"), await page.locator("#main-button").isVisible()]).toEqual(["Sold out.", false]);
  await api(server.url, "PATCH", `/api/coupons/${name}`, { amount: 50 });
  await expectText(page, "headline").toBe("Open now");
  expect([await text(page, "remaining"), await text(page, "milestone")]).toEqual(["48", "Back in stock."]);
  await api(server.url, "PATCH", `/api/coupons/${name}`, { paused: true });
  await expectText(page, "headline").toBe("Paused");
});

/** Returns how far the end of a countdown was from the server's start of the sale, in milliseconds, and the sale's name. */
async function countdownError(page: Page, url: string): Promise<{ readonly name: string; readonly errorMs: number }> {
  const startsAt = Date.now() + 7_000;
  const name = await createSale(url, { amount: 5, starts_at: new Date(startsAt).toISOString() });
  await page.goto(salePath(name));
  await expectText(page, "timer").toMatch(/^00:0[1-6]$/);
  const zeroAt = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const headline = document.querySelector("#headline") ?? document;
        new MutationObserver(() => resolve(Date.now())).observe(headline, { childList: true, subtree: true });
      }),
  );
  return { name, errorMs: Math.abs(zeroAt - HOUR_MS - startsAt) };
}

test("the countdown of a page whose clock is an hour off ends within 300 ms of the server's", async ({ page, server }) => {
  await shiftClock(page, HOUR_MS);
  // A busy machine can delay one countdown. A wrong clock is wrong in each.
  let last = await countdownError(page, server.url);
  for (let tries = 1; last.errorMs >= 300 && tries < 4; tries += 1) last = await countdownError(page, server.url);
  expect(last.errorMs).toBeLessThan(300);
  await expectText(page, "headline").toBe("Open now");
  expect(await text(page, "milestone")).toBe("The sale is open.");
  await claimAs(page, "ada");
  expect(await text(page, "outcome-headline")).toBe("You have number 1 of 5");
});

test("a countdown is right again after the device has slept", async ({ page, server }) => {
  await shiftClock(page, 0);
  await page.goto(salePath(await createSale(server.url, { amount: 5, starts_at: iso(HOUR_MS) })));
  await expectText(page, "freshness").toBe("Live");
  // The timers of a device that sleeps stand still, and its clock goes on.
  await page.clock.setSystemTime(Date.now() + HOUR_MS / 3);
  // The fourth change of the text is of a later second than the wrong one.
  await page.locator("#timer").evaluate(
    (timer) =>
      new Promise<void>((resolve) => {
        let changeCount = 0;
        new MutationObserver(() => (changeCount += 1) > 3 && resolve()).observe(timer, { childList: true, subtree: true });
      }),
  );
  expect(await text(page, "timer")).toMatch(/^59:[345]\d$/);
});

test("a page survives a restart of the server, and says how old it is meanwhile", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 50 });
  await page.goto(salePath(name));
  await expectText(page, "freshness").toBe("Live");
  await server.kill();
  await expectText(page, "freshness").toMatch(/^Reconnecting\. What you see is \d+ s old\.$/);
  await page.fill("#user", "ada");
  await page.click("#main-button");
  await expectText(page, "main-button").toBe("Still trying…");
  await server.startAgain();
  await expectText(page, "outcome-headline").toBe("You have number 1 of 50");
  await expectText(page, "freshness").toBe("Live");
  expect(await api(server.url, "GET", `/api/coupons/${name}`)).toMatchObject({ remaining_amount: 49 });
});

test("a visitor who gets no answer tries again with the same attempt", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 5 });
  await page.goto(salePath(name));
  const keys: (string | undefined)[] = [];
  let isLost = true;
  await page.route("**/api/coupons/claim", async (route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    // The server grants the claim, and its answer is lost.
    const response = await route.fetch();
    await (isLost ? route.fulfill({ status: 502, body: "a proxy" }) : route.fulfill({ response }));
  });
  await page.fill("#user", "ada");
  await page.click("#main-button");
  await expectText(page, "outcome-headline").toBe("No answer yet");
  await page.reload();
  expect([await text(page, "outcome-headline"), await text(page, "main-button")]).toEqual(["No answer yet", "Try again"]);
  isLost = false;
  await claimAs(page, "ada");
  await expectText(page, "outcome-headline").toBe("You have number 1 of 5");
  expect(keys.length).toBeGreaterThan(2);
  expect(new Set(keys).size).toBe(1);
});

test("a unit is reserved, given back, reserved again and confirmed", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 5 });
  await page.goto(`${salePath(name)}?flow=hold`);
  expect(await text(page, "main-button")).toBe("Reserve yours");
  await claimAs(page, "ada");
  expect([await text(page, "outcome-headline"), await text(page, "hold-timer")]).toEqual(["Reserved for you", "10:00"]);
  await page.reload();
  expect(await text(page, "outcome-headline")).toBe("Reserved for you");
  await expectAccessible(page);
  await page.click("#second-button");
  await expectText(page, "outcome-headline").toBe("Given back");
  expect(await api(server.url, "GET", `/api/coupons/${name}`)).toMatchObject({ held_amount: 0 });
  await page.click("#main-button");
  await expectText(page, "outcome-headline").toBe("Reserved for you");
  await page.click("#main-button");
  await expectText(page, "outcome-headline").toBe("You have number 1 of 5");
});

test("a hold that runs out says so", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 5, hold_seconds_max: 2 });
  await page.goto(`${salePath(name)}?flow=hold`);
  await claimAs(page, "ada");
  await expectText(page, "outcome-headline").toBe("Your reservation has run out");
  expect(await text(page, "main-button")).toBe("Start again");
});

test("a deleted sale says so while it is watched", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 5 });
  await page.goto(salePath(name));
  await expectText(page, "freshness").toBe("Live");
  await api(server.url, "DELETE", `/api/coupons/${name}`);
  await expectText(page, "outcome-headline").toBe("There is no such sale any more");
});

test("a sale that was deleted and created again is loaded anew while it is watched", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 50 });
  await bulkClaim(server.url, name, 5);
  await page.goto(salePath(name));
  await expectText(page, "freshness").toBe("Live");
  await api(server.url, "DELETE", `/api/coupons/${name}`);
  await api(server.url, "POST", "/api/coupons", { name, amount: 9 });
  await expectText(page, "remaining").toBe("9");
  await claimAs(page, "ada");
  expect(await text(page, "outcome-headline")).toBe("You have number 1 of 9");
});

test("a reservation that the shop has ended is no longer shown once another visitor has the unit", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 1 });
  await page.goto(`${salePath(name)}?flow=hold`);
  await claimAs(page, "ada");
  await api(server.url, "DELETE", `/api/coupons/${name}/holds`);
  await bulkClaim(server.url, name, 1);
  await page.click("#main-button");
  await expectText(page, "outcome-headline").toBe("Sold out");
  for (const id of ["hold-clock", "main-button", "second-button"]) await page.locator(`#${id}`).waitFor({ state: "hidden" });
});

test.for([
  ["a revoked claim", "", "claims/ada", "Your unit was taken back", "You have number 2"],
  ["an ended hold", "?flow=hold", "holds", "Your reservation is over", "Reserved for you"],
] as const)(
  "a winner who comes back to %s gets the reason, and can start again",
  async ([, query, part, headline, again], { page, server }) => {
    const name = await createSale(server.url, { amount: 1 });
    await page.goto(salePath(name) + query);
    await claimAs(page, "ada");
    await api(server.url, "DELETE", `/api/coupons/${name}/${part}`);
    await page.reload();
    await expectText(page, "outcome-headline").toBe(headline);
    await expectText(page, "main-button").toBe("Start again");
    await page.click("#main-button");
    await expectText(page, "outcome-headline").toBe(again);
  },
);

test("forced colours keep the bar of the stock and the dots", async ({ open, server }) => {
  const page = await open({ forcedColors: "active" });
  await page.goto(salePath(await createSale(server.url, { amount: 5 })));
  await expectText(page, "freshness").toBe("Live");
  const colours = await page.evaluate(() =>
    [
      ["#bar", null],
      ["#headline", "::before"],
      ["#freshness", "::before"],
      [".panel", null],
    ].map(([selector, pseudo]) => getComputedStyle(document.querySelector(selector ?? "") ?? document.body, pseudo).backgroundColor),
  );
  expect(colours.indexOf(colours[3] ?? "")).toBe(3);
});

test("an id of spaces is asked for again", async ({ page, server }) => {
  await page.goto(salePath(await createSale(server.url, { amount: 1 })));
  await page.fill("#user", "  ");
  await page.click("#main-button");
  await expect.poll(() => page.evaluate("[document.activeElement.id, document.activeElement.value]")).toEqual(["user", ""]);
});

test("the first load of a sale is at most 20 KB compressed, with everything", async ({ page, server }) => {
  const name = await createSale(server.url, { amount: 5, starts_at: iso(HOUR_MS) });
  const loaded: Promise<readonly [path: string, bytes: number]>[] = [];
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (!pathname.startsWith("/api/")) loaded.push(response.body().then((body) => [pathname, gzipSync(body).byteLength]));
  });
  await page.goto(salePath(name), { waitUntil: "load" });
  await expectText(page, "freshness").toBe("Live");
  const sizes = Object.fromEntries(await Promise.all(loaded));
  expect(Object.keys(sizes)).toEqual(
    expect.arrayContaining([salePath(name), "/assets/base.css", "/assets/sale.css", "/assets/sale.js", "/theme.css"]),
  );
  const total = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
  expect(total).toBeLessThanOrEqual(20_480);
});

test("the page is accessible in every state of its sale, on a phone too", async ({ open, server }) => {
  const names = await Promise.all([
    createSale(server.url, { amount: 5, starts_at: iso(93_784_000) }),
    createSale(server.url, { amount: 5, ends_at: iso(HOUR_MS) }),
    createSale(server.url, { amount: 1 }),
    createSale(server.url, { amount: 1 }),
    createSale(server.url, { amount: 5 }),
    createSale(server.url, { amount: 5, ends_at: iso(50) }),
  ]);
  const [, , held, soldOut, paused] = names;
  await api(server.url, "POST", `/api/coupons/${held}/holds`, { user_id: "ada", ttl_seconds: 600 });
  await bulkClaim(server.url, soldOut, 1);
  await api(server.url, "PATCH", `/api/coupons/${paused}`, { paused: true });
  const page = await open({ viewport: { width: 360, height: 740 } });
  for (const name of names) {
    await page.goto(salePath(name));
    await expectText(page, "freshness").toBe("Live");
    await expectAccessible(page);
    const widths = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
    expect(widths).toEqual([360, 360]);
  }
});
