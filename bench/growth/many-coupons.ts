// What a server holds open and in memory when it has many coupons.

import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import { Pool } from "undici";

import { memoryOf, openFilesOf } from "../machine/processes.ts";
import type { GrowthRecord, ManyCouponsRecord } from "../record.ts";
import { succeeds } from "../systems/own-server.ts";
import { served, Skipped, type Lab } from "../systems/system.ts";
import { CommandFailure, EXIT } from "../../verification/cli/command.ts";
import { PRODUCT, type Served } from "../../verification/server/workerd.ts";

const COUNTS = [1, 1_000, 10_000] as const;
const AT_ONCE = 64;
/** A run of everything has to end some time. */
const MAKING_MS_MAX = 180_000;
/** More than the ten seconds after which workerd lets go of an idle object. */
const IDLE_MS = 15_000;
/** For each object in use, measured; and for all else. */
const OPEN_FILES_EACH = 3;
/** The ones made last may still be in use when those that fit are asked. */
const IN_USE_MAX = 1_500;
const OPEN_FILES_ELSE = 500;

/**
 * Creates so many coupons, claims a unit of each, reads all of them, and measures what the server holds then, and when all are
 * idle. Where a process may not open as many files as all of them take, only the last ones are looked at, as many as fit.
 */
export async function measureManyCoupons(lab: Lab): Promise<GrowthRecord> {
  const server = await served(lab, PRODUCT);
  const openFilesMax = await allowedOpenFiles(server);
  const pool = new Pool(server.url, { connections: AT_ONCE, pipelining: 1 });
  lab.atEnd(() => pool.destroy());
  const manyCoupons: ManyCouponsRecord[] = [];
  let made = 0;
  for (const coupons of COUNTS) {
    const fitting = Math.floor((openFilesMax - OPEN_FILES_ELSE) / OPEN_FILES_EACH) - IN_USE_MAX;
    const asked = Math.max(1, Math.min(coupons, fitting));
    lab.say(`making ${coupons.toLocaleString("en")} coupons`);
    made += await make(pool, made, coupons, fitting);
    if (made < coupons) {
      lab.skip("many-coupons", `making ${coupons.toLocaleString("en")} coupons takes more than ${MAKING_MS_MAX / 1000} s here`);
      break;
    }
    // Those that were made first may be idle by now.
    const startedAt = performance.now();
    await inTurn(asked, (index) => ask(pool, "GET", `/api/coupons/coupon-${coupons - asked + index}/status`, 200));
    manyCoupons.push({ coupons, asked, askedWithinMs: performance.now() - startedAt, ...(await heldBy(server)) });
  }
  await pause(IDLE_MS);
  manyCoupons.push({ coupons: made, askedWithinMs: null, ...(await heldBy(server)) });
  await pool.destroy();
  await server.kill();
  return { manyCoupons };
}

/** Makes those from `first` to `count` - 1, no more at a time than may be in use together, and answers how many it made in its time. */
async function make(pool: Pool, first: number, count: number, fitting: number): Promise<number> {
  const startedAt = performance.now();
  let made = 0;
  while (first + made < count && performance.now() - startedAt < MAKING_MS_MAX) {
    const groupStartedAt = performance.now();
    const size = Math.min(fitting, count - first - made);
    const from = first + made;
    made += await inTurn(size, (index) => makeOne(pool, `coupon-${from + index}`), MAKING_MS_MAX - (groupStartedAt - startedAt));
    // Made so fast, all of them are in use still.
    if (count > fitting && performance.now() - groupStartedAt < IDLE_MS) await pause(IDLE_MS);
  }
  return made;
}

async function heldBy({ pid }: Served): Promise<Pick<ManyCouponsRecord, "openFiles" | "memoryBytes">> {
  return { openFiles: await openFilesOf(pid), memoryBytes: (await memoryOf(pid))?.nowBytes ?? null };
}

/** Lets the server open as many files as it will need, or as it may, and answers how many. */
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
  await ask(pool, "POST", "/api/coupons", 201, { name, amount: 10 });
  await ask(pool, "POST", "/api/coupons/claim", 201, { user_id: "somebody", coupon_name: name });
}

/** Does `work` for 0 … count - 1, some at a time, begins none after `msMax`, and answers how many it did. */
async function inTurn(count: number, work: (index: number) => Promise<void>, msMax: number = Infinity): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  async function worker(): Promise<void> {
    while (next < count && performance.now() - startedAt < msMax) await work((next += 1) - 1);
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return next;
}

async function ask(pool: Pool, method: "GET" | "POST", path: string, status: number, body?: unknown): Promise<void> {
  const { statusCode, body: answer } = await pool.request({ method, path, body: body === undefined ? null : JSON.stringify(body) });
  const text = await answer.text();
  if (statusCode !== status) throw new CommandFailure(`many-coupons: ${method} ${path} answered ${statusCode}: ${text}`, EXIT.failed);
}
