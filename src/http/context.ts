// What every handler is given.

import type { Context as HonoContext } from "hono";

import type { RefusalCode } from "../domain/refusals.ts";
import type { Env } from "../edge/env.ts";

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
