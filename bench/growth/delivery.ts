// What delivery costs the claims beside it, and how long the read model takes to have them all.

import { setTimeout as pause } from "node:timers/promises";

import { Pool } from "undici";

import type { DeliveryRecord, GrowthRecord } from "../record.ts";
import { served, type Lab } from "../systems/system.ts";
import { CommandFailure, EXIT } from "../../scripts/cli/command.ts";
import { PRODUCT } from "../../scripts/server/workerd.ts";

const CLAIMS = 60_000;
const AT_ONCE = 1_000;
const ROUNDS = 3;
const COMPLETE_WITHIN_MS = 120_000;

/** Sends 60,000 claims in bulk, with delivery and without, in turn. With delivery, waits for the read model. */
export async function measureDelivery(lab: Lab): Promise<GrowthRecord> {
  const perSecond = { with: [] as number[], without: [] as number[] };
  const completeMs: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    lab.log(`delivery, round ${round} of ${ROUNDS}`);
    for (const isDelivering of round % 2 === 0 ? [true, false] : [false, true]) {
      const measured = await measureOnce(lab, isDelivering);
      perSecond[isDelivering ? "with" : "without"].push(measured.perSecond);
      if (measured.completeMs !== null) completeMs.push(measured.completeMs);
    }
  }
  const delivery: DeliveryRecord = { claims: CLAIMS, perSecond, completeMs };
  return { delivery };
}

async function measureOnce(lab: Lab, isDelivering: boolean): Promise<{ readonly perSecond: number; readonly completeMs: number | null }> {
  const server = await served(lab, PRODUCT, { isDelivering });
  const pool = new Pool(server.url, { connections: 2 });
  await post(pool, "/api/coupons", { name: "bulk", amount: CLAIMS });
  const startedAt = performance.now();
  for (let first = 0; first < CLAIMS; first += AT_ONCE) {
    const userIds = Array.from({ length: AT_ONCE }, (_, index) => `user-${first + index}`);
    await post(pool, "/api/coupons/bulk/claims", { user_ids: userIds });
  }
  const perSecond = (CLAIMS * 1000) / (performance.now() - startedAt);
  const completeMs = isDelivering ? await completed(pool, startedAt) : null;
  await pool.destroy();
  await server.kill();
  return { perSecond, completeMs };
}

/** Waits until the read model has all events. Returns the time since `startedAt`. */
async function completed(pool: Pool, startedAt: number): Promise<number> {
  for (;;) {
    const { body } = await pool.request({ path: "/api/coupons/bulk/delivery", method: "GET" });
    const { sinks } = (await body.json()) as { readonly sinks: readonly { readonly seq: number; readonly lag_events: number }[] };
    const ms = performance.now() - startedAt;
    if (sinks[0]?.lag_events === 0 && sinks[0].seq === CLAIMS + 1) return ms;
    if (ms > COMPLETE_WITHIN_MS) throw new CommandFailure("delivery: the read model does not get all claims", EXIT.failed);
    await pause(50);
  }
}

async function post(pool: Pool, path: string, json: unknown): Promise<void> {
  const { statusCode, body } = await pool.request({ path, method: "POST", body: JSON.stringify(json) });
  await body.dump();
  if (statusCode >= 300) throw new CommandFailure(`delivery: POST ${path} was answered ${statusCode}`, EXIT.failed);
}
