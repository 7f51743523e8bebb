// Numbers, tables and sales as text.

import type { Coupon, Status } from "../../client/src/operator.ts";
import { shownInstant } from "./time.ts";

/** Returns a text without control characters, which could write anything to a terminal. Line breaks stay. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]/gu, "\uFFFD");
}

export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Returns the lines of a table. Numbers stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = [head, ...rows.map((row) => row.map((cell) => (typeof cell === "number" ? grouped(cell) : cell.replaceAll("\n", " "))))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const isNumber = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number"));
  return cells.map((row) =>
    row
      .map((cell, column) => (isNumber[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** Returns a bar of `width` cells. It is full at the end alone, and empty at the beginning alone. */
export function bar(done: number, total: number, width: number): string {
  const exact = total === 0 ? width : (done / total) * width;
  const full = done === 0 ? 0 : done >= total ? width : Math.min(width - 1, Math.max(1, Math.floor(exact)));
  return "█".repeat(full) + "░".repeat(width - full);
}

/** Returns what `show` and each change print. */
export function saleLines(coupon: Coupon, url: string, now: number): string[] {
  const { name, state, amount, remaining_amount: left, held_amount: held, starts_at: starts, ends_at: ends, holds_max: holdsMax } = coupon;
  const holds =
    holdsMax === 0
      ? "none"
      : `${holdsMax === null ? "any number" : `at most ${grouped(holdsMax)}`}, each up to ${counted(coupon.hold_seconds_max, "second")}`;
  return [
    `${name}: ${shownState(state)}`,
    `  left    ${grouped(left)} of ${grouped(amount)} (${grouped(amount - left - held)} claimed, ${grouped(held)} held)`,
    `  starts  ${starts === null ? "at once" : shownInstant(starts, now)}`,
    `  ends    ${ends === null ? "when you end it" : shownInstant(ends, now)}`,
    `  holds   ${holds}`,
    ...(coupon.title === null ? [] : [`  title   ${coupon.title}`]),
    `  page    ${url}/s/${encodeURIComponent(name)}`,
  ];
}

export function shownState(state: string): string {
  return state.replaceAll("_", " ");
}

/** Returns one line about a sale for `watch`. */
export function statusLine(status: Status, rate: number): string {
  const { amount, remaining_amount: left, held_amount: held } = status;
  const perSecond = rate < 10 ? rate.toFixed(1) : grouped(Math.round(rate));
  return `${shownState(status.state)}  ${grouped(left)} of ${grouped(amount)} left  ${grouped(held)} held  ${perSecond}/s`;
}

/** When a number of claims was seen. */
export type Sample = { readonly at: number; readonly claimed: number };
const RATE_OVER_MS = 5_000;

/** Returns the claims a second of the last five seconds, or since the first sample. A revoke is no negative claim. */
export function rateOf(samples: readonly Sample[], now: number): number {
  const since = samples.findLast(({ at }) => at <= now - RATE_OVER_MS) ?? samples[0];
  const last = samples.at(-1);
  if (since === undefined || last === undefined) return 0;
  const ms = Math.min(RATE_OVER_MS, Math.max(1_000, now - since.at));
  return (Math.max(0, last.claimed - since.claimed) / ms) * 1_000;
}
