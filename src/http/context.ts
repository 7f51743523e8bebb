// What every handler is given.

import type { Context as HonoContext } from "hono";

import type { RefusalCode } from "../domain/refusals.ts";
import type { Env, Worker } from "../edge/env.ts";

/** What is known of a request besides what it says. */
export type RequestFacts = {
  /** Names it in its answer and in the logs: the caller's `X-Request-Id`, or else the attempt id. */
  readonly requestId: string;
  /** Ours alone: no two requests share it, whatever the caller sends. */
  readonly attemptId: string;
  /** What the log line will say of it, filled in as it becomes known. */
  coupon?: string;
  userId?: string;
  code?: RefusalCode;
  /** Whether a line is written: not for what is counted in a line for many. */
  isLogged: boolean;
};

export type AppEnv = {
  readonly Bindings: Env;
  readonly Variables: { readonly request: RequestFacts };
};
export type Context = HonoContext<AppEnv>;

/** What the edge takes of a request. */
export function workerOf(c: Context): Worker {
  return { env: c.env, waitUntil: (work) => keepAlive(c, work) };
}

/** Without an execution context, as when the app is called by a function, work goes on for as long as its caller lets it. */
function keepAlive(c: Context, work: Promise<unknown>): void {
  try {
    c.executionCtx.waitUntil(work);
  } catch {
    // Hono throws where there is none.
  }
}
