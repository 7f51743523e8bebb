// One history: a plan is carried out, and all answers and tables are checked.

import { seeded } from "../random.ts";
import { check, recordedHistory } from "./checks.ts";
import { Digest, type Breach, type Context, type PlatformBugs } from "./context.ts";
import { Globals, type Behind } from "./globals.ts";
import { HistoryRun } from "./history-run.ts";
import type { Plan } from "./plan.ts";
import { Points } from "./points.ts";
import type { Product } from "./product.ts";
import { ReadModel } from "./read-model.ts";
import { Scheduler } from "./scheduler.ts";
import { Databases, Storage } from "./storage.ts";
import type { Counts, DigestSum } from "./totals.ts";

export type Outcome = {
  readonly breach: Breach | null;
  readonly digest: DigestSum;
  readonly counts: Counts;
  /** What happened, line by line; empty while the trace is off. */
  readonly trace: readonly string[];
};

/**
 * Carries out plans, one after the other. It takes over globals of its thread, so a thread has one simulator.
 */
export class Simulator {
  readonly #product: Product;
  readonly #platformBugs: PlatformBugs;
  readonly #databases = new Databases();
  readonly #readModel = new ReadModel();
  readonly #globals = new Globals();
  #runs = 0;

  constructor(product: Product, platformBugs: PlatformBugs) {
    this.#product = product;
    this.#platformBugs = platformBugs;
  }

  /** Carries out one plan and checks it. */
  run(plan: Plan, isTraced = false): Outcome {
    const platformBugs = this.#platformBugs;
    const counts: Record<string, number> = { histories: 1 };
    const count = (name: string, by = 1): void => void (counts[name] = (counts[name] ?? 0) + by);
    const trace: string[] = [];
    const scheduler = new Scheduler();
    const log = isTraced ? (line: string): void => void trace.push(`${String(scheduler.now).padStart(6)} ms  ${line}`) : null;
    const points = new Points(count, log);
    const isLossy = plan.steps.some((step) => "isLossy" in step && step.isLossy);
    const isRestored = plan.steps.some((step) => step.is === "ask" && step.ask.kind === "restore");
    const storage = new Storage({ databases: this.#databases, points, isLossy, isRestored, platformBugs });
    let breach: Breach | null = null;
    const breachOf = (): Breach | null => breach;
    const context: Context = {
      plan,
      scheduler,
      points,
      storage,
      digest: new Digest(),
      random: seeded(plan.seed),
      log,
      count,
      breach: (rule, what) => (breach ??= { rule, what }),
      skewMs: 0,
      isolateSkews: [0, 0, 0],
      visitor: null,
    };
    this.#runs += 1;
    // Isolates remember coupons beyond a history, so that each history has a name of its own.
    const run = new HistoryRun(context, `coupon-${this.#runs}`, this.#product, platformBugs, this.#readModel);
    const { platform, delivery, lanes } = run;
    const timer: Behind["timer"] = (work, ms) => {
      if (lanes?.isRunning === true) return lanes.timer(work, ms);
      return delivery?.courier.isRunning === true ? delivery.courier.timer(work, ms) : platform.timer(work, ms);
    };
    this.#globals.behind = {
      context,
      logged: (line) => platform.logged(line),
      timer,
      fetch: delivery === null ? null : (url, init) => delivery.fetch(url, init),
    };
    run.toEnd(() => breach !== null);
    this.#globals.behind = null;
    if (breachOf() === null) check(context, run);
    const broken = breachOf();
    if (isTraced && broken !== null) trace.push("", recordedHistory(context, run, broken));
    if (run.delivery !== null) this.#readModel.reset();
    storage.close();
    return { breach: broken, digest: context.digest.value, counts, trace };
  }

  close(): void {
    this.#databases.close();
    this.#readModel.close();
  }
}
