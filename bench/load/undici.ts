// The built-in driver, for where wrk is not installed. It keeps one request in flight on each connection.

import { setTimeout as pause } from "node:timers/promises";

import { Pool } from "undici";

import type { Drive, Load, Measured, Sent } from "./load.ts";

/**
 * Sends `load` for the wanted time, or until `answersMax` requests are sent, and waits for all answers.
 */
export async function drive(
  load: Load,
  { url, connections, seconds, pauseMs = 0, users, signal, answersMax = Infinity }: Drive & { readonly answersMax?: number },
): Promise<Measured> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const latenciesMs: number[] = [];
  let wrong = 0;
  let userCount = 0;
  let sent = 0;
  const startedAt = performance.now();
  let answeredAt = startedAt;

  function bodyOf({ before, users: each, after }: NonNullable<Sent["body"]>): string {
    const ids = Array.from({ length: each }, () => `"${users}-${(userCount += 1)}"`);
    return before + ids.join(",") + after;
  }

  const isOver = (): boolean => sent >= answersMax || performance.now() - startedAt >= seconds * 1000 || signal?.aborted === true;

  async function caller(): Promise<void> {
    while (!isOver()) {
      sent += 1;
      const { method, path, body: around } = sent % 2 === 0 ? (load.other ?? load) : load;
      const body = around === undefined ? null : bodyOf(around);
      const sentAt = performance.now();
      const { statusCode, body: answer } = await pool.request({ method, path, body });
      await answer.dump();
      answeredAt = performance.now();
      latenciesMs.push(answeredAt - sentAt);
      if (statusCode !== load.status) wrong += 1;
      if (pauseMs > 0) await pause(pauseMs);
    }
  }

  try {
    await Promise.all(Array.from({ length: connections }, caller));
  } finally {
    await pool.destroy();
  }
  // Without the pause after the last answer.
  const took = (answeredAt - startedAt) / 1000;
  latenciesMs.sort((a, b) => a - b);
  const [p50Ms, p99Ms, maxMs] = [0.5, 0.99, 1].map((share) => quantile(latenciesMs, share)) as [number, number, number];
  return { answers: latenciesMs.length, seconds: took, p50Ms, p99Ms, maxMs, wrong };
}

/** The `q` quantile of sorted values. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}
