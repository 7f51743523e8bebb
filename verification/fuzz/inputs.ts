// All inputs of a run: the requests that create the coupons, known inputs that once failed, and drawn ones.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { progressOf } from "../../scripts/cli/progress.ts";
import type { Counters } from "./counters.ts";
import { stockRequests } from "./coupons.ts";
import { drive, replay, type Failure } from "./driver.ts";
import type { Harness } from "./harness.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";
import { requestFor } from "./requests.ts";

export type InputsOptions = {
  readonly inputs: number;
  readonly seed: number;
  /** Draws the one input of this path, and sends no known ones. */
  readonly path?: string;
  readonly signal: AbortSignal;
};

export type Sent = {
  readonly url: string;
  readonly isGuarded: boolean;
  readonly inputs: number;
  readonly failures: readonly Failure[];
  readonly regressions: number;
  readonly seconds: number;
};

const REGRESSIONS = join(import.meta.dirname, "regression-inputs.json");
/** Deleted coupons are created again after so many inputs, so that most requests still find one. */
const RESTOCK_EVERY = 1_000;

/** Sends all inputs and returns the failures. */
export async function sendInputs(harness: Harness, counters: Counters, { inputs, ...options }: InputsOptions): Promise<Sent> {
  const { document, tokens } = harness;
  const stock = stockRequests(tokens.operator);
  const regressions = options.path === undefined ? await regressionInputs(tokens.operator) : [];
  const failures = await replay(harness, [...stock, ...regressions]);

  const progress = progressOf("inputs", inputs);
  const startedAt = performance.now();
  let count = 0;
  async function onAnswer(request: FuzzRequest, answer: FuzzAnswer): Promise<void> {
    counters.count(request, answer);
    count += 1;
    progress.update(count);
    if (count % RESTOCK_EVERY === 0) failures.push(...(await replay(harness, stock)));
  }
  const drawn = drive(harness, requestFor(document, tokens), { inputs, ...options, onAnswer });
  failures.push(...(await drawn.finally(() => progress.stop())));
  const seconds = (performance.now() - startedAt) / 1000;
  return { url: harness.url, isGuarded: tokens.ofUser !== null, inputs, failures, regressions: regressions.length, seconds };
}

/** The inputs that once got a wrong answer, with the operator's token. */
async function regressionInputs(operator: string | undefined): Promise<readonly FuzzRequest[]> {
  const inputs = JSON.parse(await readFile(REGRESSIONS, "utf8")) as readonly { readonly request: FuzzRequest }[];
  const authorization: FuzzRequest["headers"] = operator === undefined ? [] : [["Authorization", `Bearer ${operator}`]];
  return inputs.map(({ request: { method, target, headers, body } }) => ({ method, target, headers: authorization.concat(headers), body }));
}
