// `npm run bench`: what a claim costs beside the limit (no work at all) and without group commit, interleaved in one run.

import { readFile, writeFile, mkdir } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { claimFor, type Measured } from "./load.ts";
import { build as bundle, removeScratch, scratchFolder, serve, type Served } from "../proof/server/workerd.ts";

const HELP = `npm run bench [-- --rounds N] [--seconds N] [--connections N,N] [--json FILE]

Serves three builds of the Worker with workerd and claims units of one huge coupon from each in turn, round after round:

  no-op                 the same app, and an object that does nothing: the limit
  claim                 the product
  one-commit-per-claim  the same app and engine without group commit

  --rounds N         rounds, each with every build (default 5)
  --seconds N        how long each build is loaded in a round (default 4)
  --connections N,N  connections to load with (default 64,1)
  --json FILE        writes the results there

Run nothing else meanwhile. Compare the ratios; the rates are this machine's.`;

const BUILDS = {
  "no-op": "bench/workers/no-op.ts",
  claim: "src/index.ts",
  "one-commit-per-claim": "bench/workers/one-commit-per-claim.ts",
} as const;
type Build = keyof typeof BUILDS;
const NAMES = ["no-op", "claim", "one-commit-per-claim"] as const satisfies readonly Build[];

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
    connections: { type: "string", default: "64,1" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    console.error(`--${option} takes a whole number from 1 on, not "${text}"`);
    process.exit(2);
  }
  return value;
}

if (options.help) {
  console.log(HELP);
  process.exit(0);
}
const rounds = wholeNumber("rounds", options.rounds);
const seconds = wholeNumber("seconds", options.seconds);
const connectionCounts = options.connections.split(",").map((text) => wholeNumber("connections", text));

type Row = { readonly build: Build; readonly connections: number; readonly rate: number; readonly p50Ms: number; readonly p99Ms: number };

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

async function measure(servers: Record<Build, Served>, connections: number): Promise<Row[]> {
  const measured: Record<Build, Measured[]> = { "no-op": [], claim: [], "one-commit-per-claim": [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const build of NAMES) {
      const result = await claimFor(seconds * 1000, servers[build].url, "bench", connections, `c${connections}-r${round}`);
      if (result.otherCount > 0) throw new Error(`${build}: ${result.otherCount} answers were not 201`);
      measured[build].push(result);
      console.log(`round ${round}/${rounds}, c = ${connections}: ${build} ${Math.round(result.rate)} claims/s`);
    }
  }
  return NAMES.map((build) => ({
    build,
    connections,
    rate: median(measured[build].map(({ rate }) => rate)),
    p50Ms: median(measured[build].map(({ p50Ms }) => p50Ms)),
    p99Ms: median(measured[build].map(({ p99Ms }) => p99Ms)),
  }));
}

function print(rows: readonly Row[]): void {
  console.log("\nmedians            connections  claims/s   p50 ms   p99 ms   of no-op");
  for (const { build, connections, rate, p50Ms, p99Ms } of rows) {
    const limit = rows.find((row) => row.build === "no-op" && row.connections === connections)?.rate ?? NaN;
    const cells = [build.padEnd(20), String(connections).padStart(9), rate.toFixed(0).padStart(9), p50Ms.toFixed(2).padStart(8)];
    console.log([...cells, p99Ms.toFixed(2).padStart(8), (rate / limit).toFixed(2).padStart(10)].join(" "));
  }
}

const folder = await scratchFolder("bench");
const started: Served[] = [];
try {
  const servers: Partial<Record<Build, Served>> = {};
  for (const build of NAMES) {
    const server = await serve(await bundle(BUILDS[build], folder), { state: join(folder, `${build}-state`) });
    started.push(server);
    servers[build] = server;
    if (build === "no-op") continue;
    const created = await fetch(`${server.url}/api/coupons`, { method: "POST", body: '{"name":"bench","amount":2147483647}' });
    if (created.status !== 201) throw new Error(`${build}: creating the coupon answered ${created.status}`);
  }
  const rows: Row[] = [];
  for (const connections of connectionCounts) rows.push(...(await measure(servers as Record<Build, Served>, connections)));
  print(rows);
  if (options.json !== undefined) {
    const { dependencies, devDependencies } = JSON.parse(await readFile(join(import.meta.dirname, "../package.json"), "utf8"));
    const machine = { cpu: cpus()[0]?.model, cpus: cpus().length, node: process.version };
    await mkdir(join(options.json, ".."), { recursive: true });
    await writeFile(
      options.json,
      `${JSON.stringify({ at: new Date().toISOString(), machine, rounds, seconds, versions: { ...dependencies, ...devDependencies }, rows }, null, 2)}\n`,
    );
  }
} finally {
  await Promise.all(started.map((server) => server.kill()));
  await removeScratch(folder);
}
