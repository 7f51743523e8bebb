// The client in a page of a shop, of another origin than the server: over a reload, and where the browser refuses.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { build } from "esbuild";
import { expect } from "vitest";

import { ROOT } from "../../scripts/server/config.ts";
import { createSale } from "./support/sales.ts";
import { takeFaults, test as base } from "./support/test.ts";

/** The origins of two shops. The server allows the first one. */
const test = base.extend("shops", { scope: "file" }, async ({}, { onCleanup }) => {
  const servers = [1, 2].map(() =>
    createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end('<title>Shop</title><link rel="icon" href="data:,">');
    }),
  );
  onCleanup(() => servers.forEach((one) => one.close()));
  await Promise.all(servers.map((one) => once(one.listen(0, "127.0.0.1"), "listening")));
  return servers.map((one) => `http://127.0.0.1:${(one.address() as AddressInfo).port}`);
});

test.override("options", { scope: "file" }, ({ shops }) => ({
  vars: { ADMIN_AUTH: "off", IDENTITY: "off", ADDRESS_LIMIT: "off", ALLOWED_ORIGINS: shops[0] ?? "" },
}));

/** The client as a script that defines `doorbuster`. */
async function script(): Promise<string> {
  const entry = join(ROOT, "packages/client/src/index.ts");
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "iife", globalName: "doorbuster", write: false });
  return outputFiles[0]?.text ?? "";
}

test("a shop's page that reloads after a lost claim gets the same unit", async ({ page, server, shops }) => {
  const [shop = "", stranger = ""] = shops;
  const name = await createSale(server.url, { amount: 2 });
  const client = await script();
  /** Opens a page, or loads it again, and claims there. Without HTTPS a page has no `randomUUID`. */
  async function claimAt(origin: string): Promise<unknown> {
    await page.goto(`${origin}/`);
    return page.evaluate(`delete Crypto.prototype.randomUUID; ${client};
      doorbuster.createClient({ baseUrl: ${JSON.stringify(server.url)}, deadlineMs: 1_000, keyStore: doorbuster.storageKeys() })
        .claim(${JSON.stringify(name)}, "ada")`);
  }
  const keys = new Set<string | undefined>();
  await page.route("**/api/coupons/claim", async (route) => {
    keys.add(route.request().headers()["idempotency-key"]);
    await route.fetch();
    await route.abort();
  });
  expect(await claimAt(shop)).toMatchObject({ outcome: "unknown" });
  expect(keys.size).toBe(1);
  await page.unroute("**/api/coupons/claim");
  // The browser hides the answer from a page that the server does not allow.
  expect(await claimAt(stranger)).toMatchObject({ outcome: "unknown" });
  expect(await claimAt(shop)).toMatchObject({ outcome: "granted", replayed: true, receipt: { user_id: "ada", position: 1 } });
  expect(await page.evaluate("localStorage.length")).toBe(0);
  const faults = await takeFaults(page);
  expect(faults.filter((fault) => !/^(?:another host|failed request|console: Access to fetch)/.test(fault))).toEqual([]);
});
