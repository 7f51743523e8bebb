// Pages of other origins: which routes they may call, and which of their requests are refused.

import type { Config } from "../edge/config.ts";
import { PREFLIGHT_SECONDS } from "../domain/limits.ts";
import { HEADERS } from "./openapi-headers.ts";
import type { Refusal } from "./refusals.ts";
import type { Route, Who } from "./route.ts";

type Origins = Pick<Config, "ALLOWED_ORIGINS" | "OPERATOR_ORIGINS">;

const REQUEST_HEADERS =
  "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-Id, X-Actor, Turnstile-Token";
const EXPOSED_HEADERS = Object.keys(HEADERS).join(", ");

/** Whether pages of `origin` may call a route, and read its answers. */
function isAllowedOrigin(origin: string | null, who: Who, { ALLOWED_ORIGINS, OPERATOR_ORIGINS }: Origins): boolean {
  return origin !== null && (OPERATOR_ORIGINS.has(origin) || (who !== "operator" && ALLOWED_ORIGINS.has(origin)));
}

/** A request as its browser describes it. Callers other than browsers send neither `Origin` nor `Sec-Fetch-Site`. */
export type PageRequest = {
  readonly origin: string | null;
  readonly site: string | null;
  /** The origin of the request's URL. Behind a proxy it can differ from the one that the browser knows. */
  readonly ownOrigin: string | null;
};

/**
 * Whether a page of the own origin sends a request, or no page does. A page can't set `Sec-Fetch-Site`. Browsers leave
 * it out on plain HTTP.
 */
export function isOwnPage({ origin, site, ownOrigin }: PageRequest): boolean {
  if (site === "same-origin") return true;
  return (site === null || site === "none") && (origin === null || origin === ownOrigin);
}

/** Returns what a request says about its page. */
export function pageOf({ headers, url }: Request): PageRequest {
  const [origin, site] = [headers.get("origin"), headers.get("sec-fetch-site")];
  // Reading the URL costs more than all else here.
  return { origin, site, ownOrigin: origin === null ? null : (URL.parse(url)?.origin ?? null) };
}

/**
 * Refuses a change by a page of an origin that may not call the route. A browser sends simple requests without a
 * preflight, so CORS alone does not prevent them. What everybody may change is the session of the own pages.
 */
export function requireAllowedOrigin(
  request: Request,
  { method, who }: Pick<Route, "method" | "who">,
  origins: Origins,
): Refusal<"origin_not_allowed"> | null {
  if (method === "GET") return null;
  const page = pageOf(request);
  const isListed = who !== "everybody" && isAllowedOrigin(page.origin, who, origins);
  return isListed || isOwnPage(page) ? null : { ok: false, code: "origin_not_allowed" };
}

/** Returns the method that a preflight asks for, or null if the request is no preflight. */
export function preflightMethodOf({ method, headers }: Request): string | null {
  return method === "OPTIONS" ? headers.get("access-control-request-method") : null;
}

/**
 * Adds the headers that let an allowed page read `response`, and send the request that it asked for. Once
 * origins are configured, every answer varies by origin.
 */
export function addCorsHeaders(response: Response, request: Request, who: Who, origins: Origins): void {
  if (origins.ALLOWED_ORIGINS.size + origins.OPERATOR_ORIGINS.size === 0) return;
  const { headers, ok } = response;
  headers.append("Vary", "Origin");
  const origin = request.headers.get("origin");
  if (origin === null || !isAllowedOrigin(origin, who, origins)) return;
  headers.set("Access-Control-Allow-Origin", origin);
  headers.set("Access-Control-Expose-Headers", EXPOSED_HEADERS);
  const method = preflightMethodOf(request);
  if (method === null || !ok) return;
  headers.set("Access-Control-Allow-Methods", method);
  headers.set("Access-Control-Allow-Headers", REQUEST_HEADERS);
  headers.set("Access-Control-Max-Age", String(PREFLIGHT_SECONDS));
}
