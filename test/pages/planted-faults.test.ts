// The harness finds what pages can do wrong: each fault is planted, and found by name.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { expect } from "vitest";

import { expectAccessible, expectClean, takeFaults, test, violationsOf } from "./support/test.ts";

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src *; frame-src 'self'";

const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "/throws.js": ["text/javascript", `setTimeout(() => { throw new Error("planted") })`],
  "/logs.js": ["text/javascript", `console.error("planted")`],
  "/frame": ["text/html", `<!doctype html><html lang="en"><title>A frame</title><button></button>`],
  "/pale.css": ["text/css", "p { color: #bbb; background: #fff } @media (prefers-color-scheme: dark) { p { background: #000 } }"],
  "/pale-still.css": ["text/css", "@media (prefers-reduced-motion: reduce) { p { color: #bbb; background: #fff } }"],
};

const refuse = (): Promise<never> => Promise.reject(new Error("it is not the product"));

/** A server whose pages have the body that their address names. */
test.override("server", { scope: "file" }, async ({}, { onCleanup }) => {
  const listener = createServer(({ url = "" }, response) => {
    const { pathname, searchParams } = new URL(url, "http://127.0.0.1");
    const page = `<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1>${searchParams.get("body")}</main>`;
    const [type, text] = FILES[pathname] ?? ["text/html", page];
    const isFound = FILES[pathname] !== undefined || pathname === "/";
    response.writeHead(isFound ? 200 : 404, { "content-type": type, "content-security-policy": POLICY }).end(text);
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  onCleanup(() => void listener.close());
  return { url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`, killCount: () => 0, kill: refuse, startAgain: refuse };
});

function pathOf(body: string): string {
  return `/?body=${encodeURIComponent(body)}`;
}

const ELSEWHERE = "http://shop.example/a.png";

test.for([
  ["an inline script", "<script>1</script>", ["policy: script-src-elem blocks inline", "console: Executing inline script violates"]],
  ["a style attribute", `<p style="color: red">`, ["policy: style-src-attr blocks inline", "console: Applying inline style violates"]],
  [
    "a picture of another host",
    `<img alt="" src="${ELSEWHERE}">`,
    [`another host: ${ELSEWHERE}`, `failed request: ${ELSEWHERE} net::ERR_NAME_NOT_RESOLVED`],
  ],
  ["a missing picture", `<img alt="" src="/missing.png">`, ["status 404: ORIGIN/missing.png"]],
  ["an error in a script", `<script src="/throws.js"></script>`, ["page error: planted"]],
  ["an error on the console", `<script src="/logs.js"></script>`, ["console: planted"]],
] as const)("a page with %s is not clean", async ([, body, faults], { page, server }) => {
  await page.goto(pathOf(body));
  const found: string[] = [];
  const expected = faults.map((fault) => fault.replace("ORIGIN", server.url));
  const untold = async (): Promise<string[]> => {
    found.push(...(await takeFaults(page)));
    return expected.filter((fault) => !found.some((one) => one.startsWith(fault)));
  };
  await expect.poll(untold).toEqual([]);
  expect(found).toHaveLength(expected.length);
});

test("expectClean fails with the text of a fault", async ({ page }) => {
  await page.goto(pathOf(`<script src="/logs.js"></script>`));
  await expect(expectClean(page)).rejects.toThrow("console: planted");
});

const [LIGHT, DARK] = [
  ["light, no-preference", "light, reduce"],
  ["dark, no-preference", "dark, reduce"],
] as const;

test.for([
  ["an input without a label", "<input>", "label: input", [...LIGHT, ...DARK]],
  ["pale text in light", `<link rel="stylesheet" href="/pale.css"><p>Pale</p>`, "color-contrast: p", LIGHT],
  ["pale text with reduced motion", `<link rel="stylesheet" href="/pale-still.css"><p>Pale</p>`, "color-contrast: p", [LIGHT[1], DARK[1]]],
  ["an unnamed button in a frame", `<iframe title="A frame" src="/frame"></iframe>`, "button-name: iframe button", [...LIGHT, ...DARK]],
] as const)("a page with %s is not accessible", async ([, body, fault, modes], { page }) => {
  await page.goto(pathOf(body));
  const found = (await violationsOf(page)).map((violation) => violation.split(": ").slice(0, 3).join(": "));
  expect(found).toEqual(modes.map((mode) => `${mode}: ${fault}`));
  await expect(expectAccessible(page)).rejects.toThrow(fault);
});
