// The forecasts of a sale as text.

import { count } from "../report/format.ts";
import { CALL_DEADLINE_MS, MAILBOX_LENGTH_MAX } from "../../src/domain/limits.ts";
import type { LaneSetting } from "../../src/domain/lanes.ts";
import { adviceOn, settingText } from "./advice.ts";
import { changeMsMax, type Forecast, type Waits } from "./forecast.ts";
import { priceOf } from "./price.ts";
import type { Sale } from "./sale.ts";

export type Tried = { readonly lanes: LaneSetting; readonly result: Forecast };

/** What will do, all trials in one table, and the details of the best one. */
export function report(sale: Sale, trials: readonly Tried[]): string {
  const { best, sentence } = adviceOn(trials);
  const head = ["LANES", "asked to come back", "winners wait p50 p95 p99", "others wait p50 p95 p99", "sold out after", "calls/s"];
  const rows = trials.map(({ lanes, result }) => [
    settingText(lanes),
    count(result.turnedAway),
    shortWaits(result.winners),
    shortWaits(result.others),
    result.soldOutAtMs === null ? "never" : ms(result.soldOutAtMs),
    count(result.callsPerSecondMax),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const table = [head, ...rows].map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  "));
  return [sentence, "", ...table, "", ...details(sale, best)].join("\n");
}

function details(sale: Sale, { lanes, result }: Tried): string[] {
  const price = priceOfSale(sale, result);
  const total = Object.values(price).reduce((sum, dollars) => sum + dollars, 0);
  const rows = {
    [`with LANES=${settingText(lanes)}`]: lanes === "auto" ? `${result.lanesMax} lanes at most` : "",
    granted: `${count(result.granted)} of ${count(sale.stock)}`,
    "last answer after": ms(result.endedAtMs),
    "winners wait": longWaits(result.winners),
    "others wait": longWaits(result.others),
    "no answer but 503 until the deadline": count(result.gaveUp),
    "most waiting before the coupon": `${count(result.waitingMax)} (it takes ${count(MAILBOX_LENGTH_MAX)})`,
    "calls of the coupon": `${count(result.calls)}, ${count(result.certificateCalls)} of them for certificates`,
    "claims through lanes": count(result.laneRequests),
    "refused at the edge": count(result.refusedAtEdge),
    "a restock is answered within": ms(changeMsMax(sale)),
    "cost beyond the plan's allowances": `$${total.toFixed(2)}`,
    ...Object.fromEntries(Object.entries(price).map(([what, dollars]) => [`  ${what}`, `$${dollars.toFixed(4)}`])),
  };
  return Object.entries(rows).map(([label, value]) => `${label.padEnd(38)}${value}`.trimEnd());
}

/** Dollars, by what they are for. */
export function priceOfSale({ costs }: Sale, result: Forecast): Readonly<Record<string, number>> {
  return priceOf({
    workerRequests: result.workerRequests,
    // At most: a call's time in the object is not the Worker's.
    workerUs: costs.workerUs + costs.callUs,
    objectRequests: result.calls + result.laneRequests,
    objects: 1 + result.lanesMax,
    // An idle object stays in memory for about as long as a call may take.
    seconds: (result.endedAtMs + CALL_DEADLINE_MS) / 1000,
    claims: result.granted,
  });
}

function shortWaits({ p50Ms, p95Ms, p99Ms }: Waits): string {
  return [p50Ms, p95Ms, p99Ms].map(ms).join(" ");
}

function longWaits({ p50Ms, p95Ms, p99Ms, maxMs }: Waits): string {
  return `p50 ${ms(p50Ms)}, p95 ${ms(p95Ms)}, p99 ${ms(p99Ms)}, at most ${ms(maxMs)}`;
}

/** A duration, in seconds from a second on. */
export function ms(duration: number): string {
  return duration < 999.5 ? `${Math.round(duration)} ms` : `${(duration / 1000).toFixed(2)} s`;
}
