// The rounds: every row is loaded in turn, and its answers are compared with its stored claims.

import { setTimeout as pause } from "node:timers/promises";

import { cpuUsOf, stolenTicks } from "./machine/processes.ts";
import type { Measurement } from "./record.ts";
import type { Row } from "./rows.ts";
import type { Lab, System } from "./systems/system.ts";
import { CommandFailure, EXIT } from "../scripts/cli/command.ts";

export type Started = { readonly row: Row; readonly system: System };
export type Plan = {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: readonly number[];
  readonly pauseMs: number;
  readonly signal: AbortSignal;
};

const WARM_UP_SECONDS = 2;

/**
 * Warms up all rows, then loads all of them in each round, and calls `done` after each load. Throws
 * {@link CommandFailure} on the first wrong answer, because a rate with wrong answers means nothing.
 */
export async function measureRounds(
  lab: Lab,
  started: readonly Started[],
  plan: Plan,
  done: (row: Row, measurement: Measurement) => void,
): Promise<void> {
  for (const { row, system } of started)
    await measure(lab, row, system, 0, { ...plan, seconds: WARM_UP_SECONDS }, plan.connections[0] ?? 1);
  for (const connections of plan.connections) {
    for (let round = 1; round <= plan.rounds; round += 1) {
      for (const { row, system } of started) done(row, await measure(lab, row, system, round, plan, connections));
    }
  }
}

async function measure(
  lab: Lab,
  row: Row,
  system: System,
  round: number,
  { seconds, pauseMs, signal }: Plan,
  connections: number,
): Promise<Measurement> {
  const open = Math.min(connections, row.connectionsMax ?? connections);
  const storedBefore = await settledCount(row, system);
  const stolenBefore = await stolenTicks();
  const cpuBefore = await cpuUsOf(system.pids);
  const driven = await lab.driver.drive(row.load, {
    url: system.url,
    connections: open,
    seconds,
    pauseMs,
    users: `c${connections}-r${round}`,
    signal,
  });
  const cpuAfter = await cpuUsOf(system.pids);
  const stolenAfter = await stolenTicks();
  const storedAfter = await settledCount(row, system);

  const units = driven.answers * row.unitsPerAnswer;
  const stored = storedBefore === null || storedAfter === null ? null : storedAfter - storedBefore;
  const fault = faultIn(row, driven, stored, open);
  if (fault !== null) throw new CommandFailure(`${row.name}, ${connections} connections, round ${round}: ${fault}`, EXIT.failed);
  return {
    round,
    connections,
    answers: driven.answers,
    seconds: driven.seconds,
    perSecond: units / driven.seconds,
    p50Ms: driven.p50Ms,
    p99Ms: driven.p99Ms,
    maxMs: driven.maxMs,
    cpuUs: cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / units,
    stored,
    stolen:
      stolenBefore === null || stolenAfter === null
        ? null
        : (stolenAfter.stolen - stolenBefore.stolen) / (stolenAfter.all - stolenBefore.all),
  };
}

/**
 * What is wrong with a run, or null. Each answer stands for stored claims. The driver may drop one open
 * request of each connection at the end, so there may be more stored claims, by one answer for each
 * connection.
 */
export function faultIn(
  { counted, unitsPerAnswer, load }: Pick<Row, "counted" | "unitsPerAnswer" | "load">,
  { answers, wrong }: { readonly answers: number; readonly wrong: number },
  stored: number | null,
  connections: number,
): string | null {
  if (answers === 0) return "nothing was answered";
  if (wrong > 0) return `${wrong} of ${answers} answers were not ${load.status}`;
  if (counted === null || stored === null) return null;
  const least = answers * unitsPerAnswer * counted.perUnit;
  const most = least + connections * unitsPerAnswer * counted.perUnit;
  return stored < least || stored > most ? `${answers} answers stand for ${least} claims, and ${stored} were stored` : null;
}

/** Stops every system. Throws where its files hold another number of claims than it returned last. */
export async function stopAndCompare(started: readonly Started[]): Promise<void> {
  for (const { row, system } of started) {
    const returned = await settledCount(row, system);
    await system.stop();
    if (row.counted === null || returned === null || system.onDisk === null) continue;
    const onDisk = await system.onDisk(row.counted.coupon);
    if (onDisk !== returned)
      throw new CommandFailure(`${row.name}: it returned ${returned} claims, and its file has ${onDisk}`, EXIT.failed);
  }
}

/** Stored claims, once their number no longer changes. Null where they are not counted. */
async function settledCount({ counted }: Row, system: System): Promise<number | null> {
  if (counted === null) return null;
  for (let count = await system.stored(counted.coupon); ;) {
    await pause(50);
    const again = await system.stored(counted.coupon);
    if (again === count) return count;
    count = again;
  }
}
