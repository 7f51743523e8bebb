// What the tests of pages can do with the server and with a page's clock.

import { expect } from "vitest";

import { fixClock, shiftClock } from "./support/clock.ts";
import { test } from "./support/test.ts";

const clockOf = "Date.now()";

test("a killed server answers again on the same address with the same coupons", async ({ page, server }) => {
  await page.goto("/");
  const coupon = { name: "KEPT", amount: 3 };
  const headers = { "content-type": "application/json" };
  const created = await fetch(`${server.url}/api/coupons`, { method: "POST", headers, body: JSON.stringify(coupon) });
  expect(created.status).toBe(201);
  await server.kill();
  await expect(page.reload()).rejects.toThrow("net::ERR_CONNECTION_REFUSED");
  await server.startAgain();
  const response = await page.goto("/api/coupons/KEPT");
  expect(await response?.json()).toMatchObject(coupon);
});

test("a page's clock is shifted or fixed under its policy", async ({ open }) => {
  const shifted = await open();
  await shiftClock(shifted, 3_600_000);
  await shifted.goto("/");
  expect(Number(await shifted.evaluate(clockOf)) - Date.now()).toBeGreaterThan(3_590_000);
  const fixed = await open();
  await fixClock(fixed, 1_000);
  await fixed.goto("/");
  expect(await fixed.evaluate(clockOf)).toBe(1_000);
});
