// The actor: the name under which the ledger records what an operator did.

import { ACTOR_LENGTH_MAX } from "../../domain/limits.ts";
import type { Config } from "../../edge/config.ts";
import { invalid, type Refusal } from "../refusals.ts";
import type { Credentials } from "./credentials.ts";
import { readSession } from "./session.ts";
import { bearerIn, hasToken } from "./tokens.ts";

const ACTOR = new RegExp(`^[\\x21-\\x7e]{1,${ACTOR_LENGTH_MAX}}$`);

/** The actor of a session without a name. */
const UNNAMED = "console";

/** Whether an operator may have this name. */
export function isActor(name: string): boolean {
  return ACTOR.test(name);
}

/**
 * Returns the actor of an operator's request: the header `X-Actor`, or else the fingerprint of the token, or else the
 * name of the session. The operator chooses a name, and nothing verifies it. Without credentials the actor is `anybody`.
 */
export async function actorOf(
  headers: Headers,
  { authorization, cookie }: Credentials,
  config: Pick<Config, "ADMIN_TOKEN" | "ADMIN_TOKEN_PREVIOUS">,
): Promise<string | Refusal<"invalid_request">> {
  const named = headers.get("x-actor");
  if (named !== null) return isActor(named) ? named : invalid("X-Actor", `must be 1 to ${ACTOR_LENGTH_MAX} visible ASCII characters`);
  if (!(await hasToken(authorization, config.ADMIN_TOKEN, config.ADMIN_TOKEN_PREVIOUS))) {
    const session = await readSession(cookie, config, Date.now());
    return session === null ? "anybody" : (session.name ?? UNNAMED);
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(bearerIn(authorization) ?? ""));
  return `token:${new DataView(digest).getUint32(0).toString(16).padStart(8, "0")}`;
}
