// What a server holds open and in memory when it has many coupons.

import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import { Pool } from "undici";

import { memoryOf, openFilesOf } from "../machine/processes.ts";
import type { GrowthRecord, ManyCouponsRecord } from "../record.ts";
import { succeeds } from "../systems/own-server.ts";
import { served, Skipped, type Lab } from "../systems/system.ts";
import { CommandFailure, EXIT } from "../../scripts/cli/command.ts";
import { PRODUCT, type Served } from "../../scripts/server/workerd.ts";

const COUNTS = [1, 1_000, 10_000] as const;
const AT_ONCE = 64;
/** More than the ten seconds after which workerd evicts an idle object. */
const IDLE_MS = 15_000;
/** Open files of each object in use, measured, and of everything else. */
const OPEN_FILES_EACH = 3;
const OPEN_FILES_ELSE = 500;
/** The coupons made last may still be in use when the ones that fit are read. */
const IN_USE_MAX = 1_500;

/**
 * Creates so many coupons, claims a unit of each, reads all of them, and measures what the server holds then,
 * and when all are idle. Where a process may not open as many files as all of them take, it reads only the
 * last ones, as many as fit.
 */
export async function measureManyCoupons(lab: Lab): Promise<GrowthRecord> {
  const server = await served(lab, PRODUCT);
  const fitting = Math.floor(((await allowedOpenFiles(server)) - OPEN_FILES_ELSE) / OPEN_FILES_EACH) - IN_USE_MAX;
  if (fitting < 1) throw new Skipped("a process may open too few files here");
  const pool = new Pool(server.url, { connections: AT_ONCE, pipelining: 1 });
  lab.atEnd(() => pool.destroy());
  const manyCoupons: ManyCouponsRecord[] = [];
  let made = 0;
  for (const coupons of COUNTS) {
    lab.log(`making ${coupons.toLocaleString("en")} coupons`);
    for (; made < coupons; made = Math.min(coupons, made + fitting)) {
      const first = made;
      await forEach(Math.min(fitting, coupons - first), (index) => makeOne(pool, `coupon-${first + index}`));
      // The next group fits once this one is idle.
      if (first + fitting < coupons) await pause(IDLE_MS);
    }
    const asked = Math.min(coupons, fitting);
    const startedAt = performance.now();
    await forEach(asked, (index) => request(pool, "GET", `/api/coupons/coupon-${coupons - asked + index}/status`, 200));
    manyCoupons.push({ coupons, asked, askedWithinMs: performance.now() - startedAt, ...(await heldBy(server)) });
  }
  await pause(IDLE_MS);
  manyCoupons.push({ coupons: made, askedWithinMs: null, ...(await heldBy(server)) });
  await pool.destroy();
  await server.kill();
  return { manyCoupons };
}

async function heldBy({ pid }: Served): Promise<Pick<ManyCouponsRecord, "openFiles" | "memoryBytes">> {
  return { openFiles: await openFilesOf(pid), memoryBytes: (await memoryOf(pid))?.nowBytes ?? null };
}

/** Lets the server open as many files as it needs, or as the system allows. Returns how many. */
async function allowedOpenFiles({ pid }: Served): Promise<number> {
  const wanted = (Math.max(...COUNTS) + IN_USE_MAX) * OPEN_FILES_EACH + OPEN_FILES_ELSE;
  const limits = await readFile(`/proc/${pid}/limits`, "utf8").catch(() => "");
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1];
  for (const count of [wanted, Number(hard)]) {
    if (await succeeds("prlimit", ["--pid", String(pid), `--nofile=${count}:${count}`])) return count;
  }
  throw new Skipped("how many files a process may open is unknown here");
}

async function makeOne(pool: Pool, name: string): Promise<void> {
  await request(pool, "POST", "/api/coupons", 201, { name, amount: 10 });
  await request(pool, "POST", "/api/coupons/claim", 201, { user_id: "ada", coupon_name: name });
}

/** Does `work` for 0 … count - 1, some at a time. */
async function forEach(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  async function worker(): Promise<void> {
    while (next < count) await work((next += 1) - 1);
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function request(pool: Pool, method: "GET" | "POST", path: string, status: number, body?: unknown): Promise<void> {
  const { statusCode, body: answer } = await pool.request({ method, path, body: body === undefined ? null : JSON.stringify(body) });
  const text = await answer.text();
  if (statusCode !== status) throw new CommandFailure(`many-coupons: ${method} ${path} answered ${statusCode}: ${text}`, EXIT.failed);
}
