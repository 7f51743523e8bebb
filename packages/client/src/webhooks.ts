// The entry of receivers: `@doorbuster/client/webhooks`. Verifies messages as Standard Webhooks 1.0 says.

import type { WebhookMessage } from "./webhook-types.ts";

export type * from "./webhook-types.ts";

/** Headers of the platform, or those of Node, whose names are in lower case. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export type Verified =
  | { readonly ok: true; readonly id: string; readonly message: WebhookMessage }
  /** `reason` says what to log. Answer with 400. */
  | { readonly ok: false; readonly reason: "header_missing" | "too_old_or_new" | "wrong_signature" | "not_a_message" };

export type VerifyOptions = {
  /** How far the message's time may be from `now`: 300 seconds unless set. */
  readonly toleranceSeconds?: number;
  /** The receiver's time in milliseconds, for tests. */
  readonly now?: number;
};

/**
 * Verifies a webhook. `body` is the body as it arrived, before any parsing. During a rotation give both secrets.
 * Deduplicate by the returned `id`. Throws if a secret is not `whsec_` and base64.
 */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secrets: string | readonly string[],
  { toleranceSeconds = 300, now = Date.now() }: VerifyOptions = {},
): Promise<Verified> {
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => headerIn(headers, name));
  if (!id || !timestamp || !signatures) return { ok: false, reason: "header_missing" };
  const isTimely = /^\d{1,12}$/.test(timestamp) && Math.abs(now / 1_000 - Number(timestamp)) <= toleranceSeconds;
  if (!isTimely) return { ok: false, reason: "too_old_or_new" };
  const text = typeof body === "string" ? body : new TextDecoder().decode(body);
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${text}`);
  const offered = signatures.split(" ").flatMap((one) => (one.startsWith("v1,") ? (bytesIn(one.slice(3)) ?? []) : []));
  for (const secret of typeof secrets === "string" ? [secrets] : secrets) {
    const bytes = bytesIn(secret.replace(/^whsec_/, ""));
    if (bytes === null || bytes.length === 0) throw new TypeError("a secret is whsec_ and base64");
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    // It compares in constant time.
    const matches = await Promise.all(offered.map((signature) => crypto.subtle.verify("HMAC", key, signature, signed)));
    if (!matches.includes(true)) continue;
    const message = messageIn(text);
    return message === null ? { ok: false, reason: "not_a_message" } : { ok: true, id, message };
  }
  return { ok: false, reason: "wrong_signature" };
}

function headerIn(headers: WebhookHeaders, name: string): string | null {
  if (headers instanceof Headers) return headers.get(name);
  const value = headers[name];
  return (typeof value === "string" ? value : value?.[0]) ?? null;
}

/** Returns the bytes of base64, or null. */
function bytesIn(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** Returns the message in a body with a right signature, whose sender keeps to the schemas. Null for anything else. */
function messageIn(text: string): WebhookMessage | null {
  try {
    const value: unknown = JSON.parse(text);
    return isMessage(value) ? value : null;
  } catch {
    return null;
  }
}

function isMessage(value: unknown): value is WebhookMessage {
  return typeof value === "object" && value !== null && "type" in value && "data" in value;
}
