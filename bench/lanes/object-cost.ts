// What a claim costs the coupon's object, directly and through lanes. The object has a process of its own.

import { drive } from "../load/undici.ts";
import type { Load } from "../load/load.ts";
import { cpuUsOf } from "../machine/processes.ts";
import type { GrowthRecord, ObjectCostRecord } from "../record.ts";
import { faultIn } from "../rounds.ts";
import { answerOf, create, served, Skipped, unitsIn, type Lab } from "../systems/system.ts";
import { CommandFailure, EXIT } from "../../scripts/cli/command.ts";
import { freePort } from "../../scripts/server/loopback.ts";
import { PRODUCT } from "../../scripts/server/workerd.ts";

const ROUNDS = 3;
const SECONDS = 4;
const WARM_UP_SECONDS = 2;
const COUPON = "bench";
const AMOUNT = 2_147_483_647;

/**
 * How many users claim at once, and over how many lanes. 1,000 claim directly: the more there are, the more claims the
 * object commits together, and the less each costs. 8,000 claim through lanes: with more, a slow machine would miss the
 * deadline of a lane's call.
 */
export const WAYS = [
  { name: "direct", lanes: 0, users: 1_000 },
  { name: "lanes-4", lanes: 4, users: 8_000 },
  { name: "lanes-16", lanes: 16, users: 8_000 },
] as const;
type Way = (typeof WAYS)[number];

/** Two processes: the crowd with its lanes, and the coupon's object. */
type Apart = {
  readonly crowdUrl: string;
  readonly objectPid: number;
  /** Stored claims. Null if the object stores none. */
  readonly stored: () => Promise<number | null>;
};
type Sample = { readonly claimsPerCall: number; readonly cpuUs: number };

/** Measures all ways in each round, with the product's object and with one that only answers. */
export async function measureObjectCost(lab: Lab): Promise<GrowthRecord> {
  const product = await apart(lab, PRODUCT);
  const noOp = await apart(lab, "bench/workers/no-op.ts");
  for (const system of [product, noOp]) for (const way of WAYS) await sample(lab, system, way, WARM_UP_SECONDS);
  const samples = WAYS.map((way) => ({ way, full: [] as Sample[], crossing: [] as Sample[] }));
  for (let round = 1; round <= ROUNDS; round += 1) {
    lab.log(`lanes, round ${round} of ${ROUNDS}`);
    for (const { way, full, crossing } of samples) {
      full.push(await sample(lab, product, way, SECONDS));
      crossing.push(await sample(lab, noOp, way, SECONDS));
    }
  }
  const objectCost = samples.map(({ way: { name, users }, full, crossing }): ObjectCostRecord => ({
    name,
    users,
    claimsPerCall: full.map(({ claimsPerCall }) => claimsPerCall),
    cpuUs: full.map(({ cpuUs }) => cpuUs),
    crossingCpuUs: crossing.map(({ cpuUs }) => cpuUs),
  }));
  return { objectCost };
}

/** Starts the objects of `entry`, and a crowd in front of them. They meet at workerd's debug port. */
async function apart(lab: Lab, entry: string): Promise<Apart> {
  const at = `127.0.0.1:${await freePort()}`;
  const objects = await served(lab, entry, { args: [`--debug-port=${at}`] });
  const crowd = await served(lab, "bench/workers/lanes.ts", {
    vars: { OBJECTS_AT: at },
    bindings: ['(name = "DEBUG_PORT", workerdDebugPort = void)'],
    args: ["--experimental"],
  });
  const isStoring = entry === PRODUCT;
  if (isStoring) await create(objects.url, COUPON, AMOUNT);
  return {
    crowdUrl: crowd.url,
    objectPid: objects.pid,
    stored: async () => (isStoring ? unitsIn(objects.url, COUPON) : null),
  };
}

async function sample(lab: Lab, { crowdUrl, objectPid, stored }: Apart, { name, lanes, users }: Way, seconds: number): Promise<Sample> {
  const load: Load = { method: "POST", path: `/claims/${users}/lanes/${lanes}`, status: 201 };
  const [storedBefore, callsBefore, cpuBefore] = [await stored(), await callsIn(crowdUrl), await cpuOf(objectPid)];
  // The built-in driver waits for all answers, so that no claim is only half of the sample.
  const driven = await drive(load, { url: crowdUrl, connections: 1, seconds, users: "none", signal: lab.signal });
  const [cpuAfter, callsAfter, storedAfter] = [await cpuOf(objectPid), await callsIn(crowdUrl), await stored()];
  const claims = driven.answers * users;
  const newlyStored = storedBefore === null || storedAfter === null ? null : storedAfter - storedBefore;
  const fault = faultIn({ load, unitsPerAnswer: users, counted: { coupon: COUPON, perUnit: 1 } }, driven, newlyStored, 0);
  if (fault !== null) throw new CommandFailure(`${name}: ${fault}`, EXIT.failed);
  return { claimsPerCall: claims / (callsAfter - callsBefore), cpuUs: (cpuAfter - cpuBefore) / claims };
}

async function callsIn(crowdUrl: string): Promise<number> {
  return ((await answerOf(`${crowdUrl}/calls`, 200)) as { readonly calls: number }).calls;
}

async function cpuOf(pid: number): Promise<number> {
  const us = await cpuUsOf([pid]);
  if (us === null) throw new Skipped("CPU times need Linux");
  return us;
}
