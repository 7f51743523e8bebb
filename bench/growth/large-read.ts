// How much memory it takes to return a coupon with many claimants.

import { setTimeout as pause } from "node:timers/promises";

import { discard, GROWN, OTHER, stateWith } from "./fill.ts";
import { claimsOf } from "../load/load.ts";
import { drive } from "../load/undici.ts";
import { resetPeak, memoryOf } from "../machine/processes.ts";
import type { GrowthRecord } from "../record.ts";
import { served, type Lab } from "../systems/system.ts";
import { CommandFailure, EXIT } from "../../scripts/cli/command.ts";
import { PRODUCT } from "../../scripts/server/workerd.ts";

const CLAIMS = 100_000;
const READS = 10;

/** Reads the coupon several times and compares the server's peak memory with its memory before. */
export async function measureLargeRead(lab: Lab): Promise<GrowthRecord> {
  lab.log(`reading a coupon with ${CLAIMS.toLocaleString("en")} claims`);
  const state = await stateWith(lab, CLAIMS);
  const server = await served(lab, PRODUCT, { state });
  await drive(claimsOf(OTHER), { url: server.url, connections: 64, seconds: 2, users: "warm-up" });
  await pause(500);
  const before = await memoryOf(server.pid);
  const isPeakKnown = await resetPeak(server.pid);
  const ms: number[] = [];
  let bytes = 0;
  for (let count = 0; count < READS; count += 1) {
    const startedAt = performance.now();
    const text = await (await fetch(`${server.url}/api/coupons/${GROWN}`)).text();
    ms.push(performance.now() - startedAt);
    bytes = Buffer.byteLength(text);
    const { claimed_by: claimedBy } = JSON.parse(text) as { readonly claimed_by?: readonly string[] };
    if (new Set(claimedBy).size !== CLAIMS) {
      throw new CommandFailure(`large-read: ${claimedBy?.length ?? 0} claimants were returned, not ${CLAIMS}`, EXIT.failed);
    }
  }
  const after = await memoryOf(server.pid);
  await server.kill();
  await discard(state);
  const grewBytes = before === null || after === null || !isPeakKnown ? null : after.peakBytes - before.nowBytes;
  return { largeRead: { claims: CLAIMS, bytes, ms, grewBytes } };
}
