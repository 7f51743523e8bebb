// How an answer is put on the wire: every one is JSON, names its request, and, if it came from the object, its ledger's head.

import { RETRY_AFTER_SECONDS } from "../domain/limits.ts";
import type { Refused } from "../domain/messages.ts";
import type { RefusalCode } from "../domain/refusals.ts";
import type { CallFailure } from "../edge/coupon-calls.ts";
import type { Context } from "./context.ts";
import { REFUSALS } from "./refusals.ts";
import { instant, receipt } from "./wire.ts";

/** Fields that tell more than the sentence does. */
export type Details = Record<string, unknown>;
type Headers = Record<string, string>;

/** Answers `body`; `seq` is the ledger's head where the object was asked. */
export function answer(c: Context, status: number, body: unknown, seq?: number, headers: Headers = {}): Response {
  const all: Headers = { "Content-Type": "application/json", "Cache-Control": "no-store", "X-Request-Id": c.get("requestId"), ...headers };
  if (seq !== undefined) all["Coupon-Seq"] = String(seq);
  return new Response(JSON.stringify(body), { status, headers: all });
}

/** Answers a refusal that the Worker itself decided, with a sentence of its own if it has a better one. */
export function refuse(
  c: Context,
  code: RefusalCode,
  details: Details = {},
  error: string = REFUSALS[code].error,
  headers: Headers = {},
): Response {
  const body = { error, code, request_id: c.get("requestId"), ...details };
  return answer(c, REFUSALS[code].status, body, undefined, { ...refusalHeaders(code), ...headers });
}

/** Answers a refusal of the object of the coupon `name`, or that there is no answer of it. */
export function refuseAs(c: Context, name: string, refused: Refused | CallFailure): Response {
  const { code } = refused;
  if ("cause" in refused) {
    console.error({ event: "call_failed", request_id: c.get("requestId"), coupon: name, code, cause: String(refused.cause) });
    return refuse(c, code);
  }
  const { error, status } = REFUSALS[code];
  const body = { error, code, request_id: c.get("requestId"), ...detailsOf(name, refused) };
  return answer(c, status, body, refused.seq, refusalHeaders(code, refused.startsInMs));
}

function detailsOf(name: string, { claim, startsAt, amountMin }: Refused): Details {
  return {
    ...(claim === undefined ? {} : { claim: receipt(name, claim) }),
    ...(startsAt === undefined ? {} : { starts_at: instant(startsAt) }),
    ...(amountMin === undefined ? {} : { amount_min: amountMin }),
  };
}

function refusalHeaders(code: RefusalCode, startsInMs?: number): Headers {
  if (code === "unauthorized") return { "WWW-Authenticate": 'Bearer realm="doorbuster"' };
  if (code === "unavailable" || code === "outcome_unknown") return { "Retry-After": String(RETRY_AFTER_SECONDS) };
  if (startsInMs !== undefined) return { "Retry-After": String(Math.ceil(startsInMs / 1000)) };
  return {};
}
