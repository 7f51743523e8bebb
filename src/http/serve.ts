// Compiles a route's declaration into a handler: read, guard, handle, render, log. No route calls its guard
// by hand, so no guard can be forgotten.

import * as z from "zod";

import { WORKER_REFUSALS } from "../domain/claim-counts.ts";
import { locationNear, type LocationHint } from "../domain/location-hint.ts";
import type { ConfigFaults } from "../edge/config.ts";
import { parseEnv, type Env, type RawEnv, type Worker } from "../edge/env.ts";
import { isKnown } from "../edge/monotonic-reads.ts";
import { countRefusal } from "../edge/refusal-counts.ts";
import { countRequest } from "../edge/request-meter.ts";
import { actorOf } from "./auth/actor.ts";
import { credentialsOf, type Credentials } from "./auth/credentials.ts";
import { guardUser, isOperator, requireOperator } from "./auth/guards.ts";
import { addCorsHeaders, preflightMethodOf, requireAllowedOrigin } from "./cors.ts";
import { logFailure } from "../log.ts";
import { logRequest } from "./request-log.ts";
import { HTML_TYPE } from "./media-types.ts";
import { pathAndQueryOf, pathOf, patternOf } from "./path-pattern.ts";
import type { Refusal } from "./refusals.ts";
import { requestContext, type Context, type RequestContext } from "./request-context.ts";
import { isRefusal, requestReader } from "./request.ts";
import { respond, respondToRead } from "./respond.ts";
import type { RefusalPage, Route } from "./route.ts";
import { getHealth } from "./routes/service.ts";

/** Returns the handler of a route. `refusalPage` renders the refusals of a page. Throws if the declaration can't be enforced. */
export function serve(route: Route, refusalPage?: RefusalPage): (c: Context) => Promise<Response> {
  const { id, path, who } = route;
  const read = requestReader(route, patternOf(path));
  const isUserRoute = who === "user" || who === "user_or_operator";
  if (isUserRoute && !(path.includes("{user_id}") || bodyHas(route, "user_id"))) throw new TypeError(`${id} names no user`);

  function refuse(worker: Worker, context: RequestContext, refusal: Refusal): Response {
    const code = WORKER_REFUSALS.find((one) => one === refusal.code);
    const { coupon: name } = context;
    // Counting calls the object, so it must not wake objects of names that a caller made up.
    if (route.isClaim === true && name !== undefined && code !== undefined && isKnown(name)) countRefusal(worker, name, code);
    return respond(context, refusal);
  }

  return withRequestLog(route, async (c, context) => {
    context.who = who;
    const { env, faults } = parseEnv(c.env);
    if (refusalPage !== undefined && route.tag === "pages")
      context.refusalPage = (refusal) =>
        refusalPage(route.isEmbeddable === true ? { ...refusal, frameOrigins: env.ALLOWED_ORIGINS } : refusal);
    const { raw: request } = c.req;
    const credentials = credentialsOf(request, who);
    if (faults !== null && id !== getHealth.id) return respond(context, await misconfigured(credentials, env, faults));
    const refused = requireAllowedOrigin(request, route, env) ?? (who === "operator" ? await requireOperator(credentials, env) : null);
    if (refused !== null) return respond(context, refused);
    const worker: Worker = {
      ...workerOf(c, env),
      location: () => locationOf(request),
      onLane: (lane) => void (context.lane = lane),
    };
    const input = await read(c, context);
    if (isRefusal(input)) return refuse(worker, context, input);
    const caller = isUserRoute ? await guardUser(route, request.headers, credentials, env, context) : null;
    if (caller?.ok === false) return refuse(worker, context, caller);
    const isByOperator = who === "operator" || (who === "user_or_operator" && caller?.kind === "operator");
    const actor = isByOperator && route.method !== "GET" ? await actorOf(request.headers, credentials, env) : null;
    if (isRefusal(actor)) return respond(context, actor);
    const call = {
      actor,
      worker,
      headers: request.headers,
      path: pathAndQueryOf(request.url),
      attemptId: context.attemptId,
      isHead: request.method === "HEAD",
      isOperator: () => isOperator(credentials, env),
      logBreak: (event: string, cause: unknown) => logBreak(context, event, cause),
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `route` has compared the handler's input with the declaration
    const answer = await route.handle(input as never, call);
    const refusal = answer.ok ? answer.hidden : answer;
    if (refusal !== undefined) logRefusal(context, refusal);
    return route.method === "GET" && route.isConditional === true
      ? respondToRead(context, answer, input.precondition)
      : respond(context, answer);
  });
}

/** Only the operator learns which variable is wrong. */
async function misconfigured(credentials: Credentials, env: Env, fields: ConfigFaults): Promise<Refusal<"misconfigured">> {
  if (!(await isOperator(credentials, env))) return { ok: false, code: "misconfigured" };
  const error = Object.entries(fields).map((fault) => fault.join(" "));
  return { ok: false, code: "misconfigured", fields, error: error.join("; ") };
}

function bodyHas({ body }: Route, field: string): boolean {
  return body?.schema instanceof z.ZodObject && field in body.schema.shape;
}

/**
 * Returns the handler of all other requests: 204 to a preflight, 405 with the methods of the path, a static asset, a
 * redirect to the page without a final slash, or 404. Cloudflare serves assets before it calls the Worker.
 */
export function serveUnrouted(routes: readonly Route[], refusalPage?: RefusalPage): (c: Context) => Promise<Response> {
  const table = routes.map(({ method, path, who, tag }) => ({ method, who, tag, pattern: patternOf(path) }));
  return withRequestLog({ method: "*", path: "/*" }, async (c, context) => {
    const onPath = table.filter(({ pattern }) => pattern.fits(c.req.path));
    const asked = preflightMethodOf(c.req.raw);
    const preflighted = onPath.find(({ method }) => method === (asked === "HEAD" ? "GET" : asked));
    if (preflighted !== undefined) {
      context.who = preflighted.who;
      return respond(context, { ok: true, status: 204 });
    }
    const methods = onPath.map(({ method }) => (method === "GET" ? "GET, HEAD" : method));
    if (methods.length === 0) {
      const { raw: request } = c.req;
      const asset = await assetOf(request, c.env.ASSETS);
      if (asset !== null) return asset;
      const [, page, query = ""] = /^([^?]*[^?/])\/(\?.*)?$/.exec(pathAndQueryOf(request.url)) ?? [];
      if (page !== undefined && table.some(({ tag, pattern }) => tag === "pages" && pattern.fits(page)))
        return respond(context, { ok: true, status: 308, headers: { Location: `${page}${query}` } });
      const isNavigation = !isOfApi(request) && request.headers.get("accept")?.includes(HTML_TYPE) === true;
      if (refusalPage !== undefined && isNavigation) context.refusalPage = refusalPage;
      return respond(context, { ok: false, code: "not_found" });
    }
    return respond(context, { ok: false, code: "method_not_allowed", allow: methods.join(", ") });
  });
}

function isOfApi({ url }: Request): boolean {
  return pathOf(url).startsWith("/api/");
}

/** Returns the static asset of a path outside the API, or null. */
async function assetOf(request: Request, assets: RawEnv["ASSETS"]): Promise<Response | null> {
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (assets === undefined || !isRead || isOfApi(request)) return null;
  const found = await assets.fetch(request);
  // A copy, because the headers of a fetched response can't be changed.
  return found.status === 404 ? null : new Response(found.body, found);
}

/**
 * Adds the CORS headers, the request log, the count of the request, and the answer to exceptions. It is no middleware, because Hono's
 * chain costs more than its work.
 */
function withRequestLog(
  { method, path }: { readonly method: string; readonly path: string },
  handle: (c: Context, context: RequestContext) => Promise<Response>,
): (c: Context) => Promise<Response> {
  const counted = `${method} ${path}`;
  return async (c) => {
    const startedAt = Date.now();
    const context = requestContext(c.req.raw.headers);
    let response: Response;
    try {
      response = await handle(c, context);
    } catch (cause) {
      const stack = cause instanceof Error ? cause.stack : undefined;
      logFailure("request_failed", { request_id: context.requestId, cause: stack ?? cause });
      response = respond(context, { ok: false, code: "internal_error" });
    }
    const { env, userKey } = parseEnv(c.env);
    addCorsHeaders(response, c.req.raw, context.who, env);
    const ms = Date.now() - startedAt;
    countRequest(workerOf(c, env), counted, response.status, ms);
    if (context.isLogged && env.REQUEST_LOG === "on") logRequest(c.req.method, path, context, response.status, ms, userKey);
    return response;
  };
}

function logRefusal(context: RequestContext, refusal: Refusal): void {
  context.code = refusal.code;
  if (refusal.isCounted === true) context.isLogged = false;
  if (!("cause" in refusal)) return;
  const { requestId, coupon } = context;
  logFailure("call_failed", { request_id: requestId, coupon, code: refusal.code, cause: refusal.cause });
}

/** Logs why a stream broke off: the failure of the call behind it, if there is one. */
function logBreak({ requestId, coupon }: RequestContext, event: string, broken: unknown): void {
  const cause = broken instanceof Error ? (broken.cause ?? broken) : broken;
  logFailure(event, { request_id: requestId, coupon, cause });
}

/** Returns the location near a request's sender. Null where the platform does not say where it comes from. */
function locationOf({ cf }: Request): LocationHint | null {
  return locationNear({ continent: cf?.continent, country: cf?.country, longitude: cf?.longitude });
}

/**
 * Returns the edge's part of a request. Without an execution context, nothing keeps work running after the
 * answer.
 */
function workerOf(c: Context, env: Env): Worker {
  return {
    env,
    waitUntil: (work) => {
      try {
        c.executionCtx.waitUntil(work);
      } catch {
        // Hono throws if there is no execution context.
      }
    },
  };
}
