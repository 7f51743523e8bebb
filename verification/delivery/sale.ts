// One sale with kills, and then a quiet time in which everything must be delivered without any further request.

import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import { Pool } from "undici";

import { CommandFailure, EXIT } from "../../scripts/cli/command.ts";
import type { Served } from "../../scripts/server/workerd.ts";
import { couponClient, type CouponClient } from "../client/coupon-client.ts";
import type { Random } from "../random.ts";
import { verify } from "../verify/verify.ts";
import { ALL_EVENTS, isFor, judge, type Registration, type Verdict } from "./arrivals.ts";
import { Receiver, type Entry, type Fault } from "./receiver.ts";
import { Account, countOf, laneOf, WrongAnswer, type Lane } from "./requests.ts";
import { ledgersIn } from "./stored.ts";

/** When a kill comes: after a time, or at so many arrivals, answers of the receiver, or answers to callers since the start. */
export const AIMS = ["time", "arrived", "taken", "answered"] as const;
export type Kill = { readonly aim: (typeof AIMS)[number]; readonly count: number; readonly delayMs: number };

/**
 * How a sale ends. `busy`: the last kill comes while much is to be delivered, so the alarms of couriers must go on. `idle`: it
 * comes right after one more claim when all was delivered, so only the coupon's own alarm knows of it.
 */
export type Ending = "busy" | "idle";

export type Sale = {
  readonly name: string;
  readonly claimCount: number;
  readonly kills: readonly Kill[];
  readonly ending: Ending;
  readonly random: Random;
};
export type Outcome = Verdict & {
  readonly receipts: number;
  readonly faultCounts: Readonly<Record<Fault, number>>;
  /** From the last start of the server to the last delivery. */
  readonly quietMs: number;
};
export type Harness = {
  /** The sale creates this folder, and removes it at its end. */
  readonly state: string;
  readonly start: () => Promise<Served>;
  readonly onKill: () => void;
  readonly onQuiet: (note: string) => void;
};

/** What becomes of each coupon of a sale, and its last message. */
const FATES = [
  { fate: "none", last: null },
  { fate: "reborn", last: "coupon.ended" },
  { fate: "deleted", last: "coupon.deleted" },
] as const;
const CONNECTIONS = 4;
/** Where nothing more arrives or is answered, the kill comes all the same. */
const AIMED_WITHIN_MS = 3_000;
const ANSWER_WITHIN_MS = 30_000;
/** So long nothing may be delivered: longer than the alarms of a coupon and its courier, and two failed attempts. */
const STALLED_MS_MAX = 100_000;
const POLL_MS = 500;
/** A coupon notifies its courier at most once in this time. */
const NOTICE_MS = 1_000;

export function drawKills(count: number, random: Random): Kill[] {
  return Array.from({ length: count }, () => {
    const aim = random.pick(AIMS);
    const delayMs = aim === "time" ? random.below(1_500) : random.pick([0, 0, 1, 5, 30]);
    return { aim, count: aim === "time" ? 0 : 1 + random.below(60), delayMs };
  });
}

/** Runs a sale to its end. Throws {@link CommandFailure} where the server ends by itself, hangs, or gives a wrong answer. */
export async function runSale(sale: Sale, harness: Harness): Promise<Outcome> {
  const coupons = ["a", "b", "c"].map((letter) => `${sale.name}-${letter}`);
  const registrations: readonly Registration[] = [
    { events: ALL_EVENTS, coupons: null },
    { events: ALL_EVENTS, coupons: null },
    { events: ["claim.granted", "coupon.deleted"], coupons: coupons.slice(0, 2) },
  ];
  const account = new Account();
  const receiver = new Receiver(sale.random);
  await receiver.listen();
  const delivery: Delivery = { coupons, registrations, account, receiver, onQuiet: harness.onQuiet };
  try {
    await sell(sale, harness, delivery);
    const server = await harness.start();
    const startedAt = Date.now();
    const late = await quiet(server, delivery);
    const quietMs = Date.now() - startedAt;
    await server.kill();
    const verdict = await verdictOf(harness.state, delivery);
    const { faultCounts } = receiver;
    return { ...verdict, faults: [...late, ...verdict.faults], receipts: account.receipts.length, faultCounts, quietMs };
  } finally {
    await receiver.close();
    await rm(harness.state, { recursive: true, force: true, maxRetries: 3 });
  }
}

type Delivery = Pick<Harness, "onQuiet"> & {
  readonly coupons: readonly string[];
  readonly registrations: readonly Registration[];
  readonly account: Account;
  readonly receiver: Receiver;
};

/** Sends all requests, while the kills come. After the last kill there are no requests that could wake anything. */
async function sell({ claimCount, kills, ending, random }: Sale, { start, onKill }: Harness, delivery: Delivery): Promise<void> {
  const { coupons, account, receiver, registrations } = delivery;
  const lanes = FATES.map(({ fate }, index) => laneOf(coupons[index] ?? "", claimCount, fate, account, random));
  const requestCount = countOf(lanes);
  for (const [index, kill] of kills.entries()) {
    const isLast = index === kills.length - 1;
    const server = await start();
    const round = new Round(server, kill, receiver, account);
    if (index === 0) await register(round.client, registrations, receiver);
    const leftMin = isLast ? 0 : Math.floor(requestCount * (1 - (index + 1) / kills.length));
    if (!isLast) round.arm();
    await Promise.all(lanes.map((lane) => round.send(lane, () => countOf(lanes) <= leftMin)));
    if (isLast && ending === "idle") {
      await quiet(server, delivery);
      await lastClaim(round.client, coupons[0] ?? "", claimCount, account);
      void round.strike();
    } else if (isLast) round.arm();
    await round.killed();
    onKill();
  }
}

/** A change wakes the courier. The claim comes when the courier has delivered it, and before the coupon's next notice. */
async function lastClaim(client: CouponClient, coupon: string, claimCount: number, account: Account): Promise<void> {
  await client.change(coupon, { amount: 10 * claimCount + 1_000 });
  await pause(NOTICE_MS / 2);
  const { status, body } = await client.claim(coupon, "last-user", { key: "last-user" });
  if (status !== 201) throw new CommandFailure(`the last claim got ${status} ${JSON.stringify(body)}`, EXIT.failed);
  account.granted(coupon, body);
}

/** Compares what arrived, what callers got and the files of the ended server. */
async function verdictOf(state: string, { receiver, registrations, account }: Delivery): Promise<Verdict> {
  const { ledgers, departed } = await ledgersIn(state);
  const verdict = judge(receiver.log, registrations, ledgers, account.receipts);
  const checks = await verify({ state, receipts: verdict.living, isDelivered: true });
  const failed = checks.filter(({ verdict: is }) => is === "FAIL");
  const faults = [
    ...verdict.faults,
    ...departed.map((epoch) => `the ledger of the deleted incarnation ${epoch} is still in its object`),
    ...failed.map(({ coupon, number, detail }) => `${coupon}: verification ${number}: ${detail}`),
  ];
  return { ...verdict, faults };
}

/** One run of the server, from its start to its kill. */
class Round {
  readonly client: CouponClient;
  readonly #server: Served;
  readonly #kill: Kill;
  readonly #pool: Pool;
  readonly #killed = Promise.withResolvers<void>();
  #isArmed = false;
  #isKilled = false;

  constructor(server: Served, kill: Kill, receiver: Receiver, account: Account) {
    this.#server = server;
    this.#kill = kill;
    this.#pool = new Pool(server.url, { headersTimeout: ANSWER_WITHIN_MS, bodyTimeout: ANSWER_WITHIN_MS });
    this.client = couponClient(this.#pool);
    let count = 0;
    const happened = (aim: Kill["aim"]): void => {
      if (this.#isArmed && aim === kill.aim && ++count === kill.count) void this.strike(kill.delayMs);
    };
    receiver.onEntry = ({ is }) => happened(is);
    account.onAnswer = () => happened("answered");
  }

  /** From now on the kill comes when it is due. */
  arm(): void {
    this.#isArmed = true;
    void this.strike(this.#kill.aim === "time" ? this.#kill.delayMs : AIMED_WITHIN_MS);
  }

  /** Sends the requests of a lane until `isEnough`, or the kill. Those without an answer stay in the lane. */
  async send(lane: Lane, isEnough: () => boolean): Promise<void> {
    while (!this.#isKilled && !isEnough()) {
      const [stage] = lane;
      if (stage === undefined) return;
      const sent = stage.splice(0, CONNECTIONS);
      const unanswered = await Promise.all(
        sent.map((request) =>
          request(this.client).then(
            () => [],
            (cause: unknown) => this.#unanswered(cause, request),
          ),
        ),
      );
      stage.unshift(...unanswered.flat());
      if (stage.length === 0) lane.shift();
    }
  }

  /** Kills the server. */
  async strike(delayMs = 0): Promise<void> {
    if (delayMs > 0) await pause(delayMs);
    this.#isKilled = true;
    await this.#server.kill();
    this.#killed.resolve();
  }

  async killed(): Promise<void> {
    await this.#killed.promise;
    await this.#pool.destroy();
  }

  #unanswered<Request>(cause: unknown, request: Request): Request[] {
    if (this.#isKilled && !(cause instanceof WrongAnswer)) return [request];
    throw new CommandFailure(
      cause instanceof WrongAnswer ? cause.message : `a request got no answer from a running server: ${String(cause)}`,
      EXIT.failed,
    );
  }
}

/** Waits until the server says that everything is delivered. Returns what is not. */
async function quiet(server: Served, delivery: Delivery): Promise<string[]> {
  const { coupons, onQuiet } = delivery;
  const pool = new Pool(server.url);
  let [seen, seenAt] = ["", Date.now()];
  try {
    for (;;) {
      const lags = await Promise.all(
        coupons.map((coupon, index) => lagOf(couponClient(pool), coupon, FATES[index]?.last ?? null, delivery)),
      );
      const left = coupons.flatMap((coupon, index) => (lags[index] === null ? [] : [`${coupon}: ${lags[index]}`]));
      if (left.length === 0) return [];
      if (left.join() !== seen) [seen, seenAt] = [left.join(), Date.now()];
      if (Date.now() - seenAt > STALLED_MS_MAX) return left.map((lag) => `nothing is delivered for ${STALLED_MS_MAX / 1000} s: ${lag}`);
      onQuiet(left.join(", "));
      await pause(POLL_MS);
    }
  } finally {
    await pool.destroy();
  }
}

/** What is not delivered of a coupon, or null. `last` is the type of its last message, where it has one. */
async function lagOf(
  client: CouponClient,
  coupon: string,
  last: string | null,
  { registrations, receiver }: Delivery,
): Promise<string | null> {
  const wanting = registrations.flatMap((one, endpoint) => (last !== null && isFor(one)({ type: last, coupon }) ? [endpoint] : []));
  const isLast = (entry: Entry): boolean =>
    entry.is === "arrived" && entry.body.includes(`"${last}"`) && entry.body.includes(`"${coupon}"`);
  const arrivedAt = new Set(receiver.log.filter(isLast).map(({ endpoint }) => endpoint));
  const missing = wanting.filter((endpoint) => !arrivedAt.has(endpoint));
  if (missing.length > 0) return `no ${last} at ${missing.length} endpoints`;
  const { status, body } = await client.send("GET", `/api/coupons/${coupon}/delivery`);
  // A deleted coupon that is delivered is forgotten.
  if (status === 404 && last === "coupon.deleted") return null;
  if (status !== 200) return `status ${status}`;
  const sinks = body["sinks"] as readonly { readonly lag_events: number }[];
  const lag = sinks.reduce((sum, { lag_events: events }) => sum + events, 0);
  const sinkCount = 1 + registrations.filter(({ coupons }) => coupons?.includes(coupon) ?? true).length;
  return lag === 0 && sinks.length === sinkCount ? null : `${lag} events at ${sinks.length} sinks`;
}

async function register(client: CouponClient, registrations: readonly Registration[], receiver: Receiver): Promise<void> {
  for (const [endpoint, { events, coupons }] of registrations.entries()) {
    const body = { url: receiver.urlOf(endpoint), events, coupons };
    const { status, body: webhook } = await client.send("POST", "/api/webhooks", { body });
    if (status !== 201) throw new CommandFailure(`the creation of a webhook got ${status} ${JSON.stringify(webhook)}`, EXIT.failed);
    receiver.expect(endpoint, String(webhook["secret"]));
  }
}
