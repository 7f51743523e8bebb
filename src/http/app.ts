// The Hono app: every request is named, routed, guarded, and answered in JSON, whatever happens.

import { Hono } from "hono";

import { refuse } from "./answers.ts";
import type { AppEnv, Context } from "./context.ts";
import { requestIdIn } from "./headers.ts";
import { guarded, type Route } from "./route.ts";
import { claimRoutes } from "./routes/claims.ts";
import { couponRoutes } from "./routes/coupons.ts";
import { healthRoutes } from "./routes/health.ts";
import { openApiRoutes } from "./routes/openapi.ts";

const ROUTES: readonly Route[] = [...healthRoutes, ...claimRoutes, ...couponRoutes];

/** The whole of the HTTP interface. */
export function createApp(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    const attemptId = crypto.randomUUID();
    c.set("attemptId", attemptId);
    c.set("requestId", requestIdIn(c.req.raw.headers) ?? attemptId);
    await next();
  });
  const routes = [...ROUTES, ...openApiRoutes(ROUTES)];
  for (const route of routes) app.on(route.method.toUpperCase(), routerPath(route), guarded(route));
  app.notFound((c) => refuseUnrouted(c, routes));
  app.onError((cause, c) => {
    console.error({ event: "request_failed", request_id: c.get("requestId"), cause: cause.stack ?? String(cause) });
    return refuse(c, "internal_error");
  });
  return app;
}

/** OpenAPI writes `{name}` where the router writes `:name`. */
function routerPath({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

/** 405 with what the path does take, or 404 where it is nobody's. */
function refuseUnrouted(c: Context, routes: readonly Route[]): Response {
  const onPath = routes.filter(({ path }) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(c.req.path));
  if (onPath.length === 0) return refuse(c, "not_found");
  const allow = onPath.map(({ method }) => (method === "get" ? "GET, HEAD" : method.toUpperCase())).join(", ");
  return refuse(c, "method_not_allowed", {}, undefined, { Allow: allow });
}
