// Numbers that add up: counts by name, and digests.

/** Counts by name. A dot separates a kind from its member: `answered.out_of_stock`. */
export type Counts = Readonly<Record<string, number>>;

/** Stands for all that happened in some histories, in whatever order they ran. */
export type DigestSum = readonly [high: number, low: number];

/** Adds counts to a sum, in place. */
export function addCounts(sum: Record<string, number>, counts: Counts): void {
  for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
}

export function addedDigests(a: DigestSum, b: DigestSum): DigestSum {
  return [(a[0] + b[0]) >>> 0, (a[1] + b[1]) >>> 0];
}

/** A digest as it is printed. */
export function digestText([high, low]: DigestSum): string {
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}
