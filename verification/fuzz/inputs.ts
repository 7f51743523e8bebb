// All inputs of a run: what makes the coupons, what once failed, and what is drawn.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { progressOf } from "../cli/progress.ts";
import { stockRequests } from "./coupons.ts";
import type { Ground } from "./ground.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";
import { requestFor } from "./requests.ts";
import type { Tally } from "./tally.ts";
import { replay, volley, type Failure } from "./volley.ts";

/** An input that got a wrong answer once, without the operator's token. */
export type Regression = { readonly why: string; readonly request: FuzzRequest };

export type InputsOptions = {
  readonly inputs: number;
  readonly seed: number;
  /** Draws the one input of this path. */
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
/** After so many inputs the coupons that were deleted are created again, so that most requests still meet one. */
const RESTOCK_EVERY = 1_000;

/** Sends them all, and answers what failed. */
export async function sendInputs(ground: Ground, tally: Tally, { inputs, ...options }: InputsOptions): Promise<Sent> {
  const { document, tokens } = ground;
  const stock = stockRequests(tokens.operator);
  const failures = await replay(ground, stock, uncounted);
  const isAlone = options.path !== undefined;
  const regressions = isAlone ? [] : (await regressionInputs()).map(({ request }) => asOperator(request, tokens.operator));
  failures.push(...(await replay(ground, regressions, uncounted)));

  const progress = progressOf("inputs", inputs);
  const startedAt = performance.now();
  let count = 0;
  async function onAnswer(request: FuzzRequest, answer: FuzzAnswer): Promise<void> {
    tally.count(request, answer);
    count += 1;
    progress.update(count);
    if (count % RESTOCK_EVERY === 0) failures.push(...(await replay(ground, stock, uncounted)));
  }
  const drawn = volley(ground, requestFor(document, tokens), { inputs, ...options, onAnswer });
  failures.push(...(await drawn.finally(() => progress.stop())));
  const seconds = (performance.now() - startedAt) / 1000;
  return { url: ground.url, isGuarded: tokens.ofUser !== null, inputs, failures, regressions: regressions.length, seconds };
}

/** What is not drawn is not counted. */
async function uncounted(): Promise<void> {
  await Promise.resolve();
}

/** The inputs that once failed. */
export async function regressionInputs(): Promise<readonly Regression[]> {
  return JSON.parse(await readFile(REGRESSIONS, "utf8")) as readonly Regression[];
}

function asOperator(request: FuzzRequest, operator: string | undefined): FuzzRequest {
  if (operator === undefined) return request;
  return { ...request, headers: [["Authorization", `Bearer ${operator}`], ...request.headers] };
}
