// Signatures of webhooks: Standard Webhooks 1.0, symmetric (https://www.standardwebhooks.com).

import { WEBHOOK_SECRET_BYTES } from "../domain/delivery-limits.ts";

const PREFIX = "whsec_";

/** Returns a new random secret: `whsec_` and base64. */
export function newSecret(): string {
  return PREFIX + base64(crypto.getRandomValues(new Uint8Array(WEBHOOK_SECRET_BYTES)));
}

/** Returns the `webhook-signature` of a body: a signature for each secret. `timestamp` is in seconds. */
export async function sign(secrets: readonly string[], id: string, timestamp: number, body: string): Promise<string> {
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signatures = secrets.map(async (secret) => {
    const bytes = Uint8Array.from(atob(secret.slice(PREFIX.length)), (character) => character.charCodeAt(0));
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return `v1,${base64(new Uint8Array(await crypto.subtle.sign("HMAC", key, signed)))}`;
  });
  return (await Promise.all(signatures)).join(" ");
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
