// Turnstile on the sale page: its widget is loaded where there is a site key, and its token goes with the claim.

import { expect } from "vitest";

import { createSale, salePath } from "./support/sales.ts";
import { takeFaults, test } from "./support/test.ts";

test.override("options", { vars: { ADMIN_AUTH: "off", IDENTITY: "off", ADDRESS_LIMIT: "off", TURNSTILE_SITE_KEY: "0x4AAA_site-key" } });

/** A stand-in for Cloudflare's script. It solves the challenge at once, and again after each reset. */
const WIDGET = `let solve; let count = 0;
window.turnstile = {
  render(container, { sitekey, callback }) { container.textContent = sitekey; solve = () => callback("solved-" + ++count); solve(); return "widget"; },
  reset(widget) { if (widget === "widget") solve(); },
};`;

test("the token of a solved challenge goes with the claim, and a refused one is solved again", async ({ page, server }) => {
  const tokens: (string | undefined)[] = [];
  await page.route("https://challenges.cloudflare.com/**", (route) => route.fulfill({ contentType: "text/javascript", body: WIDGET }));
  await page.route("**/api/coupons/claim", async (route) => {
    tokens.push(route.request().headers()["turnstile-token"]);
    const refusal = { status: 403, contentType: "application/json", body: JSON.stringify({ code: "challenge_failed" }) };
    await (tokens.length === 1 ? route.fulfill(refusal) : route.continue());
  });
  await page.goto(salePath(await createSale(server.url, { amount: 5 })));
  await expect.poll(() => page.locator("#challenge").innerText()).toBe("0x4AAA_site-key");
  await page.fill("#user", "ada");
  await page.click("#main-button");
  await expect.poll(() => page.locator("#outcome-headline").innerText()).toBe("Please show that you are no robot");
  await page.click("#main-button");
  await expect.poll(() => page.locator("#outcome-headline").innerText()).toBe("You have number 1 of 5");
  expect(tokens).toEqual(["solved-1", "solved-2"]);
  const faults = await takeFaults(page);
  expect(faults.filter((fault) => !fault.startsWith("another host: https://challenges.cloudflare.com/turnstile/"))).toEqual([]);
});
