// What a visitor sees of a sale at an instant. The server and the page's script share these rules.

import type { Instant, SaleState, SaleWindow } from "../domain/coupon.ts";

/** What the view follows from. `remaining` units can still be claimed, `held` ones are kept for users. */
export type SaleFacts = SaleWindow & {
  readonly state: SaleState;
  readonly amount: number;
  readonly remaining: number;
  readonly held: number;
};

export const STAGES = ["scheduled", "opening", "open", "nearly_gone", "all_held", "sold_out", "paused", "ended", "archived"] as const;
export type Stage = (typeof STAGES)[number];

/** `good`: you can buy. `wait`: keep the page open. `over`: nothing more will happen. */
export type Tone = "good" | "wait" | "over";

export type SaleView = {
  readonly stage: Stage;
  readonly tone: Tone;
  readonly headline: string;
  readonly sentence: string;
  readonly canBuy: boolean;
  readonly isStockShown: boolean;
  readonly countdown: { readonly label: string; readonly edgeLabel: string; readonly to: Instant } | null;
};

/** A tenth of the stock is nearly nothing, and so are three units of a large one. */
const NEARLY_GONE_SHARE = 0.1;
const NEARLY_GONE_COUNT = 3;

function stageOf({ state, amount, remaining, held, startsAt, endsAt }: SaleFacts, now: Instant): Stage {
  if (state === "archived") return state;
  // The clock knows of the end before the next message of the server says so.
  if (state === "ended" || (endsAt !== null && now >= endsAt)) return "ended";
  if (state === "scheduled") return startsAt !== null && now >= startsAt ? "opening" : "scheduled";
  if (state === "sold_out") return held > 0 ? "all_held" : "sold_out";
  if (state === "paused") return state;
  const isNearlyGone = remaining < amount && remaining <= Math.max(NEARLY_GONE_COUNT, amount * NEARLY_GONE_SHARE);
  return isNearlyGone ? "nearly_gone" : "open";
}

type Row = Pick<SaleView, "tone" | "headline" | "sentence" | "isStockShown"> & { readonly countsTo: "start" | "end" | null };

const ROWS = {
  scheduled: { tone: "wait", headline: "Not open yet", sentence: "One for each person.", isStockShown: true, countsTo: "start" },
  opening: {
    tone: "wait",
    headline: "Opening…",
    sentence: "It takes a moment. You do not need to load the page again.",
    isStockShown: true,
    countsTo: null,
  },
  open: { tone: "good", headline: "Open now", sentence: "One for each person.", isStockShown: true, countsTo: "end" },
  nearly_gone: { tone: "good", headline: "Nearly gone", sentence: "One for each person.", isStockShown: true, countsTo: "end" },
  all_held: {
    tone: "wait",
    headline: "Some may come back",
    sentence: "Each unit is taken or reserved. What is not bought in time comes back here. Keep this page open.",
    isStockShown: true,
    countsTo: "end",
  },
  sold_out: {
    tone: "over",
    headline: "Sold out",
    sentence: "Each unit has an owner. Should one come back, this page shows it at once.",
    isStockShown: true,
    countsTo: null,
  },
  paused: {
    tone: "wait",
    headline: "Paused",
    sentence: "The shop has paused this sale. Keep this page open: it goes on here.",
    isStockShown: true,
    countsTo: "end",
  },
  ended: {
    tone: "over",
    headline: "This sale has ended",
    sentence: "No more units are given out. If you have one, it stays yours.",
    isStockShown: false,
    countsTo: null,
  },
  archived: {
    tone: "over",
    headline: "This sale is closed",
    sentence: "No more units are given out. If you have one, it stays yours.",
    isStockShown: false,
    countsTo: null,
  },
} as const satisfies Record<Stage, Row>;

/** Returns what to show of a sale at `now`, by the server's clock. */
export function saleView(facts: SaleFacts, now: Instant): SaleView {
  const stage = stageOf(facts, now);
  const { countsTo, ...row } = ROWS[stage];
  const to = countsTo === null ? null : countsTo === "start" ? facts.startsAt : facts.endsAt;
  const labels = countsTo === "start" ? { label: "Opens in", edgeLabel: "Opens on" } : { label: "Ends in", edgeLabel: "Ends on" };
  return { stage, ...row, canBuy: row.tone === "good", countdown: to === null ? null : { ...labels, to } };
}

/** Returns the rest of a countdown, such as `2 d 03:04:05` or `04:05`. A begun second counts, so it ends with `00:01`. */
export function countdownText(restMs: number): string {
  const seconds = Math.max(0, Math.ceil(restMs / 1000));
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24];
  const clock = [Math.floor(seconds / 60) % 60, seconds % 60];
  const text = (days + hours > 0 ? [hours, ...clock] : clock).map((part) => String(part).padStart(2, "0")).join(":");
  return days > 0 ? `${days} d ${text}` : text;
}

/** Whether the text of a countdown has days. */
export function isLongTimer(text: string): boolean {
  return text.length > "00:00:00".length;
}

/** Returns a count with commas: `1,000`. The server and every browser must agree, so no locale decides. */
export function count(units: number): string {
  return String(units).replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Returns what stands behind the number of units left. Before the sale opens, none can be gone. */
export function stockText({ state, amount, held }: Pick<SaleFacts, "state" | "amount" | "held">): string {
  if (state === "scheduled") return amount === 1 ? "unit" : "units";
  return `of ${count(amount)} left${held === 0 ? "" : `, ${count(held)} reserved`}`;
}

/** What is said aloud once, when a watched sale comes to it. */
export const MILESTONES = {
  opened: "The sale is open.",
  nearly_gone: "Nearly gone.",
  all_held: "All units are taken or reserved. Some may come back.",
  sold_out: "Sold out.",
  back: "Back in stock.",
  paused: "The sale is paused.",
  resumed: "The sale goes on.",
  ended: "The sale is over.",
} as const;
export type Milestone = keyof typeof MILESTONES;

const MILESTONE_AT: Partial<Record<Stage, Milestone>> = {
  all_held: "all_held",
  sold_out: "sold_out",
  paused: "paused",
  ended: "ended",
  archived: "ended",
};
const MILESTONE_AFTER: Partial<Record<Stage, Milestone>> = {
  scheduled: "opened",
  opening: "opened",
  all_held: "back",
  sold_out: "back",
  paused: "resumed",
};

/** Returns the milestone of a change of the stage, unless it was said before. */
export function milestoneOf(before: Stage, after: Stage, said: ReadonlySet<Milestone>): Milestone | null {
  if (before === after) return null;
  const isOpen = after === "open" || after === "nearly_gone";
  const milestone = MILESTONE_AT[after] ?? (isOpen ? MILESTONE_AFTER[before] : undefined) ?? (after === "nearly_gone" ? after : null);
  return milestone === null || said.has(milestone) ? null : milestone;
}
