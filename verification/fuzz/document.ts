// The server's OpenAPI document: its operations, and which of them a request is for.

import { CommandFailure } from "../../scripts/cli/command.ts";

/** A JSON Schema (2020-12), as far as requests are generated from it. */
export type Schema = {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
} & { readonly [Bound in "minItems" | "maxItems" | "minLength" | "maxLength" | "minimum" | "maximum"]?: number };

type Named<Value> = Readonly<Record<string, Value>>;
type Header = { readonly required?: boolean; readonly schema: Schema };
type Content = Named<{ readonly schema: Schema }>;
type Ref = { readonly $ref: string };

export type Response = { readonly headers?: Named<Header | Ref>; readonly content?: Content };

type Described = {
  readonly operationId: string;
  readonly security: readonly Named<unknown>[];
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Named<Response>;
};

export type Document = {
  readonly openapi: string;
  readonly paths: Named<Named<Described>>;
  readonly components: { readonly schemas: Named<Schema>; readonly headers: Named<Header> };
};

/** `method` is in capitals, and `path` is such as `/api/coupons/{name}`. */
export type Operation = Described & { readonly method: string; readonly path: string; readonly segments: readonly string[] };

/** Parses the server's document. Throws {@link CommandFailure} on anything else. */
export function documentIn(text: string, url: string): Document {
  const fault = new CommandFailure(`${url}/openapi.json is not an OpenAPI 3.1 document`);
  try {
    const document = JSON.parse(text) as Document;
    if (!document.openapi.startsWith("3.1.") || Object.keys(document.paths).length === 0) throw fault;
    return document;
  } catch {
    throw fault;
  }
}

export function operationsOf({ paths }: Document): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => operationOf(path, method, described)),
  );
}

function operationOf(path: string, method: string, described: Described): Operation {
  return { ...described, method: method.toUpperCase(), path, segments: path.split("/") };
}

/** The value itself, or the part of the document that it refers to. */
export function resolved<Value>(document: Document, value: Value | Ref): Value {
  if (typeof value !== "object" || value === null || !("$ref" in value) || typeof value.$ref !== "string") return value as Value;
  let found: unknown = document;
  for (const step of value.$ref.replace(/^#\//, "").split("/")) found = (found as Record<string, unknown> | undefined)?.[step];
  if (found === undefined) throw new Error(`the document has nothing at ${value.$ref}`);
  return resolved(document, found as Value | Ref);
}

/** What a request is for. `parameters` are those in the path, decoded; null where decoding fails. */
export type RequestTarget =
  | { readonly is: "operation"; readonly operation: Operation; readonly parameters: Readonly<Record<string, string | null>> }
  | { readonly is: "page" }
  | { readonly is: "no such method" }
  | { readonly is: "no such path" };

/** Its name in reports. */
export function nameOf(at: RequestTarget): string {
  return at.is === "operation" ? at.operation.operationId : at.is;
}

/**
 * What a request may be for. A target has two valid readings: as it is, and normalized as a URL. A proxy in
 * front of the server may normalize dots and backslashes.
 */
export function targetsOf(operations: readonly Operation[], method: string, target: string): RequestTarget[] {
  const path = utf8Of(target).replace(/[?#].*$/s, "");
  const normalized = new URL(`http://127.0.0.1${path}`).pathname;
  return Array.from(new Set([path, normalized]), (reading) => targetOf(operations, method, reading.split("/")));
}

/** Decodes UTF-8 from a text with one character for each byte. */
function utf8Of(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}

/** The paths of pages, which the document does not describe. */
const PAGE_PATH = /^\/(?:docs|s\/[^/]+(?:\/outcome)?|operator(?:\/(?:new|login|logout|webhooks|sales\/[^/]+))?)?$/;

function targetOf(operations: readonly Operation[], method: string, segments: readonly string[]): RequestTarget {
  if (PAGE_PATH.test(segments.join("/"))) return { is: "page" };
  const onPath = operations.filter((operation) => isOn(operation.segments, segments));
  if (onPath.length === 0) return { is: "no such path" };
  const served = onPath.filter((operation) => operation.method === (method === "HEAD" ? "GET" : method));
  const [operation] = served.toSorted((a, b) => a.segments.filter(isParameter).length - b.segments.filter(isParameter).length);
  if (operation === undefined) return { is: "no such method" };
  const parameters = operation.segments.flatMap((segment, index) =>
    isParameter(segment) ? [[segment.slice(1, -1), decoded(segments[index] ?? "")] as const] : [],
  );
  return { is: "operation", operation, parameters: Object.fromEntries(parameters) };
}

function isOn(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, index) => {
    const segment = segments[index] ?? "";
    return isParameter(part) ? segment !== "" : decoded(segment) === part;
  });
}

export function isParameter(segment: string): boolean {
  return segment.startsWith("{");
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
