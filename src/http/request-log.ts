// The log line of a request.

import { log } from "../log.ts";
import type { RequestContext } from "./request-context.ts";

/** Writes the line of a request to the route `path`. `ms` is the time until its answer, in milliseconds. */
export async function logRequest(method: string, path: string, context: RequestContext, status: number, ms: number): Promise<void> {
  const { requestId, coupon, userId, code, lane } = context;
  const user = userId === undefined ? undefined : await hashOf(userId);
  log("request", { request_id: requestId, method, route: path, status, code, coupon, user, lane, ms });
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const utf8 = new TextEncoder();

/**
 * Returns the first 16 hex digits of the SHA-256. They find the lines of one user, without the user's id in
 * the logs.
 */
async function hashOf(userId: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", utf8.encode(userId));
  return new Uint8Array(digest, 0, 8).reduce((hex, byte) => hex + HEX[byte], "");
}
