// The declaration of a route. serve.ts compiles it into a handler, and openapi.ts into the OpenAPI document.

import type * as z from "zod";

import type { Precondition } from "../domain/etag.ts";
import type { RefusalCode } from "../domain/refusals.ts";
import type { Worker } from "../edge/env.ts";
import type { JSON_TYPE } from "./media-types.ts";
import type { HeaderName } from "./openapi-headers.ts";
import type { Refusal } from "./refusals.ts";

/**
 * With `user`, the caller acts for the user that the request names. With `user_or_operator`, the operator may
 * too.
 */
export type Who = "everybody" | "user" | "user_or_operator" | "operator";

/** One success of a route: a schema for each media type. Without `content` it has no body. */
export type Success = {
  readonly description: string;
  readonly content?: Readonly<Record<string, z.ZodType>>;
  readonly headers?: readonly HeaderName[];
};
type Successes = Readonly<Record<number, Success>>;
type QuerySchemas = Readonly<Record<string, z.ZodType>>;

type ParamName<Path> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | ParamName<Rest> : never;

/** The input of a handler: values that are parsed and checked. */
export type Input<Path extends string, Body extends z.ZodType, Query extends QuerySchemas> = {
  readonly params: Readonly<Record<ParamName<Path>, string>>;
  readonly query: { readonly [Name in keyof Query]: z.output<Query[Name]> };
  readonly body: z.output<Body>;
  /** The `Idempotency-Key`. Null without one, and on routes that declare none. */
  readonly key: string | null;
  readonly precondition: Precondition | null;
  /** The media type that the caller prefers, of those that the success declares. */
  readonly mediaType: string;
};

/** What a handler can use besides its input. */
export type Call = {
  readonly worker: Worker;
  readonly headers: Headers;
  /** The path and the query, as they were sent. */
  readonly path: string;
  /** A unique id of this request, whatever the caller sends. */
  readonly attemptId: string;
  readonly isHead: boolean;
  readonly isOperator: () => Promise<boolean>;
  /** Logs that the stream of the answer broke off. */
  readonly logBreak: (event: "export_failed" | "backup_failed", cause: unknown) => void;
  /** The operator's name for the ledger. Null if a user calls, and on reads. */
  readonly actor: string | null;
};

/** Headers that the OpenAPI document does not describe. All but the first are of pages. */
type UnlistedHeaderName =
  | "X-Accel-Buffering"
  | "Content-Security-Policy"
  | "Permissions-Policy"
  | "Referrer-Policy"
  | "Set-Cookie"
  | "X-Content-Type-Options";

type Sent = {
  readonly ok: true;
  /** The coupon's ledger head, if its object answered. */
  readonly seq?: number;
  readonly etag?: string;
  readonly cacheControl?: string;
  readonly headers?: Readonly<Partial<Record<HeaderName | UnlistedHeaderName, string>>>;
  /** A refusal that the answer does not show, because its client could not handle one. It is logged. */
  readonly hidden?: Refusal;
};
type Text<Type> = { readonly contentType: `${Type & string}${string}`; readonly text: string | ReadableStream<Uint8Array> | null };
/** The body: a JSON value that fits its schema, or text. */
type BodyOf<Type, Schema> = Type extends typeof JSON_TYPE
  ? { readonly json: Schema extends z.ZodType ? z.input<Schema> : never } | Text<Type>
  : Text<Type>;
type ContentOf<S extends Success> = S extends { readonly content: infer Content }
  ? { [Type in keyof Content]: BodyOf<Type, Content[Type]> }[keyof Content]
  : unknown;

/** A success that a route declares. */
export type SuccessOf<S extends Successes> = {
  [Status in keyof S & number]: Sent & { readonly status: Status } & ContentOf<S[Status]>;
}[keyof S & number];

/** Any success, in the form that is rendered. */
export type AnySuccess = Sent & {
  readonly status: number;
  readonly json?: unknown;
  readonly contentType?: string;
  readonly text?: string | ReadableStream<Uint8Array> | null;
};

/** Refusals that the rest of a declaration implies. openapi.ts lists them. */
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
  /** Pages are not in the OpenAPI document, and their refusals are pages too. */
  readonly tag: "claims" | "holds" | "coupons" | "backups" | "live" | "webhooks" | "delivery" | "service" | "pages";
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** In OpenAPI's form: `/api/coupons/{name}`. */
  readonly path: Path;
  readonly summary: string;
  readonly description?: string;
  readonly who: W;
  /** Limits the requests of one client address, and of one user for one coupon. */
  readonly isRateLimited?: true;
  /** Where Turnstile is configured, a user's request needs a solved challenge. */
  readonly needsChallenge?: true;
  readonly takesIdempotencyKey?: true;
  /** The coupon's metrics count the Worker's own refusals of this route as outcomes of claims. */
  readonly isClaim?: true;
  /**
   * Respects `If-Match` and `If-None-Match`. The handler of a change does it. For a read, the renderer does.
   */
  readonly isConditional?: true;
  /** Other request headers that the handler reads, for the OpenAPI document. */
  readonly requestHeaders?: readonly string[];
  /** Pages of `ALLOWED_ORIGINS` may show this page in a frame, and its refusals too. */
  readonly isEmbeddable?: true;
  /** Query parameters. A route of the operator and a route other than a GET refuse unknown ones. */
  readonly query?: Query;
  /** JSON, or with `isForm` the fields of an HTML form, which are texts, or with `isText` lines of JSON as one text. */
  readonly body?: { readonly schema: Body; readonly bytesMax: number; readonly isForm?: true; readonly isText?: true };
  readonly successes: S;
  /** The refusals that the rest of the declaration does not imply. */
  readonly refusals: readonly Code[];
  readonly handle: (
    input: Input<Path, Body, Query>,
    call: Call,
  ) => SuccessOf<S> | Refusal<NoInfer<Code> | ImpliedCode> | Promise<SuccessOf<S> | Refusal<NoInfer<Code> | ImpliedCode>>;
};

/** A user route whose request names no user can't be guarded, so it does not compile. */
type NamesItsUser<Path extends string, W extends Who, Body extends z.ZodType> = W extends "user" | "user_or_operator"
  ? "user_id" extends ParamName<Path> | keyof z.output<Body>
    ? unknown
    : { readonly who: "a user route names its user: user_id in the path or in the body" }
  : unknown;

/** Renders the refusal of a page route, or of an unknown path that a browser navigates to. */
export type RefusalPage = (refusal: {
  readonly status: number;
  readonly code: RefusalCode;
  readonly error: string;
  /** The origins that may show it in a frame; none when left out. */
  readonly frameOrigins?: ReadonlySet<string>;
}) => {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** The pages of the product: their routes, and the page of a refusal. */
export type Pages = { readonly routes: readonly Route[]; readonly refusalPage: RefusalPage };

/** Any route. Its handler accepts only the input of its own declaration. */
export type Route = Omit<Declaration<string, Who, z.ZodType, QuerySchemas, Successes, RefusalCode>, "handle"> & {
  readonly handle: (input: never, call: Call) => AnySuccess | Refusal | Promise<AnySuccess | Refusal>;
};

/** Declares a route. The compiler checks the handler against the declaration. */
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

/** Returns a success. The status keeps its literal type. */
export function ok<const Status extends number, const Rest extends object>(
  status: Status,
  rest: Rest,
): { readonly ok: true; readonly status: Status } & Rest {
  return { ok: true, status, ...rest };
}
