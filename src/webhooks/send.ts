// Sends one webhook.

import { WEBHOOK_DEADLINE_MS } from "../domain/delivery-limits.ts";
import type { Instant } from "../domain/coupon.ts";
import type { TestMessage } from "../domain/webhook-events.ts";
import { sign } from "./sign.ts";

export type Sent =
  | { readonly ok: true; readonly status: number; readonly ms: number }
  | { readonly ok: false; readonly isGone: boolean; readonly error: string; readonly status: number | null; readonly ms: number };

/** Sends a message. Returns whether the endpoint took it. Never throws. */
export async function send(
  { url, secrets }: { readonly url: string; readonly secrets: readonly string[] },
  { id, type, at }: TestMessage,
  now: Instant,
): Promise<Sent> {
  const body = JSON.stringify({ type, timestamp: new Date(at).toISOString(), data: {} });
  const timestamp = Math.floor(now / 1000);
  const headers = {
    "Content-Type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": await sign(secrets, id, timestamp, body),
  };
  const startedAt = Date.now();
  try {
    const signal = AbortSignal.timeout(WEBHOOK_DEADLINE_MS);
    const response = await fetch(url, { method: "POST", body, headers, redirect: "manual", signal });
    await response.body?.cancel();
    const { ok, status } = response;
    const ms = Date.now() - startedAt;
    return ok ? { ok, status, ms } : { ok, isGone: status === 410, error: `status ${status}`, status, ms };
  } catch (cause) {
    return { ok: false, isGone: false, error: String(cause), status: null, ms: Date.now() - startedAt };
  }
}
