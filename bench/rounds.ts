// The rounds: every row is loaded in turn, again and again, and what it answered is compared with what it stored.

import { setTimeout as pause } from "node:timers/promises";

import { cpuUsOf, stolenTicks } from "./machine/processes.ts";
import type { Measurement } from "./record.ts";
import type { Row } from "./rows.ts";
import type { Lab, System } from "./systems/system.ts";
import { CommandFailure, EXIT } from "../verification/cli/command.ts";

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
 * Loads all rows in each round, after each was warmed up, and calls `done` after each time. Throws {@link CommandFailure} on the
 * first answer that is wrong: a rate with wrong answers in it means nothing.
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
 * What is wrong with a run, or null. Each answer stands for stored claims, as many as it says; a driver that gives up what is
 * open at its end can't know of those, so there may be more, by one answer for each connection.
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

/** Stops every system and throws where its files hold another number of claims than it said last. */
export async function stopAndCompare(started: readonly Started[]): Promise<void> {
  for (const { row, system } of started) {
    const said = await settledCount(row, system);
    await system.stop();
    if (row.counted === null || said === null || system.onDisk === null) continue;
    const onDisk = await system.onDisk(row.counted.coupon);
    if (onDisk !== said) throw new CommandFailure(`${row.name}: it says ${said} claims, and its file holds ${onDisk}`, EXIT.failed);
  }
}

/** Claims that are stored once nothing moves any more; null where they are not counted. */
async function settledCount({ counted }: Row, system: System): Promise<number | null> {
  if (counted === null) return null;
  for (let count = await system.stored(counted.coupon); ;) {
    await pause(50);
    const again = await system.stored(counted.coupon);
    if (again === count) return count;
    count = again;
  }
}
