// A route's path: whether a request's path fits it, and where its parameters stand.

export type PathPattern = {
  readonly fits: (path: string) => boolean;
  /** `index` counts segments, the empty one before the first slash included. */
  readonly params: readonly { readonly name: string; readonly index: number }[];
};

/** The pattern of a path as OpenAPI writes it: `/api/coupons/{name}`. */
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
 * The path as it was sent. `URL` would remove dots and turn backslashes into slashes, so that another coupon would be named than
 * the one that was asked for.
 */
export function pathOf(url: string): string {
  return /^[^:]*:\/\/[^/]*([^?#]*)/.exec(url)?.[1] ?? "";
}
