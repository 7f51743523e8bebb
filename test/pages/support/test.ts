// `test` for pages: a server and a browser for each file, a fresh watched context for each test.

import type { BrowserContextOptions, Page } from "playwright-core";
import { inject, test as base } from "vitest";

import { launchChromium } from "../../../scripts/browser/chromium.ts";
import { removeScratch, scratchFolder, type ServeOptions } from "../../../scripts/server/workerd.ts";
import { startServer } from "./server.ts";
import { expectClean, watch } from "./watch.ts";

export { expectAccessible, violationsOf } from "./accessible.ts";
export { expectClean, takeFaults } from "./watch.ts";

type Options = Omit<ServeOptions, "state" | "port">;

/** Operators and users need no token, as in `.dev.vars`. */
const OPEN: Options = { vars: { ADMIN_AUTH: "off", IDENTITY: "off", ADDRESS_LIMIT: "off" } };

/** A file serves the product otherwise by `test.override("options", { vars: … })`. */
export const test = base
  .extend("options", { scope: "file" }, OPEN)
  .extend("folder", { scope: "file" }, async ({}, { onCleanup }) => {
    const folder = await scratchFolder("pages-state");
    onCleanup(() => removeScratch(folder));
    return folder;
  })
  .extend("server", { scope: "file" }, async ({ options, folder }, { onCleanup }) => {
    const server = await startServer(inject("bundle"), { ...options, state: `${folder}/state` });
    onCleanup(() => server.kill());
    return server;
  })
  .extend("browser", { scope: "file" }, async ({}, { onCleanup }) => {
    const browser = await launchChromium();
    onCleanup(() => browser.close());
    return browser;
  })
  // Opens a page in a new context, such as one without JavaScript. `page.context().newPage()` is a second tab.
  .extend("open", async ({ browser, server }, { onCleanup }) => {
    const pages: Page[] = [];
    onCleanup(async () => {
      const checks = await Promise.allSettled(pages.map(expectClean));
      await Promise.all(pages.map((page) => page.context().close()));
      for (const check of checks) if (check.status === "rejected") throw check.reason;
    });
    return async (options: BrowserContextOptions = {}): Promise<Page> => {
      const context = await browser.newContext({ baseURL: server.url, ...options });
      const killedBefore = server.killCount();
      await watch(context, server.url, () => server.killCount() > killedBefore);
      const page = await context.newPage();
      pages.push(page);
      return page;
    };
  })
  .extend("page", ({ open }) => open());
