// What memory it takes to show a coupon with all of its claimants, of whom there are many.

import { setTimeout as pause } from "node:timers/promises";

import { discard, GROWN, OTHER, stateWith } from "./fill.ts";
import { claimsOf } from "../load/load.ts";
import { drive } from "../load/undici.ts";
import { forgetPeak, memoryOf } from "../machine/processes.ts";
import type { GrowthRecord } from "../record.ts";
import { served, type Lab } from "../systems/system.ts";
import { CommandFailure, EXIT } from "../../verification/cli/command.ts";
import { PRODUCT } from "../../verification/server/workerd.ts";

const CLAIMS = 100_000;
const READS = 10;

/** Reads it again and again, one read at a time, and compares the most memory that the server ever held with what it held before. */
export async function measureLargeRead(lab: Lab): Promise<GrowthRecord> {
  lab.say(`reading a coupon with ${CLAIMS.toLocaleString("en")} claims`);
  const state = await stateWith(lab, CLAIMS);
  const server = await served(lab, PRODUCT, { state });
  await drive(claimsOf(OTHER), { url: server.url, connections: 64, seconds: 2, users: "warm-up" });
  await pause(500);
  const before = await memoryOf(server.pid);
  const isPeakKnown = await forgetPeak(server.pid);
  const ms: number[] = [];
  let bytes = 0;
  for (let count = 0; count < READS; count += 1) {
    const startedAt = performance.now();
    const text = await (await fetch(`${server.url}/api/coupons/${GROWN}`)).text();
    ms.push(performance.now() - startedAt);
    bytes = Buffer.byteLength(text);
    const { claimed_by: claimedBy } = JSON.parse(text) as { readonly claimed_by?: readonly string[] };
    if (new Set(claimedBy).size !== CLAIMS) {
      throw new CommandFailure(`large-read: ${claimedBy?.length ?? 0} claimants were shown, not ${CLAIMS}`, EXIT.failed);
    }
  }
  const after = await memoryOf(server.pid);
  await server.kill();
  await discard(state);
  const grewBytes = before === null || after === null || !isPeakKnown ? null : after.peakBytes - before.nowBytes;
  return { largeRead: { claims: CLAIMS, bytes, ms, grewBytes } };
}
