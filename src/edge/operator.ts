// Who is the operator: the bearer of the admin token.

import type { Env } from "./env.ts";

const BEARER = /^Bearer +([^\s]+) *$/i;

/**
 * Whether a request with this `Authorization` header comes from the operator. Without a configured token nobody is; with
 * `ADMIN_AUTH=off` everybody is. Compares digests in constant time, so that the answer's delay tells nothing of the token.
 */
export async function isOperator(authorization: string | null, env: Pick<Env, "ADMIN_TOKEN" | "ADMIN_AUTH">): Promise<boolean> {
  if (env.ADMIN_AUTH === "off") return true;
  const offered = BEARER.exec(authorization ?? "")?.[1];
  if (!env.ADMIN_TOKEN || offered === undefined) return false;
  const [a, b] = await Promise.all([digest(offered), digest(env.ADMIN_TOKEN)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
