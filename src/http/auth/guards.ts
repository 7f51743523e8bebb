// Whether a caller may do what a route declares. Guards return a refusal, or null.

import type { Env } from "../../edge/env.ts";
import { TOKEN_REQUIRED, type Refusal } from "../refusals.ts";
import { identityFault } from "./identity.ts";
import { hasAdminToken, isOperator } from "./operator.ts";
import { isTooMany, rateLimitOf } from "./rate-limit.ts";

/** Refuses every caller but the operator. */
export async function requireOperator(headers: Headers, env: Env): Promise<Refusal<"unauthorized"> | null> {
  const isAllowed = await isOperator(headers.get("authorization"), env);
  return isAllowed ? null : { ok: false, code: "unauthorized", error: TOKEN_REQUIRED.operator };
}

/**
 * Refuses a caller who can't act for `userId`. With `orOperator`, the admin token is enough: an operator has to be able to
 * help a user.
 */
export async function requireUser(
  headers: Headers,
  env: Env,
  userId: string,
  orOperator: boolean,
): Promise<Refusal<"unauthorized" | "forbidden" | "unavailable"> | null> {
  const authorization = headers.get("authorization");
  if (orOperator && (await hasAdminToken(authorization, env))) return null;
  const code = await identityFault(authorization, userId, env);
  if (code === "unauthorized") return { ok: false, code, error: TOKEN_REQUIRED.user };
  if (code === "unavailable") return { ok: false, code, error: "the keys that verify user tokens are not available: try again" };
  return code === null ? null : { ok: false, code };
}

/** Refuses a user who sends more requests for one coupon than the limit allows. */
export async function enforceRateLimit(env: Env, coupon: string, userId: string): Promise<Refusal<"rate_limited"> | null> {
  const limit = rateLimitOf(env);
  if (limit === null || !(await isTooMany(limit, coupon, userId))) return null;
  return { ok: false, code: "rate_limited", requestsMax: limit.requests };
}
