// Which setting of LANES will do for a sale, out of the forecasts with each.

import { count } from "../report/format.ts";
import type { LaneSetting } from "../../src/domain/lanes.ts";
import type { Forecast } from "./forecast.ts";

/** The settings that are tried, the cheapest first. */
export const SETTINGS = [0, "auto", 1, 2, 4, 8, 16, 32] as const satisfies readonly LaneSetting[];

export type Trial = { readonly lanes: LaneSetting; readonly result: Pick<Forecast, "turnedAway" | "gaveUp" | "winners"> };
export type Advice<Tried extends Trial> = { readonly best: Tried; readonly willDo: boolean; readonly sentence: string };

/** Returns the setting as the variable `LANES` has it. */
export function settingText(lanes: LaneSetting): string {
  return lanes === 0 ? "off" : String(lanes);
}

/**
 * Returns the cheapest trial that turns no user away. `auto` comes before a fixed number, because it uses lanes only
 * in a rush. Without such a trial, returns the one that turns the fewest away. There must be a trial.
 */
export function adviceOn<Tried extends Trial>(trials: readonly Tried[]): Advice<Tried> {
  const fitting = trials.filter(({ result }) => result.turnedAway === 0 && result.gaveUp === 0);
  const [best] = fitting.length > 0 ? fitting : trials.toSorted((one, other) => one.result.turnedAway - other.result.turnedAway);
  if (best === undefined) throw new Error("nothing was tried");
  const fewest = fitting.find(({ lanes }) => typeof lanes === "number" && lanes > 0)?.lanes;
  const auto = trials.find(({ lanes }) => lanes === "auto");
  return { best, willDo: fitting.length > 0, sentence: sentences(best, fitting.length > 0, fewest, auto).join(" ") };
}

function sentences({ lanes, result }: Trial, willDo: boolean, fewest: LaneSetting | undefined, auto: Trial | undefined): string[] {
  const setting = `LANES=${settingText(lanes)}`;
  const waits = `99 in 100 winners have their unit within ${count(Math.ceil(result.winners.p99Ms))} ms.`;
  if (!willDo) {
    const advice = "Lower the rate, or split the sale over several coupons.";
    return [`No setting will do: with ${setting}, users are asked to come back ${count(result.turnedAway)} times. ${advice}`];
  }
  if (lanes === 0) return ["One object is enough.", waits];
  if (lanes === "auto" && fewest !== undefined) return [`${setting} will do, and so will ${lanesText(fewest)}.`, waits];
  if (lanes === "auto" || auto === undefined) return [`${setting} will do.`, waits];
  return [`${setting} will do.`, waits, `With LANES=auto, users are asked to come back ${count(auto.result.turnedAway)} times.`];
}

function lanesText(lanes: LaneSetting): string {
  return lanes === 1 ? "1 lane" : `${lanes} lanes`;
}
