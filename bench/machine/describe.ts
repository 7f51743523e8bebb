// What a run was taken with: the machine, and the versions of all that took part.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";

import { postgresVersion } from "../systems/postgres.ts";
import { redisVersion } from "../systems/redis.ts";

const ROOT = join(import.meta.dirname, "../..");
const PEERS = join(import.meta.dirname, "../peers");

/** The machine, and how busy it was before the run. */
export function describeMachine(): Record<string, string | number> {
  const processors = cpus();
  return {
    processor: processors[0]?.model ?? "unknown",
    processors: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

/** Versions of the product's side, and of the peers where they are installed. */
export async function describeVersions(): Promise<Record<string, string>> {
  const ours = createRequire(join(ROOT, "package.json"));
  const peers = (await packageAt(join(PEERS, "package.json")))?.dependencies ?? {};
  const found: Record<string, string | null | undefined> = {
    doorbuster: (await packageAt(join(ROOT, "package.json")))?.version,
    workerd: (await packageAt(ours.resolve("workerd/package.json")))?.version,
    node: process.version.slice(1),
    postgresql: await postgresVersion(),
    redis: await redisVersion(),
    ...Object.fromEntries(Object.entries(peers).map(([name, version]) => [`${name} (npm)`, version])),
  };
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

type Package = { readonly version: string; readonly dependencies?: Readonly<Record<string, string>> };

async function packageAt(path: string): Promise<Package | null> {
  return readFile(path, "utf8").then(
    (text) => JSON.parse(text) as Package,
    () => null,
  );
}
