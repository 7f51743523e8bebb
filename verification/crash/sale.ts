// One sale on a server that is killed and restarted on the same files, until every caller has an answer.

import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import { Pool } from "undici";

import { CommandFailure, EXIT } from "../../scripts/cli/command.ts";
import { couponClient } from "../client/coupon-client.ts";
import type { Random } from "../random.ts";
import type { Served } from "../../scripts/server/workerd.ts";
import { verify } from "../verify/verify.ts";
import { Account, type Caller } from "./accounting.ts";
import { storedClaims } from "./stored.ts";

export const COUPONS = ["a", "b", "c"] as const;
export const AMOUNT = 600;
/** More than the stock, so that every coupon sells out. */
export const CALLERS = 2_250;
/** Claims in flight, each on its own connection. */
export const CONNECTIONS = 64;
/** Every kill comes before this share of the answers, so that claims are in flight. */
const KILLS_UNTIL = 0.9;
/** A kill follows its drawn answer by less than this. */
const KILL_DELAY_MS_MAX = 8;
/** Far longer than an answer takes, so that a hanging server is found. */
const ANSWER_WITHIN_MS = 30_000;

/** `delayMs` after so many answers since the sale began. */
type Kill = { readonly afterAnswers: number; readonly delayMs: number };

export type Sale = { readonly amounts: ReadonlyMap<string, number>; readonly callers: readonly Caller[]; readonly kills: readonly Kill[] };

export type Harness = {
  /** The sale creates this folder, and removes it at its end. */
  readonly state: string;
  /** Starts the server on these files. */
  readonly start: () => Promise<Served>;
  readonly onKill: () => void;
};

/** Draws sale number `index` with so many kills at uniformly distributed instants. */
export function drawSale(index: number, killCount: number, random: Random): Sale {
  const coupons = COUPONS.map((letter) => `crash-${index}-${letter}`);
  const callers = Array.from({ length: CALLERS }, (_, number) => {
    const coupon = coupons[number % coupons.length] ?? "";
    return { coupon, userId: `user-${number}`, key: `${coupon}-${number}` };
  });
  const kills = Array.from({ length: killCount }, () => ({
    afterAnswers: 1 + random.below(Math.floor(CALLERS * KILLS_UNTIL)),
    delayMs: random.below(KILL_DELAY_MS_MAX),
  }));
  kills.sort((a, b) => a.afterAnswers - b.afterAnswers);
  return { amounts: new Map(coupons.map((coupon) => [coupon, AMOUNT])), callers, kills };
}

/** Runs a sale to its end. Throws {@link CommandFailure} if the server ends by itself or hangs. */
export async function runSale(sale: Sale, { state, start, onKill }: Harness): Promise<Account> {
  const account = new Account(sale.callers);
  let server = await start();
  await createCoupons(server, sale);
  let waiting = sale.callers;
  let answerCount = 0;

  for (const { afterAnswers, delayMs } of sale.kills) {
    const claimed = await claimAll(server, waiting, account, { afterAnswers: Math.max(1, afterAnswers - answerCount), delayMs });
    if (claimed.killedAtMs === null) throw new Error("the sale was over before its last kill");
    answerCount += claimed.answerCount;
    const unanswered = account.killed(await storedClaims(state), claimed.killedAtMs);
    // Callers without an answer ask again first.
    waiting = [...unanswered, ...claimed.unasked];
    onKill();
    server = await start();
  }

  await claimAll(server, waiting, account, null);
  const checks = await verify({ state, api: { url: server.url }, receipts: account.receipts });
  await server.kill();
  account.closed(await storedClaims(state), sale.amounts, checks);
  await rm(state, { recursive: true, maxRetries: 3 });
  return account;
}

async function createCoupons({ url }: Served, { amounts }: Sale): Promise<void> {
  const pool = new Pool(url);
  try {
    for (const [name, amount] of amounts) {
      const { status } = await couponClient(pool).create(name, amount);
      if (status !== 201) throw new CommandFailure(`the creation of a coupon got ${status}`, EXIT.failed);
    }
  } finally {
    await pool.destroy();
  }
}

type Claimed = { readonly answerCount: number; readonly unasked: readonly Caller[]; readonly killedAtMs: number | null };

/** Sends the claims in order over all connections, until all are answered or the kill comes. */
async function claimAll(server: Served, callers: readonly Caller[], account: Account, kill: Kill | null): Promise<Claimed> {
  const pool = new Pool(server.url, { connections: CONNECTIONS, headersTimeout: ANSWER_WITHIN_MS, bodyTimeout: ANSWER_WITHIN_MS });
  const client = couponClient(pool);
  const line = callers.values();
  const killed = Promise.withResolvers<number>();
  let isKilled = false;
  let answerCount = 0;

  async function killAfter(delayMs: number): Promise<void> {
    await pause(delayMs);
    isKilled = true;
    const killedAtMs = performance.now();
    await server.kill();
    killed.resolve(killedAtMs);
  }

  async function connection(): Promise<void> {
    while (!isKilled) {
      const { value: caller } = line.next();
      if (caller === undefined) return;
      account.asked(caller);
      const answer = await client.claim(caller.coupon, caller.userId, { key: caller.key }).catch((cause: unknown) => {
        if (isKilled) return null;
        throw new CommandFailure(`a claim got no answer from a running server: ${String(cause)}`, EXIT.failed);
      });
      if (answer === null) return;
      account.answered(caller, answer, performance.now());
      answerCount += 1;
      if (answerCount === kill?.afterAnswers) void killAfter(kill.delayMs);
    }
  }

  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, connection));
    const isDue = kill !== null && answerCount >= kill.afterAnswers;
    return { answerCount, unasked: [...line], killedAtMs: isDue ? await killed.promise : null };
  } finally {
    await pool.destroy();
  }
}
