// The guards of routes. A guard returns a refusal, or what the caller may do.

import type { Config } from "../../edge/config.ts";
import type { Env } from "../../edge/env.ts";
import { invalidToken, RATE_LIMITED, TOKEN_REQUIRED, type Refusal } from "../refusals.ts";
import type { Route } from "../route.ts";
import { networkOf } from "./client-address.ts";
import type { Credentials } from "./credentials.ts";
import { requireTokenOf } from "./identity.ts";
import { exceededLimit, type Subject } from "./rate-limit.ts";
import { readSession } from "./session.ts";
import { bearerIn, hasToken } from "./tokens.ts";
import { challengeFault } from "./turnstile.ts";

type OperatorConfig = Pick<Config, "ADMIN_TOKEN" | "ADMIN_TOKEN_PREVIOUS" | "ADMIN_AUTH">;

/**
 * For whom a caller acts: for every user, for the user that its token names, or, where identity is off, for
 * the user that the request names.
 */
export type Caller = { readonly ok: true; readonly kind: "operator" | "service" | "user" | "unverified" };

/** Whether the caller is the operator. With `ADMIN_AUTH=off`, every caller is. */
export async function isOperator(credentials: Credentials, config: OperatorConfig): Promise<boolean> {
  return config.ADMIN_AUTH === "off" || hasAdminToken(credentials, config);
}

/** Whether the caller has the admin token, or a session that was opened with it. */
async function hasAdminToken({ authorization, cookie }: Credentials, config: OperatorConfig): Promise<boolean> {
  if (await hasToken(authorization, config.ADMIN_TOKEN, config.ADMIN_TOKEN_PREVIOUS)) return true;
  return (await readSession(cookie, config, Date.now())) !== null;
}

/** Refuses every caller except the operator. */
export async function requireOperator(credentials: Credentials, env: OperatorConfig): Promise<Refusal<"unauthorized"> | null> {
  if (await isOperator(credentials, env)) return null;
  const isClosed = env.ADMIN_TOKEN === undefined && env.ADMIN_TOKEN_PREVIOUS === undefined;
  return withoutToken(credentials, isClosed ? "noOperator" : "operator");
}

/**
 * Refuses a caller who may not act for `userId`. The service token may act for every user. With `orOperator`,
 * the admin token and a session may too.
 */
async function requireUser(
  credentials: Credentials,
  env: Env,
  userId: string,
  orOperator: boolean,
): Promise<Refusal<"unauthorized" | "forbidden" | "unavailable"> | Caller> {
  const { authorization, cookie } = credentials;
  // Most callers have none, and each promise costs a claim as much as all that is decided here.
  const hasCredentials = authorization !== null || cookie !== null;
  if (hasCredentials && orOperator && (await hasAdminToken(credentials, env))) return { ok: true, kind: "operator" };
  if (hasCredentials && (await hasToken(authorization, env.SERVICE_TOKEN, env.SERVICE_TOKEN_PREVIOUS)))
    return { ok: true, kind: "service" };
  const { IDENTITY, IDENTITY_SECRET, IDENTITY_JWKS_URL, SERVICE_TOKEN } = env;
  if (IDENTITY_SECRET === undefined && IDENTITY_JWKS_URL === undefined) {
    if (IDENTITY === "off")
      return { ok: true, kind: hasCredentials && (await hasAdminToken(credentials, env)) ? "operator" : "unverified" };
    return withoutToken(credentials, SERVICE_TOKEN === undefined ? "noIdentity" : "service");
  }
  return (await requireTokenOf(userId, authorization, env)) ?? { ok: true, kind: "user" };
}

/** Returns the refusal of a caller without the token that is needed. Where a route is closed, no token helps. */
function withoutToken({ authorization }: Credentials, needed: keyof typeof TOKEN_REQUIRED): Refusal<"unauthorized"> {
  const wasSent = bearerIn(authorization) !== null;
  if (wasSent && needed === "operator") return invalidToken("notOperator");
  if (wasSent && needed === "service") return invalidToken("notService");
  return { ok: false, code: "unauthorized", error: TOKEN_REQUIRED[needed] };
}

/**
 * Enforces what a user route declares, in the order of the contract: the user, the rate limits, the challenge.
 * Returns the first refusal, or for whom the caller acts. The operator and the service have no limit.
 */
export async function guardUser(
  route: Guarded,
  headers: Headers,
  credentials: Credentials,
  env: Env,
  { coupon = "", userId = "" }: Named,
): Promise<Refusal | Caller> {
  const caller = await requireUser(credentials, env, userId, route.who === "user_or_operator");
  if (!caller.ok || caller.kind === "operator" || caller.kind === "service") return caller;
  const network = networkOf(headers.get("cf-connecting-ip") ?? "");
  const subject = { coupon, userId, network, isVerified: caller.kind === "user" };
  const refusal =
    (route.isRateLimited === true ? await enforceRateLimit(env, subject) : null) ??
    (route.needsChallenge === true ? await requireChallenge(env, headers, subject) : null);
  return refusal ?? caller;
}
/** What a request names. */
type Named = { readonly coupon?: string; readonly userId?: string };
type Guarded = Pick<Route, "who" | "isRateLimited" | "needsChallenge">;

/** Refuses a request above the limit of one client address, or of one user for one coupon. */
async function enforceRateLimit(env: Env, subject: Subject): Promise<Refusal<"rate_limited"> | null> {
  const exceeded = await exceededLimit(env, subject);
  return exceeded === null ? null : { ok: false, code: "rate_limited", exceeded, error: RATE_LIMITED[exceeded.policy] };
}

/** Where Turnstile is configured, refuses a request without a solved challenge. */
async function requireChallenge(
  { TURNSTILE_SECRET }: Env,
  headers: Headers,
  { coupon, userId }: Subject,
): Promise<Refusal<"challenge_failed" | "unavailable"> | null> {
  if (TURNSTILE_SECRET === undefined) return null;
  const remoteip = headers.get("cf-connecting-ip") ?? undefined;
  const code = await challengeFault(TURNSTILE_SECRET, { token: headers.get("turnstile-token") ?? "", remoteip, coupon, userId });
  if (code === "unavailable") return { ok: false, code, error: "the challenge can't be verified right now: try again" };
  return code === null ? null : { ok: false, code };
}
