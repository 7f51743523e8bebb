// The idempotency keys that pages make.

/** Returns a fresh key of 32 hexadecimal digits. A page without HTTPS has no `crypto.randomUUID`. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
