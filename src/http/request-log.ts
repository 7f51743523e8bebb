// The log line of a request.

import { sipHash, type SipKey } from "../domain/siphash.ts";
import { log } from "../log.ts";
import type { RequestContext } from "./request-context.ts";

/**
 * Writes the line of a request to the route `path`. `ms` is the time until its answer, in milliseconds. The line has a
 * keyed hash of the user's id. It finds the lines of one user, and the log has no id.
 */
export function logRequest(method: string, path: string, context: RequestContext, status: number, ms: number, userKey: SipKey): void {
  const { requestId, coupon, userId, code, lane } = context;
  const user = userId === undefined ? undefined : sipHash(userKey, userId);
  log({ event: "request", request_id: requestId, method, route: path, status, code, coupon, user, lane, ms });
}
