// One sale under fire: a server that is killed again and again and goes on with the same files, until every caller has an answer.

import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import { Pool } from "undici";

import { CommandFailure, EXIT } from "../cli/command.ts";
import { couponClient } from "../client/coupon-client.ts";
import type { Random } from "../random.ts";
import type { Served } from "../server/workerd.ts";
import { verify } from "../verify/verify.ts";
import { Account, type Caller } from "./accounting.ts";
import { storedClaims } from "./stored.ts";

export const COUPONS = ["a", "b", "c"] as const;
export const AMOUNT = 600;
/** More than there is, so that every coupon ends sold out. */
export const CALLERS = 2_250;
/** Claims on their way at any time, each on a connection of its own. */
export const CONNECTIONS = 64;
/** Every kill comes before this share of the answers, so that claims are on their way when it does. */
const KILLS_UNTIL = 0.9;
/** A kill follows the answer that it was drawn for by less than this. */
const KILL_DELAY_MS_MAX = 8;
/** Far beyond what an answer takes, so that a server that hangs is found out. */
const ANSWER_WITHIN_MS = 30_000;

/** Comes `delayMs` after so many answers since the sale began. */
type Kill = { readonly afterAnswers: number; readonly delayMs: number };

export type Sale = { readonly amounts: ReadonlyMap<string, number>; readonly callers: readonly Caller[]; readonly kills: readonly Kill[] };

/** What a sale needs of its surroundings. */
export type Ground = {
  /** A folder that it makes for the files, and removes at its end. */
  readonly state: string;
  /** Starts the server on these files. */
  readonly start: () => Promise<Served>;
  /** Told of every kill. */
  readonly onKill: () => void;
};

/** Draws sale number `index` with so many kills; of its instants any is as likely as any other. */
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

/** Runs a sale to its end and answers its books. Throws {@link CommandFailure} where the server ends by itself, or hangs. */
export async function runSale(sale: Sale, { state, start, onKill }: Ground): Promise<Account> {
  const account = new Account(sale.callers);
  let server = await start();
  await createCoupons(server, sale);
  let waiting = sale.callers;
  let answerCount = 0;

  for (const { afterAnswers, delayMs } of sale.kills) {
    const rushed = await rush(server, waiting, account, { afterAnswers: Math.max(1, afterAnswers - answerCount), delayMs });
    if (rushed.killedAtMs === null) throw new Error("the sale was over before its last kill");
    answerCount += rushed.answerCount;
    const unanswered = account.killed(await storedClaims(state), rushed.killedAtMs);
    // Who was left without an answer asks again before anybody else.
    waiting = [...unanswered, ...rushed.unasked];
    onKill();
    server = await start();
  }

  await rush(server, waiting, account, null);
  const checks = await verify({ state, api: { url: server.url }, receipts: account.told });
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
      if (status !== 201) throw new CommandFailure(`creating a coupon was answered ${status}`, EXIT.failed);
    }
  } finally {
    await pool.destroy();
  }
}

type Rushed = { readonly answerCount: number; readonly unasked: readonly Caller[]; readonly killedAtMs: number | null };

/** Asks for everybody in their order, over all connections at once, until nobody is left or the kill has come. */
async function rush(server: Served, callers: readonly Caller[], account: Account, kill: Kill | null): Promise<Rushed> {
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
        throw new CommandFailure(`a claim got no answer though nobody had killed the server: ${String(cause)}`, EXIT.failed);
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
