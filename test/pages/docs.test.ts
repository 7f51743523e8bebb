// The reference of the API at `/docs`.

import { expect } from "vitest";

import { PAGES } from "../../src/web/pages.ts";
import { expectAccessible, test } from "./support/test.ts";

const CLAIM = "/docs#?route=post-/api/coupons/claim";
const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 800 },
];

test("the reference opens without a fault and without another host, and is accessible", async ({ page }) => {
  await page.goto("/docs");
  await page.getByText("events", { exact: true }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("dialog", { name: "Search" }).waitFor();
  await expectAccessible(page);
});

test("one step back leaves the reference", async ({ page, server }) => {
  await page.goto("/");
  await page.getByRole("link", { name: "API reference" }).click();
  await page.getByText("events", { exact: true }).waitFor();
  await page.goBack({ waitUntil: "commit" });
  expect(page.url()).toBe(`${server.url}/`);
});

test.for(SIZES)("a claim that is tried in the reference, $width pixels wide, shows its receipt", async (viewport, { open, server }) => {
  const name = `TRIED-${viewport.width}`;
  const headers = { "content-type": "application/json" };
  await fetch(`${server.url}/api/coupons`, { method: "POST", headers, body: JSON.stringify({ name, amount: 2 }) });
  const page = await open({ viewport });
  await page.goto(CLAIM);
  await page
    .locator("textarea")
    .first()
    .fill(JSON.stringify({ user_id: "ann", coupon_name: name }));
  await page.getByRole("button", { name: "Execute" }).click();
  await page.getByText("Response Status: Created (201)").waitFor();
  await page.getByText(`"remaining_amount": 1`).waitFor();
  await expectAccessible(page);
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
});

test.for(SIZES)("a webhook in the reference, $width pixels wide, has no button to send it", async (viewport, { open }) => {
  const page = await open({ viewport });
  await page.goto("/docs#?route=post-claim.granted");
  await page.getByText("webhook-signature").waitFor();
  await expectAccessible(page);
  expect(await page.getByRole("button", { name: "Execute" }).count()).toBe(0);
});

test("no page but the reference allows inline styles, and none inline scripts", async ({ server }) => {
  const paths = PAGES.routes.filter(({ method, path }) => method === "GET" && !path.includes("{")).map(({ path }) => path);
  const policies = await Promise.all(
    paths.map(async (path) => [path, (await fetch(server.url + path)).headers.get("Content-Security-Policy") ?? ""] as const),
  );
  expect(policies.filter(([, policy]) => !policy.includes("script-src 'self';"))).toEqual([]);
  expect(policies.filter(([, policy]) => policy.includes("unsafe")).map(([path]) => path)).toEqual(["/docs"]);
});
