// The Hono app, made from the table of all routes.

import { Hono } from "hono";

import { openApiRoute } from "./openapi.ts";
import { PathRouter } from "./path-router.ts";
import type { Pages, Route } from "./route.ts";
import * as claims from "./routes/claims.ts";
import * as coupons from "./routes/coupons.ts";
import * as delivery from "./routes/delivery.ts";
import * as holds from "./routes/holds.ts";
import * as live from "./routes/live.ts";
import * as readModel from "./routes/read-model.ts";
import * as service from "./routes/service.ts";
import * as users from "./routes/users.ts";
import * as webhooks from "./routes/webhooks.ts";
import type { AppEnv } from "./request-context.ts";
import { serve, serveUnrouted } from "./serve.ts";

const DESCRIBED: readonly Route[] = [claims, holds, coupons, readModel, users, live, webhooks, delivery, service].flatMap((module) =>
  Object.values(module),
);
const ROUTES: readonly Route[] = [...DESCRIBED, openApiRoute(DESCRIBED)];

/** Returns the app that serves the HTTP interface and the pages, if any. */
export function createApp(pages?: Pages): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ router: new PathRouter() });
  const routes = [...ROUTES, ...(pages?.routes ?? [])];
  for (const route of routes) app.on(route.method, route.path, serve(route, pages?.refusalPage));
  app.notFound(serveUnrouted(routes, pages?.refusalPage));
  return app;
}
