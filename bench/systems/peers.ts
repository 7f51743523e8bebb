// The peers: other ways to build the same claim, each a Fastify process with its store beside it.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

import { claimsOf } from "../load/load.ts";
import { startPostgres } from "./postgres.ts";
import { startRedis, type Fsync } from "./redis.ts";
import { answerOf, create, Skipped, type Lab, type System } from "./system.ts";

const FOLDER = join(import.meta.dirname, "../peers");
const CALIBRATION_SECONDS = 2;
const POOL_SIZES = [3, 6, 12, 24] as const;
/** More than any run can claim. */
const PLENTY = 2_147_483_647;

type Peer = { readonly url: string; readonly pid: number; readonly stop: () => Promise<void> };

/** PostgreSQL behind Fastify. Its pool has the size that is fastest on this machine. */
export async function postgresPeer(lab: Lab, script: string): Promise<System> {
  const postgres = await startPostgres(lab);
  await installed(lab);
  const rates: { readonly size: number; readonly rate: number }[] = [];
  for (const size of POOL_SIZES) {
    const peer = await startPeer(lab, script, [postgres.socketFolder, String(size)]);
    const coupon = `pool-${size}`;
    await create(peer.url, coupon, PLENTY);
    const drive = { url: peer.url, connections: 64, seconds: CALIBRATION_SECONDS, users: "pool", signal: lab.signal };
    const { answers, seconds } = await lab.driver.drive(claimsOf(coupon), drive);
    rates.push({ size, rate: answers / seconds });
    await peer.stop();
  }
  const best = rates.reduce((a, b) => (b.rate > a.rate ? b : a));
  lab.log(
    `${script}: ${best.size} connections to PostgreSQL are best (${rates.map(({ size, rate }) => `${size}: ${rate.toFixed(0)}/s`).join(", ")})`,
  );
  return systemOf(await startPeer(lab, script, [postgres.socketFolder, String(best.size)]), postgres.pid);
}

/** Redis behind Fastify. */
export async function redisPeer(lab: Lab, fsync: Fsync): Promise<System> {
  const redis = await startRedis(lab, fsync);
  await installed(lab);
  return systemOf(await startPeer(lab, "redis-lua.js", [redis.socket]), redis.pid);
}

async function systemOf(peer: Peer, storePid: number): Promise<System> {
  await create(peer.url, "bench", PLENTY);
  async function stored(coupon: string): Promise<number> {
    return ((await answerOf(`${peer.url}/api/coupons/${coupon}/count`, 200)) as { readonly claims: number }).claims;
  }
  return { url: peer.url, pids: [peer.pid, storePid], stored, onDisk: null, stop: peer.stop };
}

async function startPeer(lab: Lab, script: string, operands: readonly string[]): Promise<Peer> {
  const env = { ...process.env, NODE_ENV: "production" };
  const node = spawn(process.execPath, [join(FOLDER, script), ...operands], { env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(node, "exit");
  async function stop(): Promise<void> {
    node.kill("SIGKILL");
    await ended;
  }
  lab.atEnd(stop);
  const port = await Promise.race([portOf(node.stdout), ended.then(() => null)]);
  if (port === null || node.pid === undefined) throw new Error(`${script} did not start`);
  return { url: `http://127.0.0.1:${port}`, pid: node.pid, stop };
}

/** The first line that a peer prints. */
async function portOf(output: Readable): Promise<number | null> {
  for await (const chunk of output) return Number(String(chunk));
  return null;
}

let installation: Promise<unknown> | null = null;

/** Installs the peers' packages, which the product does not need, when they are wanted for the first time. */
async function installed(lab: Lab): Promise<void> {
  if (existsSync(join(FOLDER, "node_modules/.package-lock.json"))) return;
  lab.log("installing the peers' packages (npm ci in bench/peers)");
  installation ??= promisify(execFile)("npm", ["ci", "--ignore-scripts"], { cwd: FOLDER });
  await installation.catch((cause: unknown) => {
    throw new Skipped(`the peers' packages can't be installed: ${String(cause).split("\n")[0]}`);
  });
}
