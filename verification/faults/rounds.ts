// Round after round: a server, some histories on it at once, and all that can break, until the files are read and judged.

import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import type { History } from "../history/history.ts";
import { violationIn } from "../history/linearizable.ts";
import { historyText } from "../history/history-text.ts";
import { seeded, type Random } from "../random.ts";
import { Harness } from "./harness.ts";
import { FaultySale } from "./sale.ts";
import { count, nothing, type Totals } from "./totals.ts";

/** The product, with handles to break its objects. */
export const HOOKED = "verification/workers/fault-hooks.ts";
/** The same with one of these bugs, all of which have to be found. */
export const BUGGY = "verification/workers/planted-bugs.ts";
export const BUGS = ["answers_early", "reads_stale", "ignores_keys", "ignores_lease"] as const;

/** Histories that share a server, and its kills. */
const HISTORIES_AT_ONCE = 16;
/** That break objects at once: an eviction waits for what its object is doing. */
const DISTURBERS = 4;
/** Between two faults of an object by one of them, at most. */
const OBJECT_FAULT_PAUSE_MS_MAX = 240;
/** Between two kills, at least; at most twice as long. */
const KILL_PAUSE_MS_MIN = 1_500;

export type RoundsOptions = {
  readonly histories: number;
  readonly seed: number;
  readonly bundle: string;
  readonly folder: string;
  readonly vars?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Answered after each round how many histories are judged. */
  readonly onJudged: (historyCount: number) => void;
};

/** A history that no correct coupon can have. */
export type Wrong = { readonly name: string; readonly what: string; readonly trace: string };

export type Judged = { readonly totals: Totals; readonly wrong: readonly Wrong[] };

/** Records histories and judges them, until there are enough or one is wrong. */
export async function runRounds(options: RoundsOptions): Promise<Judged> {
  const totals = nothing();
  const wrong: Wrong[] = [];
  const random = seeded(options.seed);
  while (totals.histories < options.histories && wrong.length === 0) {
    const historyCount = Math.min(HISTORIES_AT_ONCE, options.histories - totals.histories);
    wrong.push(...(await round(options, totals, historyCount, random)));
    options.onJudged(totals.histories);
  }
  return { totals, wrong };
}

async function round(options: RoundsOptions, totals: Totals, historyCount: number, random: Random): Promise<Wrong[]> {
  const { folder, bundle, vars = {}, signal, seed } = options;
  const harness = await Harness.open({ bundle, state: join(folder, "state"), vars, signal });
  const sales = Array.from({ length: historyCount }, (_, index) => {
    return new FaultySale(`faults-${seed}-${totals.histories + index + 1}`, harness.network, seeded(random.below(2 ** 31)));
  });
  const over = new AbortController();
  try {
    const until = AbortSignal.any([over.signal, signal]);
    const seeds = Array.from({ length: DISTURBERS }, () => random.below(2 ** 31));
    const disturbing = Promise.all([
      killNowAndThen(harness, seeded(random.below(2 ** 31)), totals, until),
      ...seeds.map((drawn) => disturb(harness, sales, seeded(drawn), totals, until)),
    ]);
    // It is waited for below, and may fail before.
    disturbing.catch(() => undefined);
    await Promise.all(sales.map((sale) => sale.run()));
    over.abort();
    await disturbing;
    await Promise.all(sales.map((sale) => sale.lookLast()));
  } catch (cause) {
    over.abort();
    await harness.abandon();
    throw cause;
  }
  const eventsOf = await harness.close();
  return sales.flatMap((sale) => {
    const history: History = { operations: sale.operations, events: eventsOf(sale.name), seenFrom: "client", isClockSteady: true };
    count(totals, history, sale.faultPlans);
    const violation = violationIn(history);
    return violation === null ? [] : [{ name: sale.name, what: violation.what, trace: historyText(history, violation) }];
  });
}

/** Kills the server and starts it again, until all is over. */
async function killNowAndThen(harness: Harness, random: Random, totals: Totals, over: AbortSignal): Promise<void> {
  for (;;) {
    await pause(KILL_PAUSE_MS_MIN + random.below(KILL_PAUSE_MS_MIN), undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return;
    await harness.restart();
    totals.kills += 1;
  }
}

/** Breaks objects, until all is over. */
async function disturb(harness: Harness, sales: readonly FaultySale[], random: Random, totals: Totals, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await pause(random.below(OBJECT_FAULT_PAUSE_MS_MAX), undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return;
    const sale = random.pick(sales);
    if (random.below(2) === 0) {
      if (await harness.hook(sale.name, "abort")) totals.aborts += 1;
    } else if (await harness.hook(sale.name, "evict")) totals.evictions += 1;
  }
}
