// Many senders at once: each draws, sends and checks request after request, and shrinks its first failure.

import * as fc from "fast-check";

import type { AnswerCheck } from "./answers.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";

export type Target = {
  /** Rejects without an answer. */
  readonly send: (request: FuzzRequest) => Promise<FuzzAnswer>;
  readonly check: AnswerCheck;
};

/** A request with a wrong answer, as small as shrinking made it. */
export type Failure = {
  readonly fault: string;
  readonly request: FuzzRequest;
  /** Seed and path that draw it again; null for a request that was not drawn. */
  readonly drawn: { readonly seed: number; readonly path: string } | null;
  /** Whether it failed again when sent alone. Otherwise it depends on the state of the coupons. */
  readonly isRepeated: boolean;
};

type OnAnswer = (request: FuzzRequest, answer: FuzzAnswer) => Promise<void> | void;

export type DriverOptions = {
  readonly inputs: number;
  readonly seed: number;
  /** Draws and sends the input of this path alone, with `seed` as it is. */
  readonly path?: string;
  readonly signal: AbortSignal;
  /** Called with each answer. The next request waits for it. */
  readonly onAnswer: OnAnswer;
};

/** Requests in flight. */
const SENDERS = 48;
/** A prime. It keeps the seeds of the senders apart. */
const SEED_STEP = 7919;
/** The command takes seeds from 0 up to this. */
const SEEDS = 2 ** 31;
const SHRINK_MS_MAX = 20_000;

/** Sends `inputs` drawn requests and returns the failures, at most one of each sender. */
export async function drive(target: Target, requests: fc.Arbitrary<FuzzRequest>, options: DriverOptions): Promise<Failure[]> {
  const { inputs, seed, path } = options;
  if (path !== undefined) return sender(target, requests, { seed, numRuns: 1, path }, options);
  const senders = Array.from({ length: Math.min(SENDERS, inputs) }, (_, index) => {
    const numRuns = Math.floor(inputs / SENDERS) + (index < inputs % SENDERS ? 1 : 0);
    return sender(target, requests, { seed: (seed + index * SEED_STEP) % SEEDS, numRuns }, options);
  });
  return (await Promise.all(senders)).flat();
}

async function sender(
  target: Target,
  requests: fc.Arbitrary<FuzzRequest>,
  parameters: { readonly seed: number; readonly numRuns: number; readonly path?: string },
  { signal, onAnswer }: DriverOptions,
): Promise<Failure[]> {
  let failedAt = Infinity;
  const property = fc.asyncProperty(requests, async (request) => {
    // Requests after an interrupt, or after the time for shrinking, count as right.
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

/** Sends known requests, one after the other. */
export async function replay(target: Target, requests: readonly FuzzRequest[], onAnswer: OnAnswer = () => undefined): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (const request of requests) {
    const fault = await faultOf(target, request, onAnswer);
    if (fault !== null) failures.push({ fault, request, drawn: null, isRepeated: (await faultOf(target, request, onAnswer)) !== null });
  }
  return failures;
}

async function faultOf({ send, check }: Target, request: FuzzRequest, onAnswer: OnAnswer): Promise<string | null> {
  const answer = await send(request).catch((cause: unknown) => `no answer: ${cause instanceof Error ? cause.message : String(cause)}`);
  if (typeof answer === "string") return answer;
  const fault = check(request, answer);
  await onAnswer(request, answer);
  return fault;
}
