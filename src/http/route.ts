// What a route says of itself: enough to serve it, to refuse other methods on its path, and to document it.

import type { RefusalCode } from "../domain/refusals.ts";
import { isOperator } from "../edge/operator.ts";
import { refuse } from "./answers.ts";
import type { Context } from "./context.ts";
import type { HeaderName } from "./openapi.ts";
import type { SchemaName } from "./schemas.ts";

/** One way in which a route answers when all is well. */
export type Success = {
  readonly status: 200 | 201 | 204 | 304;
  readonly description: string;
  readonly schema?: SchemaName;
  /** Where it is not, or not only, JSON. */
  readonly mediaTypes?: readonly string[];
  readonly headers?: readonly HeaderName[];
};

export type Route = {
  readonly method: "get" | "post" | "patch" | "delete";
  /** As OpenAPI writes it: `/api/coupons/{name}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** Who may call it: a `user` has to be the one who is named, where identity is configured. */
  readonly who: "everybody" | "user" | "operator";
  readonly headers?: readonly string[];
  /** Query parameters, all optional, with their JSON Schema. */
  readonly query?: Readonly<Record<string, Record<string, unknown>>>;
  readonly body?: SchemaName;
  readonly answers: readonly Success[];
  /** Every refusal that it can answer, but for those that follow from the rest. */
  readonly refusals: readonly RefusalCode[];
  readonly handle: (c: Context) => Response | Promise<Response>;
};

/** Serves `route` to those who may call it. */
export function guarded({ who, handle }: Route): Route["handle"] {
  if (who !== "operator") return handle;
  return async (c) => ((await isCalledByOperator(c)) ? handle(c) : refuse(c, "unauthorized"));
}

/** Whether the operator is calling. */
export function isCalledByOperator(c: Context): Promise<boolean> {
  return isOperator(c.req.raw.headers.get("authorization"), c.env);
}
