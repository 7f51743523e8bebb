// How long one claim takes at low load, directly and through lanes.

import { claimsOf } from "../load/load.ts";
import type { GrowthRecord } from "../record.ts";
import { measureRounds, stopAndCompare, type Started } from "../rounds.ts";
import { workerSystem, type Lab } from "../systems/system.ts";
import { PRODUCT } from "../../scripts/server/workerd.ts";

const ROUNDS = 5;
const SECONDS = 2;
const CONNECTIONS = [1, 4] as const;
const AMOUNT = 2_147_483_647;

/** Measures both ways in each round, each over a few connections. */
export async function measureLaneLatency(lab: Lab): Promise<GrowthRecord> {
  const started: Started[] = [];
  for (const lanes of ["off", "4"]) {
    const row = {
      name: lanes,
      kind: "product",
      about: `LANES=${lanes}`,
      start: (of: Lab) => workerSystem(of, PRODUCT, { bench: AMOUNT }, { LANES: lanes }),
      load: claimsOf("bench"),
      unitsPerAnswer: 1,
      counted: { coupon: "bench", perUnit: 1 },
    } as const;
    started.push({ row, system: await row.start(lab) });
  }
  const p50Ms = CONNECTIONS.map((connections) => ({ connections, direct: [] as number[], throughLanes: [] as number[] }));
  lab.log("lane-latency");
  const plan = { rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, pauseMs: 0, signal: lab.signal };
  await measureRounds(lab, started, plan, ({ name }, measured) => {
    const of = p50Ms.find(({ connections }) => connections === measured.connections);
    of?.[name === "off" ? "direct" : "throughLanes"].push(measured.p50Ms);
  });
  await stopAndCompare(started);
  return { laneLatency: p50Ms };
}
