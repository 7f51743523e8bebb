// Logging in and out: the admin token is exchanged for a session cookie.

import { ACTOR_LENGTH_MAX } from "../../domain/limits.ts";
import { LOGIN_WINDOW_SECONDS, LOGINS_MAX } from "../../domain/service-limits.ts";
import type { Env } from "../../edge/env.ts";
import { invalid, invalidToken, RATE_LIMITED, TOKEN_REQUIRED, type Refusal } from "../refusals.ts";
import { isActor } from "./actor.ts";
import { isWithinLimit } from "./rate-limit.ts";
import { issueSession, removeSession } from "./session.ts";
import { isToken } from "./tokens.ts";

type LoginEnv = Pick<Env, "ADMIN_TOKEN" | "ADMIN_TOKEN_PREVIOUS" | "LOGINS_5_PER_60S">;

/** What is sent to log in. `network`: where the request came from, or null if that is unknown. */
export type Login = { readonly token: string; readonly name: string; readonly network: string | null };

/** A login or a logout that succeeded, with the value of its header `Set-Cookie`. */
export type SessionChange = { readonly ok: true; readonly setCookie: string };

/**
 * Returns the cookie of a new session, or a refusal. Every try counts for the limit of its network, a right token too.
 * All requests of unknown networks share one limit. A blank name is none.
 */
export async function logIn(
  env: LoginEnv,
  { token, name, network }: Login,
  now: number,
): Promise<SessionChange | Refusal<"invalid_request" | "rate_limited" | "unauthorized">> {
  const actor = name.trim();
  if (actor !== "" && !isActor(actor)) return invalid("name", `must be 1 to ${ACTOR_LENGTH_MAX} visible ASCII characters`);
  if (!(await isWithinLimit(env.LOGINS_5_PER_60S, network ?? ""))) {
    const exceeded = { policy: "login", requestsMax: LOGINS_MAX, windowSeconds: LOGIN_WINDOW_SECONDS } as const;
    return { ok: false, code: "rate_limited", exceeded, error: RATE_LIMITED.login };
  }
  const { ADMIN_TOKEN, ADMIN_TOKEN_PREVIOUS } = env;
  const signing = ADMIN_TOKEN ?? ADMIN_TOKEN_PREVIOUS;
  if (signing === undefined) return { ok: false, code: "unauthorized", error: TOKEN_REQUIRED.noOperator };
  if (!(await isToken(token.trim(), ADMIN_TOKEN, ADMIN_TOKEN_PREVIOUS))) return invalidToken("notOperator");
  return { ok: true, setCookie: await issueSession({ name: actor === "" ? null : actor }, signing, now) };
}

/** Returns the cookie that ends the session in its browser. */
export function logOut(): SessionChange {
  return { ok: true, setCookie: removeSession() };
}
