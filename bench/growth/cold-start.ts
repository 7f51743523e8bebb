// What the first claim costs when a coupon's object has to be started, small or large.

import { discard, GROWN, OTHER, stateWith } from "./fill.ts";
import { median, type ColdStartRecord, type GrowthRecord } from "../record.ts";
import { answerOf, served, type Lab } from "../systems/system.ts";
import { PRODUCT } from "../../scripts/server/workerd.ts";

const SIZES = [0, 1_000_000] as const;
const ROUNDS = 5;
const NEXT = 20;
const WARM_UP_CLAIMS = 200;

/**
 * In each round and for both sizes: a fresh server's first claim of the coupon, and the median of the next.
 */
export async function measureColdStart(lab: Lab): Promise<GrowthRecord> {
  lab.log("cold start");
  const states = new Map<number, string>();
  for (const claims of SIZES) states.set(claims, await stateWith(lab, claims));
  const found = new Map<number, { firstMs: number[]; nextMs: number[] }>(SIZES.map((claims) => [claims, { firstMs: [], nextMs: [] }]));
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const [claims, state] of states) {
      const { firstMs, nextMs } = await startOf(lab, state, round);
      found.get(claims)?.firstMs.push(firstMs);
      found.get(claims)?.nextMs.push(nextMs);
    }
  }
  for (const state of states.values()) await discard(state);
  const coldStart: ColdStartRecord[] = [...found].map(([claims, { firstMs, nextMs }]) => ({ claims, firstMs, nextMs }));
  return { coldStart };
}

async function startOf(lab: Lab, state: string, round: number): Promise<{ readonly firstMs: number; readonly nextMs: number }> {
  const server = await served(lab, PRODUCT, { state });
  async function claimMs(coupon: string, user: string): Promise<number> {
    const startedAt = performance.now();
    await answerOf(`${server.url}/api/coupons/claim`, 201, { user_id: `${user}-${round}`, coupon_name: coupon });
    return performance.now() - startedAt;
  }
  // So that it is the object that starts, and not the Worker, its code and the connection.
  for (let count = 0; count < WARM_UP_CLAIMS; count += 1) await claimMs(OTHER, `warm-up-${count}`);
  const firstMs = await claimMs(GROWN, "first");
  const nextMs: number[] = [];
  for (let count = 0; count < NEXT; count += 1) nextMs.push(await claimMs(GROWN, `next-${count}`));
  await server.kill();
  return { firstMs, nextMs: median(nextMs) };
}
