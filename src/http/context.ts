// What every handler is given.

import type { Context as HonoContext } from "hono";

import type { RefusalCode } from "../domain/refusals.ts";
import type { Env } from "../edge/env.ts";

export type AppEnv = {
  readonly Bindings: Env;
  readonly Variables: {
    /** Names this request in its answer and in the logs: the caller's `X-Request-Id`, or else the attempt id. */
    readonly requestId: string;
    /** Ours alone: no two requests share it, whatever the caller sends. */
    readonly attemptId: string;
    /** What the request's log line will say of it; filled in as it becomes known. */
    readonly noted: { coupon?: string; user?: Promise<string>; code?: RefusalCode };
  };
};
export type Context = HonoContext<AppEnv>;
