// The router: it finds the handler of a request.

import type { Result, Router } from "hono/router";

import { patternOf, type PathPattern } from "./path-pattern.ts";

/**
 * A router for Hono over the patterns of the route table. Routing, 405 and path parameters use the same
 * patterns. A map finds paths without parameters, such as the path of all claims. Each route has one handler
 * and no middleware.
 */
export class PathRouter<Handler> implements Router<Handler> {
  readonly name = "PathRouter";
  readonly #plain = new Map<string, Result<Handler>>();
  readonly #others: { readonly method: string; readonly pattern: PathPattern; readonly result: Result<Handler> }[] = [];

  add(method: string, path: string, handler: Handler): void {
    const result: Result<Handler> = [[[handler, {}]]];
    if (path.includes("{")) this.#others.push({ method, pattern: patternOf(path), result });
    else this.#plain.set(`${method} ${path}`, result);
  }

  match(method: string, path: string): Result<Handler> {
    const plain = this.#plain.get(`${method} ${path}`);
    return plain ?? this.#others.find((other) => other.method === method && other.pattern.fits(path))?.result ?? [[]];
  }
}
