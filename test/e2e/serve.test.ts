// `npm run serve` and `npm start` as they are typed: what they keep, and what they leave behind.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { Pool } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";

import { answering, freePort } from "../../scripts/server/loopback.ts";
import { couponClient, type CouponClient } from "../../verification/client/coupon-client.ts";
import { ROOT } from "./command.ts";

const WITHIN_MS = 20_000;
const SERVE = ["run", "serve", "--"];
const START = ["start", "--", "--inspector-port", "0"];

type Running = { readonly npm: ChildProcess; readonly port: number; readonly client: CouponClient; readonly output: () => string };

let folder: string;
const groups: number[] = [];
const pools: Pool[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "doorbuster-serve-"));
});

afterAll(async () => {
  for (const group of groups) if (isAlive(group)) process.kill(-group, "SIGKILL");
  await Promise.all(pools.map((pool) => pool.destroy()));
  await rm(folder, { recursive: true, force: true });
});

/** Starts npm in a process group of its own, as a shell does. */
function npm(args: readonly string[]) {
  const child = spawn("npm", args, { cwd: ROOT, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  groups.push(child.pid ?? 0);
  return { npm: child, output: () => output };
}

async function start(script: readonly string[], args: readonly string[] = []): Promise<Running> {
  const port = await freePort();
  const started = npm([...script, "--port", String(port), ...args]);
  await answering(`http://127.0.0.1:${port}`, () => started.npm.exitCode === null);
  const pool = new Pool(`http://127.0.0.1:${port}`);
  pools.push(pool);
  return { ...started, port, client: couponClient(pool) };
}

/** Whether a process of the group is left. */
function isAlive(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

/** Resolves once the whole group has ended and the port is free. */
async function gone({ npm: { pid = 0 }, port }: Running): Promise<void> {
  const deadline = Date.now() + WITHIN_MS;
  while (isAlive(pid)) {
    if (Date.now() > deadline) throw new Error("a process is left");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const listener = createServer().listen(port, "127.0.0.1");
  await once(listener, "listening");
  listener.close();
}

test("a claim on npm run serve is there after SIGTERM and a restart", async () => {
  const state = ["--state", join(folder, "kept")];
  const before = await start(SERVE, state);
  await before.client.create("S", 2);
  const granted = await before.client.claim("S", "ada");
  expect(granted.status).toBe(201);
  before.npm.kill("SIGTERM");
  await gone(before);

  const after = await start(SERVE, state);
  const { status, body } = await after.client.claim("S", "ada");
  const { remaining_amount: _, ...receipt } = granted.body;
  expect([status, body["claim"]]).toEqual([409, receipt]);
  const other = npm([...SERVE, "--port", "0", ...state]);
  expect(await once(other.npm, "close")).toEqual([69, null]);
  expect(other.output()).toContain("is in use by another server");
  const same = npm([...SERVE, "--port", String(after.port), "--state", join(folder, "other")]);
  expect(await once(same.npm, "close")).toEqual([69, null]);
  expect(same.output()).toContain(`port ${after.port} is already in use`);
  after.npm.kill("SIGTERM");
  await gone(after);
});

test.for([
  ["run serve", "SIGTERM", "npm", [...SERVE, "--state"]],
  ["run serve", "SIGINT", "the group", [...SERVE, "--state"]],
  ["start", "SIGTERM", "npm", [...START, "--persist-to"]],
  ["start", "SIGINT", "the group", [...START, "--persist-to"]],
] as const)("npm %s leaves no process after %s to %s, while a viewer reads a stream", async ([, signal, target, script]) => {
  const running = await start([...script, join(folder, `${script[0]}-${signal}`)]);
  await running.client.create("S", 1);
  const stream = await fetch(`http://127.0.0.1:${running.port}/api/coupons/S/events`);
  expect(stream.status).toBe(200);
  const { pid = 0 } = running.npm;
  process.kill(target === "npm" ? pid : -pid, signal);
  await gone(running);
  await stream.body?.cancel().catch(() => undefined);
});

test("npm start creates the tables where wrangler looks for them", async () => {
  const state = ["--persist-to", join(folder, "tables")];
  const running = await start(START, state);
  running.npm.kill("SIGTERM");
  await gone(running);
  const wrangler = join(ROOT, "node_modules/.bin/wrangler");
  const env = { ...process.env, WRANGLER_LOG: "log" };
  const list = ["d1", "migrations", "list", "DB", "--local", ...state];
  const listed = await promisify(execFile)(wrangler, list, { cwd: ROOT, env });
  expect(listed.stdout).toContain("No migrations to apply");
});

test("npm run serve names a variable that the Worker does not have", async () => {
  const running = await start(SERVE, ["--state", join(folder, "mistyped"), "--var", "RATE_LIMT=5"]);
  expect(running.output()).toContain("npm run serve: the Worker has no variable RATE_LIMT\n");
  expect(running.output()).not.toContain("no variable ADMIN_AUTH");
  running.npm.kill("SIGTERM");
  await gone(running);
});

test("npm run serve limits the claims of a user, and ends with the status of a killed workerd", async () => {
  const { npm: child, client, output } = await start(SERVE, ["--state", join(folder, "limited"), "--var", "RATE_LIMIT=5"]);
  await client.create("S", 1);
  const statuses = [];
  // Two windows of five, if a new one begins meanwhile.
  for (let index = 0; index < 12; index += 1) statuses.push((await client.claim("S", "ada")).status);
  expect(statuses.slice(0, 5)).toEqual([201, 409, 409, 409, 409]);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(2);
  const ended = once(child, "close");
  const workerd = /workerd is process (\d+)/.exec(output())?.[1];
  process.kill(Number(workerd), "SIGKILL");
  expect(await ended).toEqual([137, null]);
});
