// What the next claims of a coupon cost that has a thousand claims already, or a million.

import { discard, GROWN, OTHER, stateWith } from "./fill.ts";
import { claimsOf } from "../load/load.ts";
import { drive } from "../load/undici.ts";
import { cpuUsOf } from "../machine/processes.ts";
import { faultIn } from "../rounds.ts";
import { answerOf, served, unitsIn, type Lab } from "../systems/system.ts";
import { CommandFailure, EXIT } from "../../scripts/cli/command.ts";
import { PRODUCT } from "../../scripts/server/workerd.ts";
import type { GrowthRecord } from "../record.ts";

const SIZES = [1_000, 10_000, 100_000, 1_000_000] as const;
/** As many from the smallest as from the largest. */
const ROUNDS = 6;
const CONNECTIONS = 64;
/** Few, so that a coupon of a thousand does not become another one while it is measured. */
const CLAIMS_EACH = 2_000;
const WARM_UP_SECONDS = 1;

type Sample = { readonly wallUs: number; readonly cpuUs: number | null };

/**
 * Measures all sizes in each round. Every other round begins with the largest, as the machine's speed drifts.
 */
export async function measureSizes(lab: Lab): Promise<GrowthRecord> {
  const samples = new Map<number, Sample[]>(SIZES.map((claims) => [claims, []]));
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const claims of round % 2 === 1 ? SIZES : SIZES.toReversed()) samples.get(claims)?.push(await sampleOf(lab, claims));
    lab.log(`growth: round ${round} of ${ROUNDS}`);
  }
  const sizes = [...samples].map(([claims, of]) => ({
    claims,
    wallUs: of.map(({ wallUs }) => wallUs),
    cpuUs: of.map(({ cpuUs }) => cpuUs),
  }));
  return { sizes };
}

async function sampleOf(lab: Lab, claims: number): Promise<Sample> {
  const state = await stateWith(lab, claims);
  const server = await served(lab, PRODUCT, { state });
  const { url } = server;
  // The Worker is warm, and the coupon's object has started; both are measured elsewhere.
  await drive(claimsOf(OTHER), { url, connections: CONNECTIONS, seconds: WARM_UP_SECONDS, users: "warm-up" });
  await answerOf(`${url}/api/coupons/claim`, 201, { user_id: "first", coupon_name: GROWN });

  const cpuBefore = await cpuUsOf([server.pid]);
  const driven = await drive(claimsOf(GROWN), { url, connections: CONNECTIONS, seconds: 60, answersMax: CLAIMS_EACH, users: "next" });
  const cpuAfter = await cpuUsOf([server.pid]);
  const stored = (await unitsIn(url, GROWN)) - claims - 1;
  const fault = faultIn({ load: claimsOf(GROWN), unitsPerAnswer: 1, counted: { coupon: GROWN, perUnit: 1 } }, driven, stored, 0);
  if (fault !== null) throw new CommandFailure(`growth, ${claims} claims: ${fault}`, EXIT.failed);
  await server.kill();
  await discard(state);
  return {
    wallUs: (driven.seconds * 1e6) / driven.answers,
    cpuUs: cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / driven.answers,
  };
}
