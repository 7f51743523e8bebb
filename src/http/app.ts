// The Hono app: every request is named, routed, guarded, answered in JSON and logged, whatever happens.

import { Hono } from "hono";

import { refuse } from "./answers.ts";
import { nextAttemptId } from "./attempt-id.ts";
import type { AppEnv, Context } from "./context.ts";
import { requestIdIn } from "./headers.ts";
import { logRequest } from "./request-log.ts";
import { guarded, type Route } from "./route.ts";
import { PlainPathsFirst } from "./router.ts";
import { bulkClaimRoutes } from "./routes/bulk-claims.ts";
import { claimListRoutes } from "./routes/claim-list.ts";
import { claimRoutes } from "./routes/claims.ts";
import { couponRoutes } from "./routes/coupons.ts";
import { eventRoutes } from "./routes/events.ts";
import { healthRoutes } from "./routes/health.ts";
import { holdRoutes } from "./routes/holds.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { openApiRoutes } from "./routes/openapi.ts";
import { statusRoutes } from "./routes/status.ts";

const DESCRIBED: readonly Route[] = [
  ...healthRoutes,
  ...claimRoutes,
  ...couponRoutes,
  ...holdRoutes,
  ...claimListRoutes,
  ...bulkClaimRoutes,
  ...statusRoutes,
  ...eventRoutes,
  ...metricsRoutes,
];
const ROUTES: readonly Route[] = [...DESCRIBED, ...openApiRoutes(DESCRIBED)];

/** Each route's path as a pattern, to tell which methods a path takes. */
const PATTERNS = ROUTES.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`),
}));

/** The whole of the HTTP interface. */
export function createApp(): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ router: new PlainPathsFirst() });
  for (const route of ROUTES) app.on(route.method.toUpperCase(), routerPath(route), accounted(routerPath(route), guarded(route)));
  app.notFound(accounted("/*", refuseUnrouted));
  return app;
}

/**
 * Names each request before `handle` answers it, and logs it afterwards. Around the handler, and no middleware of its own,
 * because Hono's chain costs more than all that it would do here.
 */
function accounted(route: string, handle: Route["handle"]): (c: Context) => Promise<Response> {
  return async (c) => {
    const startedAt = Date.now();
    const attemptId = nextAttemptId();
    const requestId = requestIdIn(c.req.raw.headers) ?? attemptId;
    c.set("request", { requestId, attemptId, isLogged: c.env.REQUEST_LOG !== "off" });
    let response: Response;
    try {
      response = await handle(c);
    } catch (cause) {
      const told = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      console.error(JSON.stringify({ event: "request_failed", request_id: requestId, cause: told }));
      response = refuse(c, "internal_error");
    }
    const { isLogged } = c.get("request");
    if (isLogged) await logRequest(c, route, response.status, Date.now() - startedAt);
    return response;
  };
}

/** OpenAPI writes `{name}` where the router writes `:name`. */
function routerPath({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

/** 405 with what the path does take, or 404 where it is nobody's. */
function refuseUnrouted(c: Context): Response {
  const onPath = PATTERNS.filter(({ pattern }) => pattern.test(c.req.path));
  if (onPath.length === 0) return refuse(c, "not_found");
  const Allow = onPath.map(({ route }) => (route.method === "get" ? "GET, HEAD" : route.method.toUpperCase())).join(", ");
  return refuse(c, "method_not_allowed", { headers: { Allow } });
}
