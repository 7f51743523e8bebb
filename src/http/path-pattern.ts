// The pattern of a route's path: which paths fit it, and which segments are its parameters.

export type PathPattern = {
  readonly fits: (path: string) => boolean;
  /** `index` counts all segments, including the empty one before the first slash. */
  readonly params: readonly { readonly name: string; readonly index: number }[];
};

/** Returns the pattern of a path in OpenAPI's form, such as `/api/coupons/{name}`. */
export function patternOf(path: string): PathPattern {
  const segments = path.split("/").map((segment) => /^\{(\w+)\}$/.exec(segment)?.[1] ?? { literal: segment });
  return {
    fits: (other) => {
      const parts = other.split("/");
      return parts.length === segments.length && segments.every((one, index) => fitsSegment(one, parts[index] ?? ""));
    },
    params: segments.flatMap((name, index) => (typeof name === "string" ? { name, index } : [])),
  };
}

function fitsSegment(one: string | { readonly literal: string }, part: string): boolean {
  return typeof one === "string" ? part !== "" : part === one.literal;
}

/**
 * Returns the path as it was sent. `URL` would remove dots and turn backslashes into slashes, which could
 * name another coupon.
 */
export function pathOf(url: string): string {
  return /^[^:]*:\/\/[^/]*([^?#]*)/.exec(url)?.[1] ?? "";
}

/** As {@link pathOf}, with the query. */
export function pathAndQueryOf(url: string): string {
  return url.slice(url.indexOf("/", url.indexOf("://") + 3));
}
