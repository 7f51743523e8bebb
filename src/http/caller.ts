// Whether a caller may act for the user that a request names, and whether they have asked too often.

import { RATE_LIMIT_WINDOW_SECONDS } from "../domain/limits.ts";
import { identityFault } from "../edge/identity.ts";
import { hasAdminToken } from "../edge/operator.ts";
import { isTooMany, rateLimitOf } from "../edge/rate-limit.ts";
import { refuse } from "./answers.ts";
import type { Context } from "./context.ts";

/** Answers the refusal to send to a caller who can't speak for `userId`, or null. */
export async function refuseStranger(c: Context, userId: string): Promise<Response | null> {
  const fault = await identityFault(c.req.raw.headers.get("authorization"), userId, c.env);
  if (fault === "unauthorized") return refuse(c, fault, { error: "user token required: send the header Authorization: Bearer <token>" });
  if (fault === "unavailable") return refuse(c, fault, { error: "the keys to judge the token by can't be had right now: try again" });
  return fault === null ? null : refuse(c, fault);
}

/** As {@link refuseStranger}, but for those who hold the admin token: an operator has to be able to help a user. */
export async function refuseStrangerOrOperator(c: Context, userId: string): Promise<Response | null> {
  const isHelped = await hasAdminToken(c.req.raw.headers.get("authorization"), c.env);
  return isHelped ? null : refuseStranger(c, userId);
}

/** Answers the refusal to send to a user who asked for this coupon too often, or null. */
export async function refuseTooMany(c: Context, coupon: string, userId: string): Promise<Response | null> {
  const limit = rateLimitOf(c.env);
  if (limit === null || !(await isTooMany(limit, coupon, userId))) return null;
  const seconds = RATE_LIMIT_WINDOW_SECONDS;
  // As draft-ietf-httpapi-ratelimit-headers-10 writes them: the policy, and what is left of it.
  const headers = {
    "Retry-After": String(seconds),
    "RateLimit-Policy": `"user";q=${limit.requests};w=${seconds}`,
    RateLimit: `"user";r=0;t=${seconds}`,
  };
  return refuse(c, "rate_limited", { details: { retry_after: seconds }, headers });
}
