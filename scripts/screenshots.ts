// `npm run screenshots`: pictures of the pages for the documents.

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

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

const SHOTS: readonly Shot[] = [{ name: "home", path: "/", viewport: { width: 640, height: 400 }, scheme: "light" }];

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
    const browser = await launchChromium();
    atEnd(() => browser.close());
    const out = resolve(ROOT, options.out);
    await mkdir(out, { recursive: true });
    for (const { name, path, viewport, scheme } of SHOTS) {
      const page = await browser.newPage({ baseURL: url, viewport, colorScheme: scheme, reducedMotion: "reduce", deviceScaleFactor: 1 });
      const response = await page.goto(path);
      if (response?.ok() !== true) throw new CommandFailure(`${path} answers ${response?.status() ?? "nothing"}`);
      await page.screenshot({ path: join(out, `${name}.png`) });
      await page.close();
      console.log(join(options.out, `${name}.png`));
    }
    return EXIT.ok;
  },
);
