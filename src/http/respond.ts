// The one renderer of answers. Each answer has the request id, and the ledger head if the coupon's object
// answered.

import { readStatusOf, type Precondition } from "../domain/etag.ts";
import { RETRY_AFTER_SECONDS, RETRY_AFTER_SECONDS_MAX } from "../domain/limits.ts";
import { JSON_TYPE } from "./media-types.ts";
import { REFUSALS, type Refusal } from "./refusals.ts";
import { instant, receipt } from "../wire.ts";
import type { RequestContext } from "./request-context.ts";
import type { AnySuccess } from "./route.ts";

/**
 * A proxy that compresses an answer makes its ETag weak, which `If-Match` never matches. It also delays
 * streams.
 */
const CACHE_CONTROL = "no-store, no-transform";

/** Renders the answer of a handler or a guard. */
export function respond(context: RequestContext, answer: AnySuccess | Refusal): Response {
  return answer.ok ? succeed(context, answer) : refuse(context, answer);
}

/**
 * Renders the answer to a read: 412 or 304 if its entity tag does not meet the preconditions (RFC 9110,
 * 13.2.2). For a change, the coupon's object has respected them already.
 */
export function respondToRead(context: RequestContext, answer: AnySuccess | Refusal, precondition: Precondition | null): Response {
  if (!answer.ok || answer.etag === undefined || precondition === null) return respond(context, answer);
  const { seq, etag } = answer;
  const status = readStatusOf(precondition, etag);
  if (status === 412) return refuse(context, { ok: false, code: "precondition_failed", ...(seq === undefined ? {} : { seq }) });
  if (status === 200) return respond(context, answer);
  const { json: _json, text: _text, contentType: _contentType, ...rest } = answer;
  return succeed(context, { ...rest, status });
}

function succeed(context: RequestContext, { status, seq, etag, cacheControl, headers, ...content }: AnySuccess): Response {
  const all: Record<string, string> = { ...headers };
  if (etag !== undefined) all["ETag"] = etag;
  if (cacheControl !== undefined) all["Cache-Control"] = cacheControl;
  if (content.contentType !== undefined) all["Content-Type"] = content.contentType;
  return "json" in content ? send(context, status, content.json, seq, all) : sendBody(context, status, content.text ?? null, seq, all);
}

function refuse(context: RequestContext, refusal: Refusal): Response {
  const { code, seq, fields, claim, startsAt, amountMin, ttlSecondsMax, exceeded, line, fault, nextPart } = refusal;
  context.code = code;
  const body: Record<string, unknown> = { error: sentenceOf(refusal), code, request_id: context.requestId };
  if (fields !== undefined) body["fields"] = fields;
  if (claim !== undefined) body["claim"] = receipt(context.coupon ?? "", claim);
  if (startsAt !== undefined) body["starts_at"] = instant(startsAt);
  if (amountMin !== undefined) body["amount_min"] = amountMin;
  if (ttlSecondsMax !== undefined) body["ttl_seconds_max"] = ttlSecondsMax;
  if (line !== undefined) Object.assign(body, { line, fault });
  if (nextPart !== undefined) body["next_part"] = nextPart;
  if (exceeded !== undefined) body["retry_after"] = exceeded.windowSeconds;
  const { status } = REFUSALS[code];
  if (context.refusalPage === undefined) return send(context, status, body, seq, headersOf(refusal));
  const page = context.refusalPage({ status, code, error: sentenceOf(refusal) });
  return sendBody(context, status, page.text, seq, { ...headersOf(refusal), ...page.headers });
}

function sentenceOf({ code, error, fields }: Refusal): string {
  if (error !== undefined) return error;
  const [first] = Object.entries(fields ?? {});
  return first === undefined ? REFUSALS[code].error : `invalid request: ${first.join(" ")}`;
}

function headersOf({
  code,
  error,
  isTokenInvalid,
  retryAfterSeconds,
  startsInMs,
  servedBy,
  exceeded,
  allow,
}: Refusal): Record<string, string> {
  const headers: Record<string, string> = {};
  if (servedBy !== undefined) headers["Served-By"] = servedBy;
  if (startsInMs !== undefined) headers["Retry-After"] = String(Math.min(RETRY_AFTER_SECONDS_MAX, Math.ceil(startsInMs / 1000)));
  if (allow !== undefined) headers["Allow"] = allow;
  if (code === "unavailable" || code === "outcome_unknown") headers["Retry-After"] = String(retryAfterSeconds ?? RETRY_AFTER_SECONDS);
  if (code === "unauthorized") {
    // RFC 6750, 3.1: the error only where a token was sent.
    const fault = isTokenInvalid === true ? `, error="invalid_token", error_description="${error ?? ""}"` : "";
    headers["WWW-Authenticate"] = `Bearer realm="doorbuster"${fault}`;
  }
  if (exceeded !== undefined) {
    const { policy, requestsMax, windowSeconds: seconds } = exceeded;
    headers["Retry-After"] = String(seconds);
    // The policy and its rest, in the form of draft-ietf-httpapi-ratelimit-headers-10.
    headers["RateLimit-Policy"] = `"${policy}";q=${requestsMax};w=${seconds}`;
    headers["RateLimit"] = `"${policy}";r=0;t=${seconds}`;
  }
  return headers;
}

function send(context: RequestContext, status: number, json: unknown, seq: number | undefined, headers: Record<string, string>): Response {
  headers["Content-Type"] = JSON_TYPE;
  return sendBody(context, status, JSON.stringify(json), seq, headers);
}

function sendBody(
  { requestId }: RequestContext,
  status: number,
  body: string | ReadableStream | null,
  seq: number | undefined,
  headers: Record<string, string>,
): Response {
  headers["Cache-Control"] ??= CACHE_CONTROL;
  headers["X-Request-Id"] = requestId;
  if (seq !== undefined) headers["Coupon-Seq"] = String(seq);
  return new Response(body, { status, headers });
}
