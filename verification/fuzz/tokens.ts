// The tokens that the drawn requests carry: the operator's, the users', and ones that nobody should be let in with.

import { createHmac } from "node:crypto";

export type Tokens = {
  /** Undefined where everybody is the operator. */
  readonly operator: string | undefined;
  /** A user's token; null where the server asks for none. */
  readonly ofUser: ((userId: string) => string) | null;
  /** Tokens of nobody. */
  readonly hostile: readonly string[];
};

/** In 2099. */
const EXPIRES_AT_SECONDS = 4_070_908_800;

/** The tokens of a server that asks users for none. */
export function openTokens(operator: string | undefined): Tokens {
  return { operator, ofUser: null, hostile: HOSTILE };
}

/** The tokens of a server that knows users by JSON Web Tokens (RFC 7519) signed with `secret`. */
export function guardedTokens(operator: string, secret: string): Tokens {
  const payload = { sub: "user-1", exp: EXPIRES_AT_SECONDS };
  const right = signed(secret, payload);
  const hostile = [
    signed("another secret", payload),
    signed(secret, payload, { alg: "none" }),
    signed(secret, payload, { alg: "HS512" }),
    signed(secret, payload, { alg: "HS256", crit: ["x"] }),
    signed(secret, payload, { alg: ["HS256"] }),
    signed(secret, payload, []),
    signed(secret, { ...payload, exp: 1 }),
    signed(secret, { ...payload, nbf: EXPIRES_AT_SECONDS }),
    signed(secret, { exp: EXPIRES_AT_SECONDS }),
    signed(secret, { ...payload, sub: ["user-1"] }),
    signed(secret, "user-1"),
    signed(secret, null),
    right.slice(0, -1),
    right.slice(0, right.lastIndexOf(".")),
    right.slice(0, right.lastIndexOf(".") + 1),
    `${right}.${right}`,
    right.replaceAll(".", ".."),
    `${right.split(".")[0] ?? ""}.${"!".repeat(30)}.x`,
  ];
  return { operator, ofUser: (sub) => signed(secret, { ...payload, sub }), hostile: [...HOSTILE, ...hostile] };
}

const HOSTILE = ["null", "undefined", ".", "..", "a.b.c", "\u00ff", "x".repeat(8000), "e30.e30.", "e30.bnVsbA.e30"] as const;

function signed(secret: string, payload: unknown, header: unknown = { alg: "HS256", typ: "JWT" }): string {
  const parts = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${parts}.${createHmac("sha256", secret).update(parts).digest("base64url")}`;
}
