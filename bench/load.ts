// Load over real sockets: claims of different users, as many at a time as there are connections.

import { Pool } from "undici";

export type Measured = {
  /** Claims a second. */
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 201. */
  readonly otherCount: number;
};

/** Claims units of `coupon` for `ms` milliseconds over `connections`. `users` names the run, so that no user is met twice. */
export async function claimFor(ms: number, url: string, coupon: string, connections: number, users: string): Promise<Measured> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const latencies: number[] = [];
  let otherCount = 0;
  let userCount = 0;
  const startedAt = performance.now();

  async function caller(): Promise<void> {
    while (performance.now() - startedAt < ms) {
      const body = `{"user_id":"${users}-${(userCount += 1)}","coupon_name":"${coupon}"}`;
      const askedAt = performance.now();
      const answer = await pool.request({ method: "POST", path: "/api/coupons/claim", body });
      await answer.body.dump();
      latencies.push(performance.now() - askedAt);
      if (answer.statusCode !== 201) otherCount += 1;
    }
  }

  await Promise.all(Array.from({ length: connections }, caller));
  const seconds = (performance.now() - startedAt) / 1000;
  await pool.close();
  latencies.sort((a, b) => a - b);
  return { rate: latencies.length / seconds, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99), otherCount };
}

/** The value that a share `q` of the sorted values is at most. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
}
