// How an answer is put on the wire: every one is JSON, names its request, and, if it came from the object, its ledger's head.

import { RETRY_AFTER_SECONDS } from "../domain/limits.ts";
import type { Refused } from "../domain/rpc.ts";
import type { RefusalCode } from "../domain/refusals.ts";
import type { CallFailure } from "../edge/coupon-calls.ts";
import type { RefusedAtEdge } from "../edge/certificates.ts";
import type { Context } from "./context.ts";
import { REFUSALS } from "./refusals.ts";
import { instant, receipt } from "./wire.ts";

type Headers = Record<string, string>;

/** What a refusal says besides its code: a better sentence than the table's, fields that tell more, headers. */
export type More = { readonly error?: string; readonly details?: Record<string, unknown>; readonly headers?: Headers };

/** Answers `body` as JSON; `seq` is the ledger's head where the object was asked. */
export function answer(c: Context, status: number, body: unknown, seq?: number, headers: Headers = {}): Response {
  return answerWith(c, status, JSON.stringify(body), { "Content-Type": "application/json", ...headers }, seq);
}

/** Answers a body that is no JSON, or none. */
export function answerWith(c: Context, status: number, body: string | ReadableStream | null, headers: Headers, seq?: number): Response {
  const all: Headers = { "Cache-Control": "no-store", "X-Request-Id": c.get("request").requestId, ...headers };
  if (seq !== undefined) all["Coupon-Seq"] = String(seq);
  return new Response(body, { status, headers: all });
}

/** Answers a refusal that the Worker itself decided. */
export function refuse(
  c: Context,
  code: RefusalCode,
  { error = REFUSALS[code].error, details, headers }: More = {},
  seq?: number,
): Response {
  c.get("request").code = code;
  const body = { error, code, request_id: c.get("request").requestId, ...details };
  return answer(c, REFUSALS[code].status, body, seq, { ...headersOf(code), ...headers });
}

/** Answers a refusal of the object of the coupon `name` or of its certificate, or that there is no answer of it. */
export function refuseAs(c: Context, name: string, refused: Refused | RefusedAtEdge | CallFailure): Response {
  if ("cause" in refused) {
    const { code, cause } = refused;
    console.error(
      JSON.stringify({ event: "call_failed", request_id: c.get("request").requestId, coupon: name, code, cause: String(cause) }),
    );
    return refuse(c, code);
  }
  const isFromEdge = "servedBy" in refused;
  if (isFromEdge && refused.isCounted) c.get("request").isLogged = false;
  const headers = { ...startHeaders(refused), ...(isFromEdge ? { "Served-By": refused.servedBy } : {}) };
  return refuse(c, refused.code, { details: detailsOf(name, refused), headers }, refused.seq);
}

function detailsOf(name: string, { claim, startsAt, amountMin, ttlSecondsMax }: Refused): Record<string, unknown> {
  return {
    ...(claim === undefined ? {} : { claim: receipt(name, claim) }),
    ...(startsAt === undefined ? {} : { starts_at: instant(startsAt) }),
    ...(amountMin === undefined ? {} : { amount_min: amountMin }),
    ...(ttlSecondsMax === undefined ? {} : { ttl_seconds_max: ttlSecondsMax }),
  };
}

function headersOf(code: RefusalCode): Headers {
  if (code === "unauthorized") return { "WWW-Authenticate": 'Bearer realm="doorbuster"' };
  return code === "unavailable" || code === "outcome_unknown" ? { "Retry-After": String(RETRY_AFTER_SECONDS) } : {};
}

function startHeaders({ startsInMs }: Refused): Headers {
  return startsInMs === undefined ? {} : { "Retry-After": String(Math.ceil(startsInMs / 1000)) };
}
