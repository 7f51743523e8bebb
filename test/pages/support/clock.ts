// The clock of a page, which may differ from the server's.

import type { Page } from "playwright-core";

/** Sets the clock of `page` ahead, or back if negative, before its first navigation. It goes on from there. */
export async function shiftClock(page: Page, byMs: number): Promise<void> {
  await page.clock.install({ time: Date.now() + byMs });
}

/** Stops the clock of `page` at `at`. Its timers go on. */
export async function fixClock(page: Page, at: number): Promise<void> {
  await page.clock.setFixedTime(at);
}
