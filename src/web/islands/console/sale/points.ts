// The points of the burn-down chart, and the rate of claims.

/** How many units were claimed at an instant of the server's clock. */
export type Point = { readonly at: number; readonly claimed: number };

/** The answer of `GET /api/coupons/{name}/timeline`. */
export type Timeline = {
  readonly bucket_seconds: number;
  readonly buckets: readonly { readonly at: string; readonly granted: number; readonly revoked: number }[];
  readonly as_of: string | null;
};

/** Returns the claims at the beginning of a timeline and at the end of each bucket. */
export function timelinePoints({ bucket_seconds: seconds, buckets, as_of: asOf }: Timeline): Point[] {
  const [first] = buckets;
  if (first === undefined) return [];
  const latest = asOf === null ? Infinity : Date.parse(asOf);
  let claimed = 0;
  const ends = buckets.map(({ at, granted, revoked }) => {
    claimed += granted - revoked;
    return { at: Math.min(Date.parse(at) + seconds * 1_000, latest), claimed };
  });
  return [{ at: Date.parse(first.at), claimed: 0 }, ...ends];
}

/** Most live points: more than a chart has pixels. Prevents a page that is open for days from growing. */
export const LIVE_POINTS_MAX = 1_000;

/** Returns `points` and a later one. The older half loses every second point when there are too many. */
export function withPoint(points: readonly Point[], point: Point): readonly Point[] {
  const last = points.at(-1);
  if (last !== undefined && point.at <= last.at) return points;
  if (points.length < LIVE_POINTS_MAX) return [...points, point];
  const half = LIVE_POINTS_MAX / 2;
  return [...points.slice(0, half).filter((_, index) => index % 2 === 0), ...points.slice(half), point];
}

/** Returns a timeline and what came after it, up to `now`. A last value lasts until the next one. */
export function joined(timeline: readonly Point[], live: readonly Point[], now: number): readonly Point[] {
  const end = timeline.at(-1)?.at ?? -Infinity;
  const later = live.filter(({ at }) => at > end);
  const all = [...timeline, ...later];
  const last = all.at(-1);
  return last === undefined || now <= last.at ? all : [...all, { at: now, claimed: last.claimed }];
}

const RATE_MS = 5_000;
/** The shortest time that a rate is taken over, so that the first claim of a page is no peak. */
const RATE_MS_MIN = 1_000;

/** Returns the claims a second in the five seconds before `now`, less revokes, never negative. */
export function claimsPerSecond(points: readonly Point[], now: number): number {
  const last = points.at(-1);
  const before = points.findLast(({ at }) => at <= now - RATE_MS) ?? points[0];
  if (last === undefined || before === undefined) return 0;
  const ms = Math.min(RATE_MS, Math.max(now - before.at, RATE_MS_MIN));
  return (Math.max(0, last.claimed - before.claimed) * 1_000) / ms;
}

/** Returns at most `most` of the points, spread evenly, the first and the last one too. */
export function spread(points: readonly Point[], most: number): readonly Point[] {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, index) => points[Math.round((index * (points.length - 1)) / (most - 1))]).filter(
    (point) => point !== undefined,
  );
}
