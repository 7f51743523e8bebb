// The console's page of one sale, while users and other operators change it.

import type { Page } from "playwright-core";
import { expect } from "vitest";

import { couponCalls, create } from "./support/calls.ts";
import type { Server } from "./support/server.ts";
import { expectAccessible, test } from "./support/test.ts";

/** The page promises news within this time; a snapshot may be a second old. */
const NEWS = { timeout: 2_000 };

async function watch(page: Page, name: string): Promise<void> {
  await page.goto(`/operator/sales/${encodeURIComponent(name)}`);
  await page.getByText("Live", { exact: true }).waitFor();
}

/** Creates a sale and shows its page. */
async function sale(page: Page, server: Server, name: string, amount = 5): Promise<ReturnType<typeof couponCalls>> {
  await create(server, { name, amount });
  const calls = couponCalls(server, name);
  await watch(page, name);
  return calls;
}

async function numbers(page: Page): Promise<Record<string, string>> {
  const texts = await page.locator(".numbers dt, .numbers strong").allTextContents();
  const pairs = texts.flatMap((label, index): [string, string][] => (index % 2 === 0 ? [[label, texts[index + 1] ?? ""]] : []));
  return Object.fromEntries(pairs);
}

/** Opens an action's dialog. */
async function open(page: Page, label: string): Promise<ReturnType<Page["getByRole"]>> {
  await page.getByRole("button", { name: label, exact: true }).first().click();
  return page.getByRole("dialog");
}

async function confirm(page: Page, label: string, says: string, after: string): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByText(says).waitFor();
  await dialog.getByRole("button", { name: label, exact: true }).click();
  await page.getByRole("status").getByText(after).waitFor();
}

test("a claim moves the numbers within two seconds, then the tail, the chart and the reasons", async ({ page, server }) => {
  const calls = await sale(page, server, "MOVES");
  await page.getByText("Nothing is claimed yet.").waitFor();
  expect(await calls.claim("ann")).toBe(201);
  const claimed = { Remaining: "4", Claimed: "1", Held: "0", "Claims a second": expect.stringMatching(/[1-9]/) };
  await expect.poll(() => numbers(page), NEWS).toMatchObject(claimed);
  await calls("POST", "/holds", { user_id: "bob", ttl_seconds: 600 });
  await expect.poll(() => numbers(page), NEWS).toMatchObject({ Remaining: "3", Claimed: "1", Held: "1" });
  await page.getByRole("region", { name: "Latest events" }).getByText("Claimed #1 ann").waitFor();
  await page.getByText("1 of 5 claimed since").waitFor();
  await page.getByText("bob 9 minutes and").waitFor();
  expect(await calls.claim("ann")).toBe(409);
  await page.getByText("The user has one already").waitFor();
  expect(await numbers(page)).toMatchObject({ Refused: "1" });
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export claims" }).click()]);
  expect(file.suggestedFilename()).toBe("claims-MOVES.csv");
  await expectAccessible(page);
});

test("a pause, a resume, a restock and new texts say what happens, before and after", async ({ page, server }) => {
  const calls = await sale(page, server, "CHANGES", 1);
  expect(await calls.claim("ann")).toBe(201);
  await open(page, "Pause");
  await confirm(page, "Pause", "New users can neither claim nor hold", "The sale is paused: no unit is left.");
  await open(page, "Resume");
  await confirm(page, "Resume", "Users can claim and hold again", "The sale is no longer paused: no unit is left.");
  const restock = await open(page, "Restock");
  await restock.getByLabel("Units").fill("0");
  expect(await restock.getByRole("button", { name: "Restock" }).isDisabled()).toBe(true);
  await restock.getByLabel("Units").fill("1,000");
  await expectAccessible(page);
  await restock.getByText("From 1 to 1,000: 999 more. 999 are then left.").waitFor();
  // The sale's certificate lasts up to a second, and the change waits for its end.
  expect(await calls.claim("bob")).toBe(400);
  await restock.getByRole("button", { name: "Restock" }).click();
  await restock.getByRole("button", { name: "Working…" }).waitFor();
  await page.getByRole("status").getByText("The sale has 1,000 units now: 999 units are left.").waitFor();
  await expect.poll(() => numbers(page), NEWS).toMatchObject({ Remaining: "999", Claimed: "1" });
  const texts = await open(page, "Change texts");
  await texts.getByLabel("Title").fill(`<b>"شراء" 🎟`);
  await texts.getByLabel("Picture").fill("https://elsewhere.example/a.png");
  await texts.getByRole("button", { name: "Change texts" }).click();
  await texts.getByText("The picture must be").waitFor();
  await texts.getByLabel("Picture").fill("/a.png");
  await confirm(page, "Change texts", "see the new texts", "The title and the picture: changed.");
  await page.getByRole("heading", { name: `<b>"شراء" 🎟` }).waitFor();
});

test("a window is changed in the operator's time zone", async ({ open: openPage, server }) => {
  const page = await openPage({ timezoneId: "Europe/Berlin" });
  const calls = await sale(page, server, "WINDOW");
  const dialog = await open(page, "Change window");
  await dialog.getByLabel("At a time").first().check();
  await dialog.getByLabel("Opening time").fill("2036-07-01T10:00");
  await confirm(page, "Change window", "Opens Tue 1 Jul 2036 10:00 Berlin", "The sale opens Tue, Jul 1, 2036, 10:00 Berlin");
  expect((await calls("GET", "")).body).toMatchObject({ starts_at: "2036-07-01T08:00:00.000Z", ends_at: null });
  await page.getByText("scheduled", { exact: true }).waitFor();
});

test("a change by another operator stops a restock, shows the new state, and lets it go on", async ({ page, server }) => {
  const calls = await sale(page, server, "TWO OPERATORS");
  const dialog = await open(page, "Restock");
  await dialog.getByLabel("Units").fill("8");
  await calls("PATCH", "", { amount: 20 });
  // A claim is no conflict.
  expect(await calls.claim("ann")).toBe(201);
  await dialog.getByRole("button", { name: "Restock" }).click();
  await dialog.getByText("Somebody else has changed the number of units.").waitFor();
  await confirm(page, "Restock", "From 20 to 8: 12 fewer. 7 are then left.", "The sale has 8 units now: 7 units are left.");
});

test("a dialog stays open and says so when another operator archives the sale", async ({ page, open: openPage, server }) => {
  const calls = await sale(page, server, "ARCHIVED ELSEWHERE");
  const other = await openPage();
  await watch(other, "ARCHIVED ELSEWHERE");
  const dialogs = [await open(page, "Restock"), await open(other, "Archive")];
  await dialogs[0]?.getByLabel("Units").fill("8");
  await dialogs[1]?.getByRole("textbox").fill("ARCHIVED ELSEWHERE");
  await calls("POST", "/archive");
  for (const dialog of dialogs) {
    await dialog.getByRole("alert").getByText("The sale was archived meanwhile").waitFor();
    expect(await dialog.getByRole("button").last().isDisabled()).toBe(true);
  }
  expect(await dialogs[0]?.getByLabel("Units").inputValue()).toBe("8");
  await expectAccessible(page);
  for (const dialog of dialogs) {
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
  }
  for (const label of ["Pause", "Restock", "Archive"]) expect(await page.getByRole("button", { name: label }).count()).toBe(0);
});

test("a pause stays a pause when another operator pauses while its dialog is open", async ({ page, server }) => {
  const call = await sale(page, server, "PAUSED TWICE");
  const dialog = await open(page, "Pause");
  await call("PATCH", "", { paused: true });
  await page.locator(".state.paused").waitFor();
  expect(await dialog.getByRole("heading").innerText()).toBe("Pause");
  await confirm(page, "Pause", "New users can neither claim nor hold", "The sale is paused: 5 units are left.");
  expect((await call("GET", "")).body).toMatchObject({ paused: true });
});

test("a restock of a sale that changes before each try is sent in the end", async ({ page, server }) => {
  await sale(page, server, "BUSY");
  const stale = { status: 412, json: { error: "stale", code: "precondition_failed" } };
  const tags: (string | undefined)[] = [];
  await page.route("**/api/coupons/BUSY", async (route) => {
    const tag = route.request().headers()["if-match"];
    if (route.request().method() === "PATCH") tags.push(tag);
    await (tag === undefined ? route.fallback() : route.fulfill(stale));
  });
  const dialog = await open(page, "Restock");
  await dialog.getByLabel("Units").fill("6");
  await confirm(page, "Restock", "From 5 to 6: one more.", "The sale has 6 units now: 6 units are left.");
  expect(tags.map((tag) => tag !== undefined)).toEqual([true, true, true, true, false]);
});

test("holds end one by one or all at once, and a claim is revoked by its position", async ({ page, server }) => {
  const calls = await sale(page, server, "GIVEN BACK", 4);
  for (const user of ["h1", "h2", "h3"]) await calls("POST", "/holds", { user_id: user, ttl_seconds: 600 });
  expect(await calls.claim("a/b?#%")).toBe(201);
  await open(page, "Release");
  await confirm(page, "Release", "The hold of h1 ends", "The hold is released");
  await page.getByText("h1 9 minutes").waitFor({ state: "hidden" });
  await open(page, "End all holds");
  await confirm(page, "End all holds", "2 holds end and their units go back to the stock.", "2 holds ended, and 2 units went back");
  await expect.poll(() => numbers(page), NEWS).toMatchObject({ Remaining: "3", Held: "0" });
  await page.getByLabel("User id").fill("a/b?#%");
  await page.getByRole("button", { name: "Look up" }).click();
  await page.getByText("a/b?#% has claim #1").waitFor();
  await open(page, "Revoke");
  await confirm(page, "Revoke", "Its unit goes back to the stock.", "Claim #1 is revoked: 4 left.");
  await page.getByText("a/b?#% has neither a claim nor a hold.").waitFor();
  expect((await calls("GET", "")).body).toMatchObject({ remaining_amount: 4, claimed_by: [] });
});

test("an archive and a delete need the typed name, and a delete is seen where others watch", async ({ page, open: openPage, server }) => {
  const name = `<script>alert("x")</script>  %2F/?# \u202eمرحبا\u202c 🎟`;
  const calls = await sale(page, server, name);
  const other = await openPage();
  await watch(other, name);
  const archive = await open(page, "Archive");
  await archive.getByRole("textbox").fill(name.slice(1));
  expect(await archive.getByRole("button", { name: "Archive" }).isDisabled()).toBe(true);
  await archive.getByRole("textbox").fill(name);
  await confirm(page, "Archive", "The sale closes for good, and 5 units are left unsold.", "The sale is archived with 0 claims.");
  await page.getByText("The sale is closed for good.").waitFor();
  expect(await page.getByRole("button", { name: "Pause" }).count()).toBe(0);
  await expectAccessible(page);
  const remove = await open(page, "Delete");
  await remove.getByRole("textbox").fill(name);
  await remove.getByRole("button", { name: "Delete" }).click();
  await page.waitForURL("/operator");
  await page.getByText("is deleted, with 0 claims.").waitFor();
  await other.getByRole("heading", { name: "This sale was deleted" }).waitFor();
  await expectAccessible(other);
  expect((await calls("GET", "")).status).toBe(404);
  await other.reload();
  await other.getByRole("heading", { name: "There is no sale of this name" }).waitFor();
  await expectAccessible(other);
});

test("a lost server is shown as reconnecting, and as live once it is back", async ({ page, server }) => {
  const calls = await sale(page, server, "RESTART");
  await server.kill();
  await page.getByText("Reconnecting", { exact: true }).waitFor();
  expect(await numbers(page)).toMatchObject({ Remaining: "5", "Claims a second": "–" });
  await expectAccessible(page);
  await server.startAgain();
  await page.getByText("Live", { exact: true }).waitFor();
  expect(await calls.claim("ann")).toBe(201);
  await expect.poll(() => numbers(page), NEWS).toMatchObject({ Remaining: "4" });
});

test("the chart is drawn in the colours of the scheme, also after a change of it", async ({ page, server }) => {
  const calls = await sale(page, server, "COLOURS");
  expect(await calls.claim("ann")).toBe(201);
  const pixels = (): Promise<number[]> =>
    page.locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
      const probe = document.body.appendChild(document.createElement("i"));
      probe.style.color = "var(--accent)";
      const accent = getComputedStyle(probe).color.match(/\d+/g)?.map(Number) ?? [];
      probe.remove();
      const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      let count = 0;
      for (let i = 0; i < data.length; i += 4)
        if (accent.every((part, index) => data[i + index] === part) && data[i + 3] === 255) count += 1;
      return [count, ...accent];
    });
  await page.emulateMedia({ colorScheme: "light" });
  await expect.poll(async () => (await pixels())[0], { timeout: 10_000 }).toBeGreaterThan(10);
  const light = await pixels();
  await page.emulateMedia({ colorScheme: "dark" });
  await expect.poll(async () => (await pixels())[0], { timeout: 10_000 }).toBeGreaterThan(10);
  expect((await pixels()).slice(1)).not.toEqual(light.slice(1));
});

test("the chart has a line and no filled area in forced colours", async ({ open: openPage, server }) => {
  const page = await openPage({ forcedColors: "active" });
  const calls = await sale(page, server, "FORCED");
  expect(await calls.claim("ann")).toBe(201);
  const share = (): Promise<number> =>
    page.locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      let count = 0;
      for (let at = 3; at < data.length; at += 4) if ((data[at] ?? 0) > 0) count += 1;
      return count / (data.length / 4);
    });
  await expect.poll(share, { timeout: 10_000 }).toBeGreaterThan(0.005);
  // The area under the line would be most of the chart.
  expect(await share()).toBeLessThan(0.1);
});

test("a hidden tab asks for nothing, and is live again when it is shown", async ({ page, server }) => {
  await sale(page, server, "HIDDEN");
  const setHidden = (isHidden: boolean): Promise<void> =>
    page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
      document.dispatchEvent(new Event("visibilitychange"));
    }, isHidden);
  await setHidden(true);
  await page.waitForTimeout(500);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  const calls = couponCalls(server, "HIDDEN");
  expect(await calls.claim("ann")).toBe(201);
  // Longer than each interval of the page.
  await page.waitForTimeout(6_000);
  expect(asked).toEqual([]);
  await setHidden(false);
  await expect.poll(() => numbers(page), NEWS).toMatchObject({ Remaining: "4" });
});

test("an ended session offers the login, and the page stops asking", async ({ page, server }) => {
  await sale(page, server, "ENDED SESSION");
  let askedCount = 0;
  await page.route("**/api/coupons/*/{metrics,delivery}", (route) => {
    askedCount += 1;
    return route.fulfill({ status: 401, json: { error: "token required", code: "unauthorized" } });
  });
  const login = page.getByRole("link", { name: "Log in again" });
  await login.waitFor();
  expect(await login.getAttribute("href")).toBe("/operator/login?next=%2Foperator%2Fsales%2FENDED%2520SESSION");
  await page.waitForTimeout(8_000);
  expect(askedCount).toBe(2);
});
