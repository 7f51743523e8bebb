// Checks a page with axe-core.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const MODES = (["light", "dark"] as const).flatMap((colorScheme) =>
  (["no-preference", "reduce"] as const).map((reducedMotion) => ({ colorScheme, reducedMotion })),
);

/** A transition between two schemes would be measured half-way. Those of a shadow tree are listed by its root. */
const SETTLE = `const roots = [document];
for (const root of roots) {
  for (const { shadowRoot } of root.querySelectorAll("*")) if (shadowRoot) roots.push(shadowRoot);
  for (const animation of root.getAnimations())
    if (animation.effect.getComputedTiming().endTime !== Infinity) animation.finish();
}`;
const RUN = `axe.run(document, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } })`;

/**
 * Returns the violations of `page` as it is now, in light and dark, with and without reduced motion.
 * axe takes a page without a background for white, also in dark: declare one, such as `Canvas`.
 */
export async function violationsOf(page: Page): Promise<string[]> {
  // The page's policy forbids script tags. A frame without axe would not be checked.
  for (const frame of page.frames()) await frame.evaluate(AXE);
  const found: string[] = [];
  for (const mode of MODES) {
    await page.emulateMedia(mode);
    await page.evaluate(SETTLE);
    const { violations } = (await page.evaluate(RUN)) as AxeResults;
    for (const { id, nodes } of violations)
      for (const { target, failureSummary = "" } of nodes)
        found.push(`${mode.colorScheme}, ${mode.reducedMotion}: ${id}: ${target.join(" ")}: ${failureSummary}`);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  return found;
}

/** Throws if there is a violation on `page` as it is now. */
export async function expectAccessible(page: Page): Promise<void> {
  const violations = await violationsOf(page);
  if (violations.length > 0) throw new Error(`the page is not accessible:\n${violations.join("\n")}`);
}
