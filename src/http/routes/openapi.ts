// The OpenAPI document of the routes.

import { answer } from "../answers.ts";
import { openApiDocument } from "../openapi.ts";
import type { Route } from "../route.ts";

/** The route that serves the document of `described` and of itself. The document is made once, when first asked for. */
export function openApiRoutes(described: readonly Route[]): readonly Route[] {
  let document: unknown;
  const self: Route = {
    method: "get",
    path: "/openapi.json",
    summary: "This document",
    who: "everybody",
    answers: [{ status: 200, description: "OpenAPI 3.1." }],
    refusals: [],
    handle: (c) => answer(c, 200, (document ??= openApiDocument([...described, self]))),
  };
  return [self];
}
