// Sends one webhook, once. The courier decides when to send it again.

import { WEBHOOK_ANSWER_BYTES_MAX, WEBHOOK_DEADLINE_MS, WEBHOOK_ERROR_LENGTH_MAX } from "../domain/delivery-limits.ts";
import type { Instant } from "../domain/coupon.ts";
import type { TestMessage, WebhookMessage } from "../domain/webhook-events.ts";
import { API_VERSION, jsonLine } from "../wire.ts";
import { payload } from "./payload.ts";
import { sign } from "./sign.ts";

/** Where a webhook goes, and the secrets that sign it, the current one first. */
export type Recipient = { readonly url: string; readonly secrets: readonly string[] };

/** The outcome of one attempt. `status` is null without an answer. `isGone` means that the receiver wants no more (410). */
export type Sent =
  | { readonly ok: true; readonly status: number; readonly ms: number }
  | { readonly ok: false; readonly isGone: boolean; readonly error: string; readonly status: number | null; readonly ms: number };

/** Delivers a message to an endpoint at `now`. Only a 2xx within the deadline counts. Redirects are not followed. Never rejects. */
export async function send(
  { url, secrets }: Recipient,
  message: WebhookMessage | TestMessage,
  now: Instant,
  deadlineMs = WEBHOOK_DEADLINE_MS,
): Promise<Sent> {
  const startedAt = Date.now();
  const elapsedMs = (): number => Math.max(Date.now() - startedAt, 0);
  // Not AbortSignal.timeout: its timer runs on after the answer, and workerd allows an object 10,000 timers at a time.
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException("late", "TimeoutError")), deadlineMs);
  try {
    const body = jsonLine(payload(message));
    const timestamp = Math.floor(now / 1000);
    const headers = {
      "content-type": "application/json",
      "user-agent": `Doorbuster/${API_VERSION}`,
      "webhook-id": message.id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": await sign(secrets, message.id, timestamp, body),
    };
    const answer = await fetch(url, { method: "POST", headers, body, signal: controller.signal, redirect: "manual" });
    const { ok, status } = answer;
    const text = await beginningOf(answer.body);
    return ok
      ? { ok, status, ms: elapsedMs() }
      : { ok, isGone: status === 410, error: `status ${status}: ${text}`, status, ms: elapsedMs() };
  } catch (cause) {
    return { ok: false, isGone: false, error: reasonOf(cause), status: null, ms: elapsedMs() };
  } finally {
    clearTimeout(timer);
  }
}

/** Returns the first characters of the body. Reads a short body to its end, so that its connection serves the next message. */
async function beginningOf(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let byteCount = 0;
  try {
    // Leaving the loop cancels the body.
    for await (const chunk of body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      byteCount += chunk.byteLength;
      if (byteCount >= WEBHOOK_ANSWER_BYTES_MAX) break;
    }
  } catch {
    // The status has come, and it decides.
  }
  return text.slice(0, WEBHOOK_ERROR_LENGTH_MAX);
}

function reasonOf(cause: unknown): string {
  const isLate = cause instanceof DOMException && cause.name === "TimeoutError";
  return isLate ? "no answer within the deadline" : String(cause).slice(0, WEBHOOK_ERROR_LENGTH_MAX);
}
