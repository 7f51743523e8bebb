// Bearer tokens that are configured: the operator's and the shop's back end's.

const BEARER = /^Bearer +([^\s]+) *$/i;

/** Returns the bearer token of an `Authorization` header, or null. */
export function bearerIn(authorization: string | null): string | null {
  return BEARER.exec(authorization ?? "")?.[1] ?? null;
}

/** Whether the header has one of the configured tokens. Two can be valid at once, for a rotation. */
export async function hasToken(authorization: string | null, ...configured: readonly (string | undefined)[]): Promise<boolean> {
  const offered = bearerIn(authorization);
  return offered !== null && isToken(offered, ...configured);
}

/**
 * Whether `offered` is one of the configured tokens. Compares digests in constant time, so that the delay reveals
 * nothing of a token.
 */
export async function isToken(offered: string, ...configured: readonly (string | undefined)[]): Promise<boolean> {
  const tokens = await Promise.all(configured.filter((token) => token !== undefined).map(digest));
  if (tokens.length === 0) return false;
  const wanted = await digest(offered);
  // All are compared, also after a match.
  return tokens.map((token) => crypto.subtle.timingSafeEqual(wanted, token)).includes(true);
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
