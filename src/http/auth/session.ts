// The operator's session: a signed cookie that stands for the admin token in requests by pages of the own origin.

import { parseSigned, serialize, serializeSigned } from "hono/utils/cookie";

import { SESSION_SECONDS } from "../../domain/service-limits.ts";
import type { Config } from "../../edge/config.ts";

/** A browser accepts a cookie of this prefix only from the origin itself, over TLS, and for all paths. */
const COOKIE = "__Host-operator";
const ATTRIBUTES = { path: "/", secure: true, httpOnly: true, sameSite: "Strict" } as const;

/** Separates the key from every other use of the token. A change of the cookie's form needs another label. */
const KEY_LABEL = "doorbuster operator session 1";
const FORM = /^(\d{1,16}) (.*)$/;

type Tokens = Pick<Config, "ADMIN_TOKEN" | "ADMIN_TOKEN_PREVIOUS">;

/** `name`: the operator's name for the ledger, or null. */
export type Session = { readonly name: string | null };

/** Whether a `Cookie` header can have a session. */
export function mayHaveSession(cookie: string): boolean {
  return cookie.includes(COOKIE);
}

/** Returns the `Set-Cookie` value of a new session. A change of `token` ends it. */
export async function issueSession({ name }: Session, token: string, now: number): Promise<string> {
  const text = `${now + SESSION_SECONDS * 1000} ${name ?? ""}`;
  return serializeSigned(COOKIE, text, await keyOf(token), { ...ATTRIBUTES, maxAge: SESSION_SECONDS });
}

/** Returns the `Set-Cookie` value that removes the session from its browser. */
export function removeSession(): string {
  return serialize(COOKIE, "", { ...ATTRIBUTES, maxAge: 0 });
}

/** Returns the session in a `Cookie` header. Null without one, and for one that has ended or is not signed by a token. */
export async function readSession(
  cookie: string | null,
  { ADMIN_TOKEN, ADMIN_TOKEN_PREVIOUS }: Tokens,
  now: number,
): Promise<Session | null> {
  if (cookie === null) return null;
  for (const token of [ADMIN_TOKEN, ADMIN_TOKEN_PREVIOUS]) {
    if (token === undefined) continue;
    const { [COOKIE]: text } = await parseSigned(cookie, await keyOf(token), COOKIE);
    const [, endsAt, name = ""] = typeof text === "string" ? (FORM.exec(text) ?? []) : [];
    if (endsAt !== undefined && now < Number(endsAt)) return { name: name === "" ? null : name };
  }
  return null;
}

async function keyOf(token: string): Promise<ArrayBuffer> {
  const utf8 = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", utf8.encode(token), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return crypto.subtle.sign("HMAC", key, utf8.encode(KEY_LABEL));
}
