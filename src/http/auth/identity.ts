// Identity: a JSON Web Token must name the user of a request. It is off unless configured.

import { encodeBase64Url } from "hono/utils/encode";

import type { Config } from "../../edge/config.ts";
import { invalidToken, TOKEN_REQUIRED, type Refusal } from "../refusals.ts";
import { claimsFault, isKeyAlgorithm, isSecretAlgorithm, isSignedByOne, parseJwt, type Jwt } from "./jwt.ts";
import { retryAfterSeconds, verifyByKeySet } from "./key-set.ts";
import { bearerIn } from "./tokens.ts";

type IdentityConfig = Pick<Config, "IDENTITY_SECRET" | "IDENTITY_JWKS_URL" | "IDENTITY_AUDIENCE" | "IDENTITY_ISSUER">;

/** Refuses a request without a valid token of `userId`. */
export async function requireTokenOf(
  userId: string,
  authorization: string | null,
  config: IdentityConfig,
): Promise<Refusal<"unauthorized" | "forbidden" | "unavailable"> | null> {
  const token = bearerIn(authorization);
  if (token === null) return { ok: false, code: "unauthorized", error: TOKEN_REQUIRED.user };
  const jwt = parseJwt(token);
  if (jwt === null) return invalidToken("malformed");
  const verdict = await verify(jwt, config);
  if (verdict === "unavailable") {
    const error = "no key for this token is available yet: try again after Retry-After seconds";
    return { ok: false, code: verdict, error, retryAfterSeconds: retryAfterSeconds(Date.now()) };
  }
  const fault = verdict === "signed" ? claimsFault(jwt, config, Date.now() / 1000) : verdict;
  if (fault !== null) return invalidToken(fault);
  return jwt.payload["sub"] === userId ? null : { ok: false, code: "forbidden" };
}

async function verify(jwt: Jwt, { IDENTITY_SECRET = "", IDENTITY_JWKS_URL: url }: IdentityConfig) {
  if (url !== undefined) return isKeyAlgorithm(jwt.alg) ? verifyByKeySet(jwt, url) : "algorithm";
  if (!isSecretAlgorithm(jwt.alg)) return "algorithm";
  const k = encodeBase64Url(new TextEncoder().encode(IDENTITY_SECRET).buffer).replaceAll("=", "");
  return (await isSignedByOne(jwt, [{ kty: "oct", k }])) === true ? "signed" : "signature";
}
