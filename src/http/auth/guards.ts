// The guards of routes. A guard returns a refusal, or null if the caller may go on.

import type { Env } from "../../edge/env.ts";
import { TOKEN_REQUIRED, type Refusal } from "../refusals.ts";
import { identityFault } from "./identity.ts";
import { hasAdminToken, isOperator } from "./operator.ts";
import { isTooMany, rateLimitOf } from "./rate-limit.ts";

/** Refuses every caller except the operator. */
export async function requireOperator(headers: Headers, env: Env): Promise<Refusal<"unauthorized"> | null> {
  const isAllowed = await isOperator(headers.get("authorization"), env);
  return isAllowed ? null : { ok: false, code: "unauthorized", error: TOKEN_REQUIRED.operator };
}

/** Refuses a caller without a token of `userId`. With `orOperator`, the admin token is enough. */
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

/** Refuses a request above the limit of one user for one coupon. */
export async function enforceRateLimit(env: Env, coupon: string, userId: string): Promise<Refusal<"rate_limited"> | null> {
  const limit = rateLimitOf(env);
  if (limit === null || !(await isTooMany(limit, coupon, userId))) return null;
  return { ok: false, code: "rate_limited", requestsMax: limit.requests };
}
