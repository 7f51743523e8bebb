// Who is the operator: the bearer of the admin token.

import type { Env } from "./env.ts";

const BEARER = /^Bearer +([^\s]+) *$/i;

/**
 * Whether a request with this `Authorization` header comes from the operator. Without a configured token nobody is; with
 * `ADMIN_AUTH=off` everybody is. Two tokens can be valid at once, so that one can be changed. Compares digests in constant time, so that the answer's delay tells nothing of the token.
 */
export async function isOperator(
  authorization: string | null,
  env: Pick<Env, "ADMIN_TOKEN" | "ADMIN_TOKEN_PREVIOUS" | "ADMIN_AUTH">,
): Promise<boolean> {
  if (env.ADMIN_AUTH === "off") return true;
  const offered = bearerIn(authorization);
  if (offered === null) return false;
  const [current, previous] = await Promise.all([isSame(offered, env.ADMIN_TOKEN), isSame(offered, env.ADMIN_TOKEN_PREVIOUS)]);
  return current || previous;
}

/** The bearer token of an `Authorization` header, or null where it carries none. */
export function bearerIn(authorization: string | null): string | null {
  return BEARER.exec(authorization ?? "")?.[1] ?? null;
}

async function isSame(offered: string, token: string | undefined): Promise<boolean> {
  if (token === undefined || token === "") return false;
  const [a, b] = await Promise.all([digest(offered), digest(token)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
