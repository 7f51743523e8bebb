// What every handler is given.

import type { Context as HonoContext } from "hono";

import type { Env } from "../edge/env.ts";

export type AppEnv = {
  readonly Bindings: Env;
  readonly Variables: {
    /** Names this request in its answer and in the logs: the caller's `X-Request-Id`, or else the attempt id. */
    readonly requestId: string;
    /** Ours alone: no two requests share it, whatever the caller sends. */
    readonly attemptId: string;
  };
};
export type Context = HonoContext<AppEnv>;
