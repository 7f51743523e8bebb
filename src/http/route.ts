// What a route declares. The declaration is compiled into what runs (serve.ts), and into the OpenAPI document (openapi.ts).

import type * as z from "zod";

import type { Precondition } from "../domain/etag.ts";
import type { RefusalCode } from "../domain/refusals.ts";
import type { Worker } from "../edge/env.ts";
import type { JSON_TYPE } from "./media-types.ts";
import type { HeaderName } from "./openapi-headers.ts";
import type { Refusal } from "./refusals.ts";

/** `user`: the caller acts for the user that the request names. The operator may do so too with `user_or_operator`. */
export type Who = "everybody" | "user" | "user_or_operator" | "operator";

/** One success of a route: a schema for each media type; without any it has no body. */
export type Success = {
  readonly description: string;
  readonly content?: Readonly<Record<string, z.ZodType>>;
  readonly headers?: readonly HeaderName[];
};
type Successes = Readonly<Record<number, Success>>;
type QuerySchemas = Readonly<Record<string, z.ZodType>>;

type ParamName<Path> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | ParamName<Rest> : never;

/** What a handler is given: values that were parsed and allowed. */
export type Input<Path extends string, Body extends z.ZodType, Query extends QuerySchemas> = {
  readonly params: Readonly<Record<ParamName<Path>, string>>;
  readonly query: { readonly [Name in keyof Query]: z.output<Query[Name]> };
  readonly body: z.output<Body>;
  /** The `Idempotency-Key`; null without one, and on routes that take none. */
  readonly key: string | null;
  readonly precondition: Precondition | null;
  /** The media type of the success's that the caller prefers. */
  readonly mediaType: string;
};

/** What a handler may use besides. */
export type Call = {
  readonly worker: Worker;
  readonly headers: Headers;
  /** Names this request and no other, whatever the caller sends. */
  readonly attemptId: string;
  readonly isHead: boolean;
  readonly isOperator: () => Promise<boolean>;
};

type Sent = {
  readonly ok: true;
  /** The coupon's ledger head where its object was asked. */
  readonly seq?: number;
  readonly etag?: string;
  readonly cacheControl?: string;
  readonly headers?: Readonly<Partial<Record<HeaderName | "X-Accel-Buffering", string>>>;
};
type Text<Type> = { readonly contentType: `${Type & string}${string}`; readonly text: string | ReadableStream<Uint8Array> | null };
/** JSON is a value that fits its schema, or a stream of its text. */
type BodyOf<Type, Schema> = Type extends typeof JSON_TYPE
  ? { readonly json: Schema extends z.ZodType ? z.input<Schema> : never } | Text<Type>
  : Text<Type>;
type ContentOf<S extends Success> = S extends { readonly content: infer Content }
  ? { [Type in keyof Content]: BodyOf<Type, Content[Type]> }[keyof Content]
  : unknown;

/** A success that the route declares. */
export type SuccessOf<S extends Successes> = {
  [Status in keyof S & number]: Sent & { readonly status: Status } & ContentOf<S[Status]>;
}[keyof S & number];

/** Any success, as it is rendered. */
export type AnySuccess = Sent & {
  readonly status: number;
  readonly json?: unknown;
  readonly contentType?: string;
  readonly text?: string | ReadableStream<Uint8Array> | null;
};

/** Refusals that follow from the rest of a declaration; openapi.ts lists them. */
export type ImpliedCode = "coupon_not_found" | "invalid_request" | "unavailable" | "outcome_unknown";

type Declaration<
  Path extends string,
  W extends Who,
  Body extends z.ZodType,
  Query extends QuerySchemas,
  S extends Successes,
  Code extends RefusalCode,
> = {
  /** The operation's name in the OpenAPI document. */
  readonly id: string;
  readonly tag: "claims" | "holds" | "coupons" | "live" | "service";
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** As OpenAPI writes it: `/api/coupons/{name}`. */
  readonly path: Path;
  readonly summary: string;
  readonly description?: string;
  readonly who: W;
  /** At most so many requests of one user for one coupon. */
  readonly isRateLimited?: true;
  readonly takesIdempotencyKey?: true;
  /** `If-Match` and `If-None-Match` are respected: by the handler where it changes something, otherwise by the renderer. */
  readonly isConditional?: true;
  /** Query parameters, all optional. A route that changes something refuses every other one. */
  readonly query?: Query;
  readonly body?: { readonly schema: Body; readonly bytesMax: number };
  readonly successes: S;
  /** Besides those that follow from the rest. */
  readonly refusals: readonly Code[];
  readonly handle: (
    input: Input<Path, Body, Query>,
    call: Call,
  ) => SuccessOf<S> | Refusal<NoInfer<Code> | ImpliedCode> | Promise<SuccessOf<S> | Refusal<NoInfer<Code> | ImpliedCode>>;
};

/** A route of a user whose request names no user can't be guarded: it does not compile. */
type NamesItsUser<Path extends string, W extends Who, Body extends z.ZodType> = W extends "user" | "user_or_operator"
  ? "user_id" extends ParamName<Path> | keyof z.output<Body>
    ? unknown
    : { readonly who: "a user route names its user: user_id in the path or in the body" }
  : unknown;

/** Any route: its handler takes what its own declaration parses, and nothing else. */
export type Route = Omit<Declaration<string, Who, z.ZodType, QuerySchemas, Successes, RefusalCode>, "handle"> & {
  readonly handle: (input: never, call: Call) => AnySuccess | Refusal | Promise<AnySuccess | Refusal>;
};

/** Declares a route. */
export function route<
  const Path extends string,
  const W extends Who,
  const S extends Successes,
  const Code extends RefusalCode = never,
  Body extends z.ZodType = z.ZodUndefined,
  Query extends QuerySchemas = Readonly<Record<string, never>>,
>(declaration: Declaration<Path, W, Body, Query, S, Code> & NamesItsUser<Path, W, Body>): Route {
  return declaration;
}

/** A success with its literal status. */
export function ok<const Status extends number, const Rest extends object>(
  status: Status,
  rest: Rest,
): { readonly ok: true; readonly status: Status } & Rest {
  return { ok: true, status, ...rest };
}
