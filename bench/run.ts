// `npm run bench`: what a claim costs beside a floor, a limit and other ways to build it.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { GROWTH, type Growth } from "./growth/growth.ts";
import { driverOf } from "./load/load.ts";
import { describeMachine, describeVersions } from "./machine/describe.ts";
import type { BenchRecord, GrowthRecord, Measurement } from "./record.ts";
import { writeReport } from "./report.ts";
import { measureRounds, stopAndCompare, type Plan, type Started } from "./rounds.ts";
import { ROWS, type Row } from "./rows.ts";
import { labIn, Skipped, type Lab } from "./systems/system.ts";
import { EXIT, runCommand, usage, type Command, type Options } from "../scripts/cli/command.ts";
import { progressOf } from "../scripts/cli/progress.ts";
import { removeScratch, scratchFolder } from "../scripts/server/workerd.ts";

const ALL: readonly Row[] = ROWS;

function listed(entries: readonly { readonly name: string; readonly about: string }[]): string {
  return entries.map(({ name, about }) => `  ${name.padEnd(22)}${about}`).join("\n");
}

const COMMAND = {
  name: "npm run bench",
  about: `Loads the rows below in turn, round after round, and compares them. Each has a server of its own.

${listed(ALL.filter(({ isExtra }) => isExtra !== true))}

Then, one after the other, what lanes cost, and a coupon as it grows:

${listed(GROWTH)}

And only where they are named with --rows:

${listed(ALL.filter(({ isExtra }) => isExtra === true))}

Run nothing else meanwhile. Compare the ratios: the rates are this machine's.`,
  options: {
    rows: { kind: "text", value: "A,B", help: "only these; all but the last few above when left out" },
    rounds: { kind: "count", default: 3, max: 100, help: "rounds, each with every row" },
    seconds: { kind: "count", default: 5, max: 600, help: "how long a row is loaded in a round" },
    connections: { kind: "text", value: "N,N", default: "64,256", help: "connections to load with" },
    pause: { kind: "count", default: 0, min: 0, max: 10_000, help: "milliseconds that a connection rests before each of its requests" },
    name: { kind: "text", value: "NAME", default: "latest", help: "names the results in bench/results" },
    json: { kind: "text", value: "FILE", help: "writes the results there instead; the report goes beside it" },
  },
} as const satisfies Command<Options>;

await runCommand(COMMAND, async ({ options, atEnd, signal }) => {
  const { rounds, seconds, pause: pauseMs } = options;
  const connections = options.connections.split(",").map(connectionCount);
  const { rows, growth } = chosen(options.rows);
  const json = options.json ?? join(import.meta.dirname, "results", `${fileName(options.name)}.json`);

  const folder = await scratchFolder("bench");
  atEnd(() => removeScratch(folder));
  const driver = await driverOf();
  const lab = labIn(folder, driver, signal, atEnd);
  const base = {
    name: options.name,
    at: new Date().toISOString(),
    machine: describeMachine(),
    settings: { rounds, seconds, connections, pauseMs, driver: driver.name },
  };
  const measured = await measureRows(lab, rows, { rounds, seconds, connections, pauseMs, signal });
  const grown = await measureGrowth(lab, growth);
  const versions = await describeVersions();
  const record: BenchRecord = { ...base, versions, rows: measured, growth: grown, skipped: lab.skipped };
  await mkdir(dirname(json), { recursive: true });
  await writeFile(json, `${JSON.stringify(record, null, 2)}\n`);
  console.log(await writeReport(json));
  return EXIT.ok;
});

async function measureRows(lab: Lab, rows: readonly Row[], plan: Plan): Promise<BenchRecord["rows"]> {
  const started: Started[] = [];
  for (const row of rows) {
    lab.log(`starting ${row.name}`);
    await orSkip(lab, row.name, async () => started.push({ row, system: await row.start(lab) }));
  }
  const measurements = new Map<string, Measurement[]>(started.map(({ row }) => [row.name, []]));
  const progress = progressOf("bench", started.length * plan.rounds * plan.connections.length);
  lab.atEnd(async () => progress.stop());
  let count = 0;
  await measureRounds(lab, started, plan, (row, measurement) => {
    measurements.get(row.name)?.push(measurement);
    progress.update((count += 1), `${row.name} ${Math.round(measurement.perSecond)}/s`);
  });
  progress.stop();
  await stopAndCompare(started);
  return started.map(({ row: { name, kind, about, unitsPerAnswer } }) => ({
    name,
    kind,
    about,
    unitsPerAnswer,
    measurements: measurements.get(name) ?? [],
  }));
}

async function measureGrowth(lab: Lab, growth: readonly Growth[]): Promise<GrowthRecord> {
  const record: GrowthRecord = {};
  for (const { name, measure } of growth) {
    await orSkip(lab, name, async () => Object.assign(record, await measure(lab)));
  }
  return record;
}

/** Does the work, or notes that it can't be done here. */
async function orSkip(lab: Lab, name: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (!(cause instanceof Skipped)) throw cause;
    lab.skip(name, cause.message);
  }
}

function chosen(names: string | undefined): { readonly rows: readonly Row[]; readonly growth: readonly Growth[] } {
  if (names === undefined) return { rows: ALL.filter(({ isExtra }) => isExtra !== true), growth: GROWTH };
  const wanted = names.split(",");
  const known = new Set([...ALL.map(({ name }) => name), ...GROWTH.flatMap(namesOf)]);
  const unknown = wanted.find((name) => !known.has(name));
  if (unknown !== undefined) throw usage(COMMAND, `--rows does not know "${unknown}"`);
  return {
    rows: ALL.filter(({ name }) => wanted.includes(name)),
    growth: GROWTH.filter((of) => namesOf(of).some((name) => wanted.includes(name))),
  };
}

function namesOf({ name, rows = [] }: Growth): readonly string[] {
  return [name, ...rows];
}

function connectionCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 10_000) return count;
  throw usage(COMMAND, `--connections takes whole numbers from 1 to 10000, not "${text}"`);
}

function fileName(name: string): string {
  if (/^[\w.-]+$/.test(name)) return name;
  throw usage(COMMAND, `--name takes letters, digits, dots and dashes, not "${name}"`);
}
