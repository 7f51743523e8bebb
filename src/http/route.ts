// What a route says of itself: enough to serve it, to refuse other methods on its path, and to document it.

import type { RefusalCode } from "../domain/refusals.ts";
import { isOperator } from "../edge/operator.ts";
import { refuse } from "./answers.ts";
import type { Context } from "./context.ts";
import type { HeaderName } from "./openapi.ts";
import type { SchemaName } from "./schemas.ts";

export type Route = {
  readonly method: "get" | "post" | "patch" | "delete";
  /** As OpenAPI writes it: `/api/coupons/{name}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** Who may call it. */
  readonly who: "everybody" | "operator";
  readonly headers?: readonly string[];
  readonly body?: SchemaName;
  /** What it answers when all is well; without a schema it is some other JSON object. */
  readonly answers: {
    readonly status: 200 | 201;
    readonly description: string;
    readonly schema?: SchemaName;
    readonly headers?: readonly HeaderName[];
  };
  /** Every refusal that it can answer, but for those that every route can. */
  readonly refusals: readonly RefusalCode[];
  readonly handle: (c: Context) => Response | Promise<Response>;
};

/** Serves `route` to those who may call it. */
export function guarded(route: Route): (c: Context) => Promise<Response> {
  return async (c) => {
    if (route.who === "operator" && !(await isCalledByOperator(c))) return refuse(c, "unauthorized");
    return route.handle(c);
  };
}

/** Whether the operator is calling. */
export function isCalledByOperator(c: Context): Promise<boolean> {
  return isOperator(c.req.raw.headers.get("authorization"), c.env);
}
