// `npm run screenshots`: pictures of the pages for the documents.

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { findChromium, launchChromium, NO_CHROMIUM } from "./browser/chromium.ts";
import { CommandFailure, EXIT, runCommand } from "./cli/command.ts";
import { ROOT } from "./server/config.ts";
import { bundleFor, folderFor, serverFor } from "./server/for-command.ts";
import { PRODUCT } from "./server/workerd.ts";

type Shot = {
  /** The file, without `.png`. */
  readonly name: string;
  readonly path: string;
  readonly viewport: { readonly width: number; readonly height: number };
  readonly scheme: "light" | "dark";
};

const COUPON = "winter-jacket";
const SALE = { width: 560, height: 590 };
const CONSOLE = { width: 1180, height: 1080 };

const SHOTS: readonly Shot[] = [
  { name: "sale-light", path: `/s/${COUPON}`, viewport: SALE, scheme: "light" },
  { name: "sale-dark", path: `/s/${COUPON}`, viewport: SALE, scheme: "dark" },
  { name: "console-light", path: `/operator/sales/${COUPON}`, viewport: CONSOLE, scheme: "light" },
  { name: "console-dark", path: `/operator/sales/${COUPON}`, viewport: CONSOLE, scheme: "dark" },
];

/** Claims in each second of the sale that the pictures show: a rush at its start, and then fewer. */
const CLAIMS = [90, 64, 47, 35, 27, 21, 16, 12, 10, 8, 6, 5, 4, 4, 3, 3, 2, 2, 1, 1];
/** What the pages read every two seconds must have arrived. */
const SETTLE_MS = 3_000;

const COMMAND = "npm run screenshots";

await runCommand(
  {
    name: COMMAND,
    about: "Serves the product on a free port and takes a PNG of each page in the list of scripts/screenshots.ts.",
    options: { out: { kind: "text", value: "DIR", default: "docs/images", help: "the folder of the pictures, created if missing" } },
  },
  async ({ options, atEnd, signal }) => {
    if (findChromium() === null) throw new CommandFailure(NO_CHROMIUM);
    const folder = await folderFor({ atEnd, signal }, "screenshots");
    const bundle = await bundleFor({ atEnd, signal }, PRODUCT, folder);
    const { url } = await serverFor({ atEnd, signal }, bundle, { state: join(folder, "state") });
    await sell(url);
    const browser = await launchChromium();
    atEnd(() => browser.close());
    const out = resolve(ROOT, options.out);
    await mkdir(out, { recursive: true });
    for (const { name, path, viewport, scheme } of SHOTS) {
      const page = await browser.newPage({ baseURL: url, viewport, colorScheme: scheme, reducedMotion: "reduce", deviceScaleFactor: 1 });
      const response = await page.goto(path);
      if (response?.ok() !== true) throw new CommandFailure(`${path} answers ${response?.status() ?? "nothing"}`);
      await pause(SETTLE_MS);
      await page.screenshot({ path: join(out, `${name}.png`) });
      await page.close();
      console.log(join(options.out, `${name}.png`));
    }
    return EXIT.ok;
  },
);

/** Makes the sale that the pictures show. */
async function sell(url: string): Promise<void> {
  const post = (path: string, body: object): Promise<Response> => fetch(`${url}${path}`, { method: "POST", body: JSON.stringify(body) });
  const texts = { title: "The winter jacket", description: "Five hundred pieces, one each. Ships in December." };
  const created = await post("/api/coupons", { name: COUPON, amount: 500, ...texts });
  if (!created.ok) throw new CommandFailure(`the coupon can't be created: ${await created.text()}`);
  let users = 0;
  for (const claims of CLAIMS) {
    const userIds = Array.from({ length: claims }, (_, index) => `customer-${users + index + 1}`);
    await post(`/api/coupons/${COUPON}/claims`, { user_ids: userIds });
    // Some ask a second time.
    for (const user_id of userIds.slice(0, 3)) await post("/api/coupons/claim", { user_id, coupon_name: COUPON });
    users += claims;
    await pause(1_000);
  }
  for (const user of ["a", "b", "c"]) await post(`/api/coupons/${COUPON}/holds`, { user_id: `cart-${user}`, ttl_seconds: 600 });
}
