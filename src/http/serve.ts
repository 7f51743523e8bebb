// Compiles a route's declaration into a handler: read, guard, handle, render, log. No route calls its guard
// by hand, so no guard can be forgotten.

import * as z from "zod";

import type { Worker } from "../edge/env.ts";
import { actorOf } from "./auth/actor.ts";
import { hasAdminToken, isOperator } from "./auth/operator.ts";
import { enforceRateLimit, requireOperator, requireUser } from "./auth/guards.ts";
import { logFailure } from "../log.ts";
import { logRequest } from "./request-log.ts";
import { patternOf } from "./path-pattern.ts";
import type { Refusal } from "./refusals.ts";
import { requestContext, type Context, type RequestContext } from "./request-context.ts";
import { isRefusal, requestReader, subjectOf } from "./request.ts";
import { respond, respondToRead } from "./respond.ts";
import type { Route } from "./route.ts";

/** Returns the handler of a route. Throws if the declaration can't be enforced. */
export function serve(route: Route): (c: Context) => Promise<Response> {
  const { path, who, isRateLimited } = route;
  const read = requestReader(route, patternOf(path));
  const isUserRoute = who === "user" || who === "user_or_operator";
  if (isUserRoute && !(path.includes("{user_id}") || bodyHas(route, "user_id"))) throw new TypeError(`${route.id} names no user`);

  return withRequestLog(path, async (c, context) => {
    const { raw: request } = c.req;
    const refused = who === "operator" ? await requireOperator(request.headers, c.env) : null;
    if (refused !== null) return respond(context, refused);
    const input = await read(c);
    if (isRefusal(input)) return respond(context, input);
    const { coupon = "", userId = "" } = Object.assign(context, subjectOf(input));
    if (isUserRoute) {
      const refusal =
        (await requireUser(request.headers, c.env, userId, who === "user_or_operator")) ??
        (isRateLimited === true ? await enforceRateLimit(c.env, coupon, userId) : null);
      if (refusal !== null) return respond(context, refusal);
    }
    const isByOperator =
      who === "operator" || (who === "user_or_operator" && (await hasAdminToken(request.headers.get("authorization"), c.env)));
    const actor = isByOperator && route.method !== "GET" ? await actorOf(request.headers, c.env) : null;
    if (isRefusal(actor)) return respond(context, actor);
    const call = {
      actor,
      worker: workerOf(c),
      headers: request.headers,
      attemptId: context.attemptId,
      isHead: request.method === "HEAD",
      isOperator: () => isOperator(request.headers.get("authorization"), c.env),
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `route` has compared the handler's input with the declaration
    const answer = await route.handle(input as never, call);
    if (!answer.ok) logRefusal(context, answer);
    return route.method === "GET" && route.isConditional === true
      ? respondToRead(context, answer, input.precondition)
      : respond(context, answer);
  });
}

function bodyHas({ body }: Route, field: string): boolean {
  return body?.schema instanceof z.ZodObject && field in body.schema.shape;
}

/** Returns the handler of all other requests: 405 with the methods of the path, or 404. */
export function serveUnrouted(routes: readonly Route[]): (c: Context) => Promise<Response> {
  const table = routes.map(({ method, path }) => ({ method, pattern: patternOf(path) }));
  return withRequestLog("/*", async (c, context) => {
    const methods = table.filter(({ pattern }) => pattern.fits(c.req.path)).map(({ method }) => (method === "GET" ? "GET, HEAD" : method));
    if (methods.length === 0) return respond(context, { ok: false, code: "not_found" });
    return respond(context, { ok: false, code: "method_not_allowed", allow: methods.join(", ") });
  });
}

/**
 * Adds the request log and the answer to exceptions. It is no middleware, because Hono's chain costs more
 * than its work.
 */
function withRequestLog(
  path: string,
  handle: (c: Context, context: RequestContext) => Promise<Response>,
): (c: Context) => Promise<Response> {
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
    if (context.isLogged && c.env.REQUEST_LOG !== "off")
      await logRequest(c.req.method, path, context, response.status, Date.now() - startedAt);
    return response;
  };
}

function logRefusal(context: RequestContext, refusal: Refusal): void {
  if (refusal.isCounted === true) context.isLogged = false;
  if (!("cause" in refusal)) return;
  const { requestId, coupon } = context;
  logFailure("call_failed", { request_id: requestId, coupon, code: refusal.code, cause: refusal.cause });
}

/**
 * Returns the edge's part of a request. Without an execution context, nothing keeps work running after the
 * answer.
 */
function workerOf(c: Context): Worker {
  return {
    env: c.env,
    waitUntil: (work) => {
      try {
        c.executionCtx.waitUntil(work);
      } catch {
        // Hono throws if there is no execution context.
      }
    },
  };
}
