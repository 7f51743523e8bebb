// One history: a plan is carried out, and all that was answered and stored is checked.

import type { LedgerEvent } from "../model/types.ts";
import { seeded } from "../random.ts";
import { check, recordedHistory } from "./checks.ts";
import { HistoryRun } from "./history-run.ts";
import { Globals } from "./globals.ts";
import type { Plan } from "./plan.ts";
import { Points, type Coverage } from "./points.ts";
import type { Product } from "./product.ts";
import { Digest, type Breach, type Context, type PlatformBugs } from "./context.ts";
import { Scheduler } from "./scheduler.ts";
import { Storage, type Databases } from "./storage.ts";
import type { Totals } from "./totals.ts";

export type Outcome = {
  readonly breach: Breach | null;
  readonly digest: readonly [high: number, low: number];
  /** What happened, line by line; empty unless it was asked for. */
  readonly trace: readonly string[];
};

export type SimulatorOptions = {
  readonly product: Product;
  readonly databases: Databases;
  readonly coverage: Coverage;
  readonly totals: Totals;
  readonly platformBugs: PlatformBugs;
};

/** Carries out plans, one after the other. Takes over globals of its thread: one is enough for it. */
export class Simulator {
  readonly #options: SimulatorOptions;
  readonly #globals = new Globals();
  #runs = 0;

  constructor(options: SimulatorOptions) {
    this.#options = options;
  }

  /** Carries out one plan and checks it. */
  run(plan: Plan, isTraced = false): Outcome {
    const { databases, coverage, product, platformBugs, totals } = this.#options;
    const lines: string[] = [];
    const scheduler = new Scheduler();
    const log = isTraced ? (line: string): void => void lines.push(`${String(scheduler.now).padStart(6)} ms  ${line}`) : null;
    const points = new Points(coverage, log);
    const isLossy = plan.steps.some((step) => "isLossy" in step && step.isLossy);
    const storage = new Storage({ databases, points, isLossy, platformBugs });
    let breach: Breach | null = null;
    const context: Context = {
      plan,
      scheduler,
      points,
      storage,
      digest: new Digest(),
      random: seeded(plan.seed),
      log,
      breach: (rule, what) => (breach ??= { rule, what }),
      skewMs: 0,
      isolateSkews: [0, 0, 0],
      visitor: null,
    };
    this.#runs += 1;
    // What isolates remember outlives a history, so that it must not be known by the same name.
    const historyRun = new HistoryRun(context, `coupon-${this.#runs}`, product, platformBugs);
    const { platform } = historyRun;
    this.#globals.behind = { context, logged: (line) => platform.logged(line), timer: (run, ms) => platform.timer(run, ms) };
    const breachOf = (): Breach | null => breach;
    historyRun.run(() => breach !== null);
    this.#globals.behind = null;
    const events = breach === null ? check(context, historyRun) : [];
    const broken = breachOf();
    const digest = [context.digest.high, context.digest.low] as const;
    if (isTraced && broken !== null) lines.push("", recordedHistory(context, historyRun, broken));
    if (broken === null) count(totals, context, historyRun, events);
    storage.close();
    return { breach: broken, digest, trace: lines };
  }
}

function count(totals: Totals, { points, storage, plan }: Context, historyRun: HistoryRun, events: readonly LedgerEvent[]): void {
  const { clients, platform, network, isolates } = historyRun;
  totals.add("histories");
  const some = (name: string, number: number): void => (number > 0 ? totals.add(name, number) : undefined);
  for (const step of plan.steps) if (step.is === "ask") totals.add(`asked.${step.ask.kind}`);
  for (const code of isolates.codes) totals.add(`certificate.${code}`);
  some("lease.deferred", platform.deferredCount);
  some("lease.restartWithin", historyRun.leaseEndCount);
  some("lease.bypassByKey", historyRun.keyBypassCount);
  some("flushes.several", platform.severalFlushesCount);
  some("flushes.slow", platform.slowFlushCount);
  some("faults.flush", platform.failedFlushCount);
  some("visitors.left", clients.leftCount);
  if (plan.steps.some(({ is }) => is === "clock")) totals.add("clock.isolateSetBack");
  totals.add("operations", clients.answered.length);
  totals.add("deliveries", platform.delivered.length);
  for (const word of clients.outcomes) totals.add(`answered.${word}`);
  for (const { kind } of events) totals.add(`event.${kind}`);
  for (const { is } of network.faults) totals.add(`network.${is}`);
  const duplicates = network.duplicateCount;
  if (duplicates > 0) totals.add("network.duplicate", duplicates);
  if (network.retryCount > 0) totals.add("retries.worker", network.retryCount);
  if (clients.repeatCount > 0) totals.add("retries.client", clients.repeatCount);
  if (clients.edgeCount > 0) totals.add("answers.edge", clients.edgeCount);
  if (points.thrownCount > 0) totals.add("faults.throw", points.thrownCount);
  if (points.crashedCount > 0) totals.add("faults.crash", points.crashedCount);
  for (const step of plan.steps) if (step.is === "restart") totals.add(step.isLossy ? "faults.powerCut" : "faults.eviction");
  if (platform.lossCount > 0) totals.add("faults.lostWrites", platform.lossCount);
  if (!platform.isClockSteady) totals.add("clock.setBack");
  if (platform.alarmCount > 0) totals.add("alarms", platform.alarmCount);
  if (platform.batchCount > 0) totals.add("batches", platform.batchCount);
  if (storage.incarnations.length > 1) totals.add("histories.withRemoval");
}
