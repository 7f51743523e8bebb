// Stories: steps in any order over one coupon each, where every answer has to follow from all that came before.

import * as fc from "fast-check";

import type { Ground } from "./ground.ts";
import type { FuzzRequest } from "./request.ts";
import { follows, newModel, type StoryModel } from "./story-model.ts";
import { creation, requestOf, step, type Step } from "./story-steps.ts";

export type StoryFailure = {
  readonly fault: string;
  /** All requests of the shortest story that fails, the last of which got the wrong answer. */
  readonly requests: readonly FuzzRequest[];
  readonly seed: number;
  readonly path: string;
};

export type StoriesOptions = {
  readonly stories: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Told of each request. */
  readonly onAnswer: () => void;
  /** Told of each story at its end. */
  readonly onStory: () => void;
};

/** What the steps are taken on: a coupon of their own, and the requests so far. */
type Stage = { readonly name: string; readonly requests: FuzzRequest[] };

const LANES = 8;
/** In the coupons' names, so that a server can be told stories again. */
const begunAt = Date.now().toString(36);
const STEPS_MAX = 25;

/** Plays `stories` stories and answers those that went wrong, at most one for each lane. */
export async function playStories(ground: Ground, options: StoriesOptions): Promise<StoryFailure[]> {
  const { stories, seed } = options;
  const lanes = Array.from({ length: Math.min(LANES, stories) }, (_, lane) =>
    playLane(ground, options, lane, { seed: seed + lane, numRuns: Math.floor(stories / LANES) + (lane < stories % LANES ? 1 : 0) }),
  );
  return (await Promise.all(lanes)).flat();
}

async function playLane(
  ground: Ground,
  options: StoriesOptions,
  lane: number,
  parameters: { readonly seed: number; readonly numRuns: number },
): Promise<StoryFailure[]> {
  let count = 0;
  let failed: readonly FuzzRequest[] = [];
  const commands = fc.commands([step.map(commandOf)], { maxCommands: STEPS_MAX, size: "max" });

  const story = fc.asyncProperty(creation, commands, async (call, taken) => {
    if (options.signal.aborted) return;
    count += 1;
    const stage: Stage = { name: `fuzz-story ${begunAt}/${lane}/${count}`, requests: [] };
    try {
      const model = newModel();
      await take({ kind: "call", call, isTagged: false }, model, stage);
      await fc.asyncModelRun(() => ({ model, real: stage }), taken);
      options.onStory();
    } catch (cause) {
      failed = stage.requests;
      throw cause;
    }
  });

  function commandOf(asked: Step): fc.AsyncCommand<StoryModel, Stage> {
    return { check: () => true, run: (model, stage) => take(asked, model, stage), toString: () => JSON.stringify(asked) };
  }

  async function take(asked: Step, model: StoryModel, { name, requests }: Stage): Promise<void> {
    const request = requestOf(asked, name, ground.tokens.operator, model.tag?.text ?? null);
    requests.push(request);
    const answer = await ground.send(request);
    options.onAnswer();
    const fault = ground.check(request, answer) ?? follows(model, asked, answer);
    if (fault !== null) throw new Error(fault);
  }

  const { failed: isFailed, errorInstance, counterexamplePath } = await fc.check(story, parameters);
  if (!isFailed) return [];
  const fault = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return [{ fault, requests: failed, seed: parameters.seed, path: counterexamplePath ?? "" }];
}
