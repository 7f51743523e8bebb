// What is known of one request, for its answer and for the log.

import type { Context as HonoContext } from "hono";

import type { RefusalCode } from "../domain/refusals.ts";
import type { Env } from "../edge/env.ts";
import { HEADER_TOKEN_LENGTH_MAX } from "../domain/limits.ts";
import { nextAttemptId } from "./attempt-id.ts";

export type AppEnv = { readonly Bindings: Env };
export type Context = HonoContext<AppEnv>;

export type RequestContext = {
  /** Names the request in its answer and in the logs: the caller's `X-Request-Id`, or else the attempt id. */
  readonly requestId: string;
  /** Ours alone: no two requests share it, whatever the caller sends. */
  readonly attemptId: string;
  /** What the log line says of the request, filled in as it becomes known. */
  coupon?: string;
  userId?: string;
  code?: RefusalCode;
  /** False for a refusal that is counted in a line for many. */
  isLogged: boolean;
};

/** What a caller may name a request or a key: text that can be answered and logged as it is. */
export const VISIBLE_ASCII = new RegExp(`^[\\x21-\\x7e]{1,${HEADER_TOKEN_LENGTH_MAX}}$`);

/** The context of a request that has just arrived. */
export function requestContext(headers: Headers): RequestContext {
  const attemptId = nextAttemptId();
  const requestId = headers.get("x-request-id");
  return { requestId: requestId !== null && VISIBLE_ASCII.test(requestId) ? requestId : attemptId, attemptId, isLogged: true };
}
