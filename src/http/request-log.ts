// One structured line per request.

import type { Context } from "./context.ts";

/**
 * Notes what a request is about. A user is logged as the first 16 hex digits of the SHA-256 of their id: enough to find the
 * lines of one user, without their name in the logs. Hashing begins here, so that it is done by the time of the answer.
 */
export function note(c: Context, coupon: string, userId?: string): void {
  const noted = c.get("noted");
  noted.coupon = coupon;
  if (userId !== undefined && c.env.REQUEST_LOG !== "off") noted.user = hashOf(userId);
}

/** Writes the line of a request that was answered after `ms` milliseconds. */
export async function logRequest(c: Context, ms: number): Promise<void> {
  if (c.env.REQUEST_LOG === "off") return;
  const { coupon, user, code } = c.get("noted");
  const { method, routePath: route } = c.req;
  const line = {
    event: "request",
    request_id: c.get("requestId"),
    method,
    route,
    status: c.res.status,
    code,
    coupon,
    user: await user,
    ms,
  };
  console.log(JSON.stringify(line));
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const utf8 = new TextEncoder();

async function hashOf(userId: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", utf8.encode(userId));
  return new Uint8Array(digest, 0, 8).reduce((hex, byte) => hex + HEX[byte], "");
}
