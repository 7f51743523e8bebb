// The context of one request, for its answer and its log line.

import type { Context as HonoContext } from "hono";

import type { RefusalCode } from "../domain/refusals.ts";
import type { RawEnv } from "../edge/env.ts";
import { HEADER_TOKEN_LENGTH_MAX } from "../domain/limits.ts";
import { nextAttemptId } from "./attempt-id.ts";
import type { RefusalPage, Who } from "./route.ts";

export type AppEnv = { readonly Bindings: RawEnv };
export type Context = HonoContext<AppEnv>;

export type RequestContext = {
  /** The caller's `X-Request-Id`, or else the attempt id. It is in the answer and in the logs. */
  readonly requestId: string;
  /** A unique id, whatever the caller sends. */
  readonly attemptId: string;
  /** Fields of the log line. They are set as soon as they are known. */
  coupon?: string;
  userId?: string;
  code?: RefusalCode;
  /** The last lane that a claim or a hold was sent through. */
  lane?: string;
  /** The callers of the request's route. They decide which origins may read the answer. */
  who: Who;
  /** False for a refusal that shares its log line with many others. */
  isLogged: boolean;
  /** Set where a refusal is shown to a person. */
  refusalPage?: RefusalPage;
};

/** The form of a request id and of a bare idempotency key. It is safe in headers and logs. */
export const VISIBLE_ASCII = new RegExp(`^[\\x21-\\x7e]{1,${HEADER_TOKEN_LENGTH_MAX}}$`);

/** Returns the context of a new request. */
export function requestContext(headers: Headers): RequestContext {
  const attemptId = nextAttemptId();
  const requestId = headers.get("x-request-id");
  const isUsable = requestId !== null && VISIBLE_ASCII.test(requestId);
  return { requestId: isUsable ? requestId : attemptId, attemptId, who: "everybody", isLogged: true };
}
