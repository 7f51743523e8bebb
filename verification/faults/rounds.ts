// Round after round: a server, some histories on it, and faults of the network, the objects and the process.
// Then all are judged.

import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { historyText } from "../history/history-text.ts";
import type { History } from "../history/history.ts";
import { violationIn } from "../history/linearizable.ts";
import { seeded, type Random } from "../random.ts";
import { Harness } from "./harness.ts";
import { FaultySale } from "./sale.ts";
import { add, addHistory, type Totals } from "./totals.ts";

/** The product, with hooks to break its objects. */
export const HOOKED = "verification/workers/fault-hooks.ts";
/** The same with one of {@link BUGS}, each of which a run has to find. */
export const BUGGY = "verification/workers/planted-bugs.ts";
export const BUGS = ["answers_early", "reads_stale", "ignores_keys", "ignores_lease"] as const;

/** The variable `LANES`: one for each round. */
const LANES = ["off", "4", "auto"] as const;
const LANE_COUNT = 4;

/** Histories that share a server, and its kills. */
const HISTORIES_AT_ONCE = 16;
/** Tasks that break objects. Several, because an eviction waits for its object to be idle. */
const BREAKERS = 4;
/** The longest pause of such a task. */
const OBJECT_FAULT_PAUSE_MS_MAX = 240;
/** The shortest pause between two kills. The longest is twice as long. */
const KILL_PAUSE_MS_MIN = 1_500;

export type RoundsOptions = {
  readonly histories: number;
  readonly seed: number;
  readonly bundle: string;
  readonly folder: string;
  readonly vars?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Called after each round with the number of judged histories. */
  readonly onJudged: (historyCount: number) => void;
};

/** A history that no correct coupon can have. */
export type Wrong = { readonly name: string; readonly what: string; readonly text: string };

export type Judged = { readonly totals: Totals; readonly wrong: readonly Wrong[] };

/** Records histories and judges them, until there are enough or one is wrong. */
export async function runRounds(options: RoundsOptions): Promise<Judged> {
  const totals: Totals = {};
  const wrong: Wrong[] = [];
  const random = seeded(options.seed);
  for (let done = 0; done < options.histories && wrong.length === 0; done += HISTORIES_AT_ONCE) {
    const names = Array.from(
      { length: Math.min(HISTORIES_AT_ONCE, options.histories - done) },
      (_, index) => `faults-${options.seed}-${done + index + 1}`,
    );
    wrong.push(...(await round(options, totals, names, random)));
    options.onJudged(totals["histories"] ?? 0);
  }
  return { totals, wrong };
}

async function round(options: RoundsOptions, totals: Totals, names: readonly string[], random: Random): Promise<Wrong[]> {
  const { folder, bundle, vars = {}, signal } = options;
  const drawn = random.pick(LANES);
  // The planted bugs are in the direct calls.
  const lanes = "BUG" in vars ? "off" : drawn;
  add(totals, `rounds.lanes ${lanes}`);
  const harness = await Harness.open({ bundle, state: join(folder, "state"), vars: { LANES: lanes, ...vars }, signal });
  const sales = names.map((name) => new FaultySale(name, harness.network, seeded(random.below(2 ** 31))));
  const over = new AbortController();
  try {
    const until = AbortSignal.any([over.signal, signal]);
    const seeds = Array.from({ length: BREAKERS }, () => random.below(2 ** 31));
    const breaking = Promise.all([
      killServer(harness, seeded(random.below(2 ** 31)), totals, until),
      ...seeds.map((one) => breakObjects(harness, names, seeded(one), totals, until, lanes === "4")),
    ]);
    // A failure before the await below is no unhandled rejection.
    breaking.catch(() => undefined);
    await Promise.all(sales.map((sale) => sale.run()));
    over.abort();
    await breaking;
    await Promise.all(sales.map((sale) => sale.readLast()));
  } catch (cause) {
    over.abort();
    await harness.abandon();
    throw cause;
  }
  const eventsOf = await harness.close();
  return sales.flatMap((sale) => {
    const history: History = { operations: sale.operations, events: eventsOf(sale.name), seenFrom: "client", isClockSteady: true };
    addHistory(totals, history, sale.faults);
    const violation = violationIn(history);
    return violation === null ? [] : [{ name: sale.name, what: violation.what, text: historyText(history, violation) }];
  });
}

/** Kills the server and starts it again, until all is over. */
async function killServer(harness: Harness, random: Random, totals: Totals, over: AbortSignal): Promise<void> {
  for (;;) {
    await pause(KILL_PAUSE_MS_MIN + random.below(KILL_PAUSE_MS_MIN), undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return;
    await harness.restart();
    add(totals, "kills");
  }
}

/** Aborts and evicts objects, until all is over. */
async function breakObjects(
  harness: Harness,
  names: readonly string[],
  random: Random,
  totals: Totals,
  over: AbortSignal,
  hasLanes: boolean,
): Promise<void> {
  for (;;) {
    await pause(random.below(OBJECT_FAULT_PAUSE_MS_MAX), undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return;
    const ofLane = hasLanes && random.below(2) === 0 ? (`lane-${random.below(LANE_COUNT)}` as const) : null;
    const fault = ofLane ?? (random.below(2) === 0 ? "abort" : "evict");
    if (await harness.hook(random.pick(names), fault)) add(totals, ofLane === null ? `objects.${fault}` : "objects.lane aborted");
  }
}
