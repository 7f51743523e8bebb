// The sale page over HTTP: what it shows in each state, that names are text, and what it costs.

import { expect, test } from "vitest";

import { parseEnv } from "../../../src/edge/env.ts";
import { salePage } from "../../../src/web/rendered-sale.ts";
import { change, claim, create, created, freshName, hold, pathOf, send } from "../../support/api.ts";
import { iso, MINUTE, passClock, SECOND, setClock, T0 } from "../../support/clock.ts";
import { platform, sendOver } from "../../support/platform-faults.ts";
import { stubOf } from "../../support/storage.ts";
import { bindings } from "../../support/worker.ts";
import { pathOfSale, shown } from "./page.ts";

type State = readonly [stage: string, make: () => Promise<string>, headline: string, left: string | undefined, button: string | undefined];

const inWindow = (startsAt: number, endsAt: number) => created(5, { starts_at: iso(startsAt), ends_at: iso(endsAt) });

async function after(made: Promise<string>, change_: (name: string) => Promise<unknown>): Promise<string> {
  const name = await made;
  await change_(name);
  return name;
}

test.for<State>([
  ["scheduled", () => inWindow(T0 + MINUTE, T0 + 2 * MINUTE), "Not open yet", "5", undefined],
  ["open", () => created(1000), "Open now", "1,000", "Get yours"],
  ["nearly_gone", () => after(created(2), (name) => claim(name, "ada")), "Nearly gone", "1", "Get yours"],
  ["all_held", () => after(created(1), (name) => hold(name, "ada")), "Some may come back", "0", undefined],
  ["sold_out", () => after(created(1), (name) => claim(name, "ada")), "Sold out", "0", undefined],
  ["paused", () => after(created(5), (name) => change(name, { paused: true })), "Paused", "5", undefined],
  ["ended", () => inWindow(T0 - MINUTE, T0), "This sale has ended", undefined, undefined],
  ["archived", () => after(created(5), (name) => send("POST", pathOf(name, "archive"))), "This sale is closed", undefined, undefined],
])("the page of a sale that is %s says so", async ([stage, make, headline, left, button]) => {
  setClock(T0);
  const page = await shown(pathOfSale(await make()));
  const { parts, attributes } = page;
  expect([page.status, attributes["sale"]?.["data-stage"], parts["headline"]]).toEqual([200, stage, headline]);
  expect(parts["main-button"]).toBe(button);
  expect("stock" in parts ? parts["remaining"] : undefined).toBe(left);
  expect(page.headers.get("Cache-Control")).toBe("public, max-age=1");
  expect(page.scripts).toEqual(["/assets/sale.js"]);
});

test("the page of a scheduled sale counts to its start, in the server's time", async () => {
  setClock(T0);
  const { parts, attributes } = await shown(pathOfSale(await inWindow(T0 + 93_784 * SECOND, T0 + 100_000 * SECOND)));
  expect([parts["timer"], parts["edge"], attributes["timer"]?.["role"]]).toEqual(["1 d 02:03:04", "Sun, 02 Mar 2031 14:03 UTC", "timer"]);
});

test.for([
  "<script>alert(1)</script>",
  `"'><img src=x onerror=alert(1)>`,
  "</title></h1><!--",
  "&lt;b&gt; &amp;amp;",
  "عرض خاص ‏מבצע",
  "👩‍👩‍👧‍👦".repeat(36) + "abc",
  "\u2028javascript:alert(1)",
  "/../%2e%2e/?a=b#c",
  "x".repeat(255),
])("the name %s is text on its page", async (base) => {
  setClock(T0);
  await create(base, 3);
  const { status, title, h1, attributes, scripts } = await shown(pathOfSale(base));
  expect([status, title, h1]).toEqual([200, base, base.trim()]);
  expect(attributes["buy"]?.["action"]).toBe(pathOfSale(base));
  expect(JSON.parse(attributes["sale"]?.["data-status"] ?? "")).toMatchObject({ name: base, remaining_amount: 3 });
  expect(scripts).toEqual(["/assets/sale.js"]);
});

test("a sale that does not exist has a page that says so", async () => {
  const { status, h1, scripts } = await shown(pathOfSale(freshName()));
  expect([status, h1, scripts]).toEqual([404, "There is no sale of this name", []]);
});

test("200 visitors of a page cost its object one read a second", async () => {
  setClock(T0);
  const name = await created(1000);
  const over = platform();
  const visit = async () => (await sendOver(over, "GET", pathOfSale(name))).status;
  for (const second of [1, 2]) {
    expect(new Set(await Promise.all(Array.from({ length: 200 }, visit)))).toEqual(new Set([200]));
    expect(over.calls.map(({ method }) => method)).toEqual(Array.from({ length: second }, () => "read"));
    passClock(SECOND);
  }
});

test("the visitors of one snapshot get one rendering", async () => {
  const found = await stubOf(await created(5)).read({ claimedBy: false });
  const [{ env }, { env: other }] = [parseEnv(bindings), parseEnv({ ...bindings, ALLOWED_ORIGINS: "https://shop.example" })];
  const [variant, embedded] = [false, true].map((isEmbedded) => ({ flow: "claim", isEmbedded }) as const);
  if (!found.ok || variant === undefined || embedded === undefined) throw new Error("there is no coupon");
  const page = salePage(found, variant, env);
  expect(salePage(found, { ...variant }, env)).toBe(page);
  expect([salePage(found, embedded, env), salePage(found, variant, other), salePage({ ...found }, variant, env)]).not.toContain(page);
});

test.for([
  [{ IDENTITY: "off" }, "off", true, undefined],
  [{ IDENTITY: "off", IDENTITY_SECRET: "a secret" }, "token", false, undefined],
  [{ IDENTITY: "on" }, "closed", false, undefined],
  [{ IDENTITY: "on", SERVICE_TOKEN: "service" }, "closed", false, undefined],
] as const)("with %o the page knows its visitor by %s", async ([settings, identity, asks]) => {
  const { attributes, parts } = await shown(pathOfSale(await created(5)), settings);
  expect(attributes["sale"]?.["data-identity"]).toBe(identity);
  expect(["user" in attributes, "main-button" in parts]).toEqual([asks, asks]);
});

test("only the own origin and listed ones may show the page, or its refusal, in a frame", async () => {
  for (const name of [await created(5), freshName()]) {
    const policies = [];
    for (const origins of ["", "https://shop.example, https://www.shop.example", "app://shop;script-src"])
      policies.push((await shown(pathOfSale(name), { ALLOWED_ORIGINS: origins })).headers.get("Content-Security-Policy"));
    const ancestors = policies.map((policy) => /; frame-ancestors (.*)$/.exec(policy ?? "")?.[1]);
    expect(ancestors).toEqual(["'self'", "'self' https://shop.example https://www.shop.example", "'self'"]);
  }
});

test("the title, the text and the picture of a sale are text, whatever they hold", async () => {
  const [title, description] = [`</h1><script>"'&amp;`, `<b onclick="x">\n</p>'"&lt;`];
  const name = await created(5, { title, description, image_url: `/a"onerror="alert(1)` });
  const page = await shown(pathOfSale(name));
  expect([page.title, page.h1, page.scripts]).toEqual([title, title, ["/assets/sale.js"]]);
  expect([page.parts["description"], page.attributes["picture"]?.["src"]]).toEqual([description, `/a"onerror="alert(1)`]);
  expect(Object.keys(page.attributes["picture"] ?? {})).toEqual(["id", "class", "src", "alt"]);
});

test("only a page with Turnstile's site key may load anything of another host", async () => {
  const name = await created(5);
  const policies = [];
  for (const TURNSTILE_SITE_KEY of [undefined, "0x4AAA"])
    policies.push(
      (await shown(pathOfSale(name), { TURNSTILE_SITE_KEY })).headers.get("Content-Security-Policy")?.match(/[\w-]+ [^;]*https[^;]*/g),
    );
  const host = "https://challenges.cloudflare.com";
  expect(policies).toEqual([null, [`script-src 'self' ${host}`, `frame-src ${host}`]]);
});

test("the page for a frame and the page with holds are variants of the same snapshot", async () => {
  const name = await created(5, { hold_seconds_max: 900 });
  const pages = await Promise.all(["", "?flow=hold", "?embed=1&flow=x"].map((query) => shown(pathOfSale(name) + query)));
  expect(pages.map(({ parts }) => parts["main-button"])).toEqual(["Get yours", "Reserve yours", "Get yours"]);
  expect(pages.map(({ attributes }) => attributes["sale"]?.["class"])).toEqual(["sale", "sale", "sale embedded"]);
  // Without its script, a press would claim at once.
  expect(pages.map(({ attributes }) => "disabled" in (attributes["main-button"] ?? {}))).toEqual([false, true, false]);
  expect(pages[1]?.attributes["sale"]?.["data-hold-seconds"]).toBe("600");
});
