// One structured line per request.

import type { Context } from "./context.ts";

/** Notes what a request is about. */
export function note(c: Context, coupon: string, userId?: string): void {
  const request = c.get("request");
  request.coupon = coupon;
  if (userId !== undefined) request.userId = userId;
}

/** Writes the line of a request of `route` that was answered with `status` after `ms` milliseconds. */
export async function logRequest(c: Context, route: string, status: number, ms: number): Promise<void> {
  const { requestId, coupon, userId, code } = c.get("request");
  const line = {
    event: "request",
    request_id: requestId,
    method: c.req.method,
    route,
    status,
    code,
    coupon,
    user: userId === undefined ? undefined : await hashOf(userId),
    ms,
  };
  console.log(JSON.stringify(line));
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const utf8 = new TextEncoder();

/** The first 16 hex digits of the SHA-256: enough to find the lines of one user, without their name in the logs. */
async function hashOf(userId: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", utf8.encode(userId));
  return new Uint8Array(digest, 0, 8).reduce((hex, byte) => hex + HEX[byte], "");
}
