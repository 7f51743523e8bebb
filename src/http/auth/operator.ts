// The operator: a caller with the admin token.

import type { Env } from "../../edge/env.ts";

const BEARER = /^Bearer +([^\s]+) *$/i;

type OperatorEnv = Pick<Env, "ADMIN_TOKEN" | "ADMIN_TOKEN_PREVIOUS" | "ADMIN_AUTH">;

/** Whether a request with this header comes from the operator. With `ADMIN_AUTH=off`, every request does. */
export async function isOperator(authorization: string | null, env: OperatorEnv): Promise<boolean> {
  return env.ADMIN_AUTH === "off" || hasAdminToken(authorization, env);
}

/**
 * Whether the header has an admin token. False if none is configured. Two can be valid at once, for a
 * rotation. Compares digests in constant time, so that the delay reveals nothing of the token.
 */
export async function hasAdminToken(authorization: string | null, env: OperatorEnv): Promise<boolean> {
  const offered = bearerIn(authorization);
  if (offered === null) return false;
  const [current, previous] = await Promise.all([isSame(offered, env.ADMIN_TOKEN), isSame(offered, env.ADMIN_TOKEN_PREVIOUS)]);
  return current || previous;
}

/** Returns the bearer token of an `Authorization` header, or null. */
export function bearerIn(authorization: string | null): string | null {
  return BEARER.exec(authorization ?? "")?.[1] ?? null;
}

async function isSame(offered: string, configured: string | undefined): Promise<boolean> {
  // A secret that was set through a pipe may end in a line break. No header can have one.
  const token = configured?.trim() ?? "";
  if (token === "") return false;
  const [a, b] = await Promise.all([digest(offered), digest(token)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
