// The tokens of drawn requests: the operator's, the users', and invalid ones.

import { createHmac } from "node:crypto";

export type Tokens = {
  /** Undefined for a server without an operator token. */
  readonly operator: string | undefined;
  /** A user's token; null for a server that requires none. */
  readonly ofUser: ((userId: string) => string) | null;
  readonly invalid: readonly string[];
};

/** In 2099. */
const EXPIRES_AT_SECONDS = 4_070_908_800;

const INVALID = ["null", "undefined", ".", "..", "a.b.c", "\u00ff", "x".repeat(8000), "e30.e30.", "e30.bnVsbA.e30"] as const;

/** The tokens of a server that requires none of users. */
export function openTokens(operator: string | undefined): Tokens {
  return { operator, ofUser: null, invalid: INVALID };
}

/** The tokens of a server that identifies users by JSON Web Tokens (RFC 7519) signed with `secret`. */
export function tokensSignedWith(operator: string, secret: string): Tokens {
  const payload = { sub: "user-1", exp: EXPIRES_AT_SECONDS };
  const valid = signed(secret, payload);
  const [head = "", body = "", signature = ""] = valid.split(".");
  const headers = [{ alg: "none" }, { alg: "HS512" }, { alg: "HS256", crit: ["x"] }, { alg: ["HS256"] }, []];
  const payloads = [
    { ...payload, exp: 1 },
    { ...payload, nbf: EXPIRES_AT_SECONDS },
    { exp: EXPIRES_AT_SECONDS },
    { ...payload, sub: ["user-1"] },
    "user-1",
    null,
  ];
  const invalid = [
    signed("another secret", payload),
    ...headers.map((header) => signed(secret, payload, header)),
    ...payloads.map((each) => signed(secret, each)),
    valid.slice(0, -1),
    `${head}.${body}`,
    `${head}.${body}.`,
    `${valid}.${valid}`,
    `${head}..${body}..${signature}`,
    `${head}.${"!".repeat(30)}.x`,
  ];
  return { operator, ofUser: (sub) => signed(secret, { ...payload, sub }), invalid: [...INVALID, ...invalid] };
}

function signed(secret: string, payload: unknown, header: unknown = { alg: "HS256", typ: "JWT" }): string {
  const parts = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${parts}.${createHmac("sha256", secret).update(parts).digest("base64url")}`;
}
