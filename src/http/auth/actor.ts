// The actor: the name under which the ledger records what an operator did.

import { ACTOR_LENGTH_MAX } from "../../domain/limits.ts";
import type { Config } from "../../edge/config.ts";
import { invalid, type Refusal } from "../refusals.ts";
import { hasAdminToken } from "./guards.ts";
import { bearerIn } from "./tokens.ts";

const ACTOR = new RegExp(`^[\\x21-\\x7e]{1,${ACTOR_LENGTH_MAX}}$`);

/**
 * Returns the actor of an operator's request: the header `X-Actor`, or else the fingerprint of the token. The
 * header is what the operator says; it is not verified. Without a token the actor is `anybody`.
 */
export async function actorOf(
  headers: Headers,
  env: Pick<Config, "ADMIN_TOKEN" | "ADMIN_TOKEN_PREVIOUS" | "ADMIN_AUTH">,
): Promise<string | Refusal<"invalid_request">> {
  const named = headers.get("x-actor");
  if (named !== null) return ACTOR.test(named) ? named : invalid("X-Actor", `must be 1 to ${ACTOR_LENGTH_MAX} visible ASCII characters`);
  const authorization = headers.get("authorization");
  if (!(await hasAdminToken(authorization, env))) return "anybody";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(bearerIn(authorization) ?? ""));
  return `token:${new DataView(digest).getUint32(0).toString(16).padStart(8, "0")}`;
}
