// What callers may say in headers.

import { HEADER_TOKEN_LENGTH_MAX } from "../domain/limits.ts";

const VISIBLE_ASCII = new RegExp(`^[\\x21-\\x7e]{1,${HEADER_TOKEN_LENGTH_MAX}}$`);
const QUOTED = /^"(.*)"$/;

/** The request's own name, if it is one that can be answered and logged as it is. */
export function requestIdIn(headers: Headers): string | null {
  const id = headers.get("x-request-id");
  return id !== null && VISIBLE_ASCII.test(id) ? id : null;
}

/** The `Idempotency-Key`, bare or in quotes; null where none was sent, undefined where it is malformed. */
export function idempotencyKeyIn(headers: Headers): string | null | undefined {
  const sent = headers.get("idempotency-key");
  if (sent === null) return null;
  const key = QUOTED.exec(sent)?.[1] ?? sent;
  return VISIBLE_ASCII.test(key) ? key : undefined;
}
