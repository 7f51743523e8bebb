// The OpenAPI document as the server tells it: its operations, and which of them a request is for.

import { CommandFailure } from "../cli/command.ts";

/** A JSON Schema (2020-12), as far as requests are generated from it. */
export type Schema = {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
};

type Header = { readonly required?: boolean; readonly schema: Schema };
type Content = Readonly<Record<string, { readonly schema: Schema }>>;
type Ref = { readonly $ref: string };

export type Response = { readonly headers?: Readonly<Record<string, Header | Ref>>; readonly content?: Content };
export type Parameter = { readonly name: string; readonly in: string; readonly schema: Schema };

type Described = {
  readonly operationId: string;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Response>>;
};

export type Document = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly headers: Readonly<Record<string, Header>> };
};

export type Operation = Described & {
  /** In capitals. */
  readonly method: string;
  /** Such as `/api/coupons/{name}`. */
  readonly path: string;
  readonly segments: readonly string[];
};

/** Takes what the server sent as its document. Throws {@link CommandFailure} where it is none. */
export function documentIn(text: string, url: string): Document {
  const fault = new CommandFailure(`${url}/openapi.json is no OpenAPI 3.1 document`);
  try {
    const document = JSON.parse(text) as Document;
    if (!document.openapi.startsWith("3.1.") || Object.keys(document.paths).length === 0) throw fault;
    return document;
  } catch {
    throw fault;
  }
}

/** Every operation of the document. */
export function operationsOf({ paths }: Document): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => operationOf(path, method, described)),
  );
}

function operationOf(path: string, method: string, described: Described): Operation {
  return { ...described, method: method.toUpperCase(), path, segments: path.split("/") };
}

/** What `value` is, or what it refers to. */
export function resolved<Value>(document: Document, value: Value | Ref): Value {
  if (typeof value !== "object" || value === null || !("$ref" in value) || typeof value.$ref !== "string") return value as Value;
  let found: unknown = document;
  for (const step of value.$ref.replace(/^#\//, "").split("/")) found = (found as Record<string, unknown> | undefined)?.[step];
  if (found === undefined) throw new Error(`the document has nothing at ${value.$ref}`);
  return resolved(document, found as Value | Ref);
}

/** What a request is for. `named` are the parameters in the path, decoded; null where one can't be. */
export type Aim =
  | { readonly at: "operation"; readonly operation: Operation; readonly named: Readonly<Record<string, string | null>> }
  | { readonly at: "other_method"; readonly allowed: readonly string[] }
  | { readonly at: "nowhere" };

/**
 * What a request to `target` may be for. Two readings of a target are right: as it is, and with dots and backslashes taken as
 * URLs take them, which what stands in front of a server may do.
 */
export function aimsOf(operations: readonly Operation[], method: string, target: string): Aim[] {
  const path = utf8Of(target).replace(/[?#].*$/s, "");
  const normalized = new URL(`http://127.0.0.1${path}`).pathname;
  return Array.from(new Set([path, normalized]), (reading) => aimOf(operations, method, reading.split("/")));
}

/** Bytes that stand one in each character, read as UTF-8. */
export function utf8Of(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}

function aimOf(operations: readonly Operation[], method: string, segments: readonly string[]): Aim {
  const onPath = operations.filter((operation) => isOn(operation.segments, segments));
  if (onPath.length === 0) return { at: "nowhere" };
  const served = onPath.filter((operation) => operation.method === (method === "HEAD" ? "GET" : method));
  const [operation] = served.toSorted((a, b) => parameterCount(a) - parameterCount(b));
  if (operation === undefined) return { at: "other_method", allowed: onPath.map((each) => each.method) };
  const named = operation.segments.flatMap((segment, index) =>
    isParameter(segment) ? [[segment.slice(1, -1), decoded(segments[index] ?? "")] as const] : [],
  );
  return { at: "operation", operation, named: Object.fromEntries(named) };
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

function parameterCount({ segments }: Operation): number {
  return segments.filter(isParameter).length;
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
