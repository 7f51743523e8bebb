// Scenarios: random steps on one coupon each, where every answer must follow from all earlier ones.

import * as fc from "fast-check";

import { progressOf } from "../../scripts/cli/progress.ts";
import type { Harness } from "./harness.ts";
import type { FuzzRequest } from "./request.ts";
import { follows, newModel, type ScenarioModel } from "./scenario-model.ts";
import { creation, fuzzRequestOf, step, type Step } from "./scenario-steps.ts";

export type ScenarioFailure = {
  readonly fault: string;
  /** All requests of the shortest failing scenario. The last one has the wrong answer. */
  readonly requests: readonly FuzzRequest[];
  readonly seed: number;
  readonly path: string;
};

export type Scenarios = { readonly count: number; readonly requests: number; readonly failures: readonly ScenarioFailure[] };

const PARALLEL = 8;
const STEPS_MAX = 25;
/** In the coupons' names, so that a server can serve the same scenarios again. */
const startedAt = Date.now().toString(36);

/** Runs `count` scenarios, {@link PARALLEL} at a time, and returns at most that many failures. */
export async function runScenarios(
  harness: Harness,
  { count, seed, signal }: { readonly count: number; readonly seed: number; readonly signal: AbortSignal },
): Promise<Scenarios> {
  const progress = progressOf("scenarios", count);
  let [scenarios, requestCount] = [0, 0];

  async function take(asked: Step, model: ScenarioModel, requests: FuzzRequest[]): Promise<void> {
    const request = fuzzRequestOf(asked, model.name, harness.tokens.operator, model.tag?.text ?? null);
    requests.push(request);
    requestCount += 1;
    const answer = await harness.send(request);
    const fault = harness.check(request, answer) ?? follows(model, asked, answer);
    if (fault !== null) throw new Error(fault);
  }

  async function series(parameters: { readonly seed: number; readonly numRuns: number }): Promise<ScenarioFailure[]> {
    let failed: readonly FuzzRequest[] = [];
    const steps = fc.array(step, { maxLength: STEPS_MAX, size: "max" });
    const scenario = fc.asyncProperty(creation, steps, async (call, taken) => {
      if (signal.aborted) return;
      scenarios += 1;
      const model = newModel(`fuzz-scenario ${startedAt}/${scenarios}`);
      const requests: FuzzRequest[] = [];
      try {
        for (const asked of [{ kind: "call", call, isTagged: false } as const, ...taken]) await take(asked, model, requests);
        progress.update(scenarios);
      } catch (cause) {
        failed = requests;
        throw cause;
      }
    });
    const { failed: isFailed, errorInstance, counterexamplePath } = await fc.check(scenario, parameters);
    const fault = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
    return isFailed ? [{ fault, requests: failed, seed: parameters.seed, path: counterexamplePath ?? "" }] : [];
  }

  const all = Array.from({ length: Math.min(PARALLEL, count) }, (_, index) =>
    series({ seed: seed + index, numRuns: Math.floor(count / PARALLEL) + (index < count % PARALLEL ? 1 : 0) }),
  );
  const failures = await Promise.all(all).finally(() => progress.stop());
  return { count, requests: requestCount, failures: failures.flat() };
}
