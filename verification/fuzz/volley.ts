// Many requests at once: each lane draws, sends and checks one after the other, and shrinks the first that fails.

import * as fc from "fast-check";

import type { AnswerCheck } from "./answers.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";

export type Target = {
  /** Rejects where there is no answer. */
  readonly send: (request: FuzzRequest) => Promise<FuzzAnswer>;
  readonly check: AnswerCheck;
};

/** A request that got a wrong answer, as small as it could be made. */
export type Failure = {
  readonly fault: string;
  readonly request: FuzzRequest;
  /** What draws it again: seed and path of the lane that found it; null for a request that was not drawn. */
  readonly drawn: { readonly seed: number; readonly path: string } | null;
  /** Whether it failed once more when it was sent alone: else it depends on what the coupons had become. */
  readonly isRepeated: boolean;
};

export type VolleyOptions = {
  readonly inputs: number;
  readonly seed: number;
  /** Draws and sends the input of this path alone, with `seed` as it is. */
  readonly path?: string;
  readonly signal: AbortSignal;
  /** Told of each request with its answer; for counting. Resolves when the next one may be drawn. */
  readonly onAnswer: (request: FuzzRequest, answer: FuzzAnswer) => Promise<void>;
};

/** Requests in flight. */
const LANES = 48;
/** Keeps the lanes' seeds apart; a prime. */
const SEED_STEP = 7919;
/** Seeds that the command takes, from 0 on. */
const SEEDS = 2 ** 31;
/** How long a lane goes on making a failing request smaller. */
const SHRINK_MS_MAX = 20_000;

/** Sends `inputs` drawn requests and answers the failures, at most one for each lane. */
export async function volley(target: Target, requests: fc.Arbitrary<FuzzRequest>, options: VolleyOptions): Promise<Failure[]> {
  const { inputs, seed, path } = options;
  if (path !== undefined) return lane(target, requests, { seed, numRuns: 1, path }, options);
  const lanes = Array.from({ length: Math.min(LANES, inputs) }, (_, index) => {
    const numRuns = Math.floor(inputs / LANES) + (index < inputs % LANES ? 1 : 0);
    return lane(target, requests, { seed: (seed + index * SEED_STEP) % SEEDS, numRuns }, options);
  });
  return (await Promise.all(lanes)).flat();
}

async function lane(
  target: Target,
  requests: fc.Arbitrary<FuzzRequest>,
  parameters: { readonly seed: number; readonly numRuns: number; readonly path?: string },
  { signal, onAnswer }: VolleyOptions,
): Promise<Failure[]> {
  let failedAt = Infinity;
  const property = fc.asyncProperty(requests, async (request) => {
    // What is left to draw, or to make smaller, counts as right.
    if (signal.aborted || performance.now() - failedAt > SHRINK_MS_MAX) return;
    const fault = await faultOf(target, request, onAnswer);
    if (fault === null) return;
    failedAt = Math.min(failedAt, performance.now());
    throw new Error(fault);
  });
  const { counterexample, counterexamplePath, errorInstance } = await fc.check(property, parameters);
  if (counterexample === null) return [];
  const [request] = counterexample;
  const isRepeated = (await faultOf(target, request, onAnswer)) !== null;
  const fault = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return [{ fault, request, drawn: { seed: parameters.seed, path: counterexamplePath ?? "" }, isRepeated }];
}

/** Sends requests that are known, one after the other. */
export async function replay(target: Target, requests: readonly FuzzRequest[], onAnswer: VolleyOptions["onAnswer"]): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (const request of requests) {
    const fault = await faultOf(target, request, onAnswer);
    if (fault !== null) failures.push({ fault, request, drawn: null, isRepeated: (await faultOf(target, request, onAnswer)) !== null });
  }
  return failures;
}

async function faultOf({ send, check }: Target, request: FuzzRequest, onAnswer: VolleyOptions["onAnswer"]): Promise<string | null> {
  let answer: FuzzAnswer;
  try {
    answer = await send(request);
  } catch (cause) {
    return `no answer: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
  const fault = check(request, answer);
  await onAnswer(request, answer);
  return fault;
}
