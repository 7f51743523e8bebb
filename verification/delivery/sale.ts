// One sale with kills, and then a quiet time in which everything must be delivered without any further request.

import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import { Pool } from "undici";

import { CommandFailure, EXIT } from "../../scripts/cli/command.ts";
import type { Served } from "../../scripts/server/workerd.ts";
import { couponClient, type CouponClient } from "../client/coupon-client.ts";
import type { Random } from "../random.ts";
import { verify } from "../verify/verify.ts";
import { ALL_EVENTS, judge, type Registration, type Verdict } from "./arrivals.ts";
import { Receiver, type Entry, type Fault } from "./receiver.ts";
import { Account, countOf, laneOf, WrongAnswer, type Lane } from "./requests.ts";
import { ledgersIn } from "./stored.ts";

/** When a kill comes: after a time, or at so many arrivals, answers of the receiver, or answers to callers since the start. */
export const AIMS = ["time", "arrived", "taken", "answered"] as const;
export type Kill = { readonly aim: (typeof AIMS)[number]; readonly count: number; readonly delayMs: number };

export type Sale = { readonly name: string; readonly claimCount: number; readonly kills: readonly Kill[]; readonly random: Random };
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

const CONNECTIONS = 4;
/** Where nothing more arrives or is answered, the kill comes all the same. */
const AIMED_WITHIN_MS = 3_000;
const ANSWER_WITHIN_MS = 30_000;
/** So long nothing may be delivered: longer than the alarms of a coupon and its courier, and two failed attempts. */
const STALLED_MS_MAX = 100_000;
const POLL_MS = 500;

export function drawKills(count: number, random: Random): Kill[] {
  return Array.from({ length: count }, () => {
    const aim = random.pick(AIMS);
    const delayMs = aim === "time" ? random.below(1_500) : random.pick([0, 0, 1, 5, 30]);
    return { aim, count: aim === "time" ? 0 : 1 + random.below(60), delayMs };
  });
}

/** Runs a sale to its end. Throws {@link CommandFailure} where the server ends by itself, hangs, or gives a wrong answer. */
export async function runSale({ name, claimCount, kills, random }: Sale, { state, start, onKill, onQuiet }: Harness): Promise<Outcome> {
  const coupons = ["a", "b", "c"].map((letter) => `${name}-${letter}`);
  const [living = "", reborn = "", deleted = ""] = coupons;
  const registrations: readonly Registration[] = [
    { events: ALL_EVENTS, coupons: null },
    { events: ALL_EVENTS, coupons: null },
    { events: ["claim.granted", "coupon.deleted"], coupons: [living, reborn] },
  ];
  const account = new Account();
  const receiver = new Receiver(random);
  await receiver.listen();
  const lanes = [
    laneOf(living, claimCount, "none", account, random),
    laneOf(reborn, claimCount, "reborn", account, random),
    laneOf(deleted, claimCount, "deleted", account, random),
  ];
  const requestCount = countOf(lanes);
  try {
    for (const [index, kill] of kills.entries()) {
      const isLast = index === kills.length - 1;
      const round = new Round(await start(), kill, receiver, account);
      if (index === 0) await register(round.client, registrations, receiver);
      const leftMin = isLast ? 0 : Math.floor(requestCount * (1 - (index + 1) / kills.length));
      // After the last kill there are no requests that could wake anything.
      if (!isLast) round.arm();
      await Promise.all(lanes.map((lane) => round.send(lane, () => countOf(lanes) <= leftMin)));
      if (isLast) round.arm();
      await round.killed();
      onKill();
    }
    const server = await start();
    const startedAt = Date.now();
    const late = await quiet(server, coupons, registrations, receiver.log, onQuiet);
    const quietMs = Date.now() - startedAt;
    await server.kill();

    const { ledgers, departed } = await ledgersIn(state);
    const verdict = judge(receiver.log, registrations, ledgers, account.receipts);
    const checks = await verify({ state, receipts: verdict.living, isDelivered: true });
    const failed = checks.filter(({ verdict: is }) => is === "FAIL");
    const faults = [
      ...late,
      ...verdict.faults,
      ...departed.map((epoch) => `the ledger of the deleted incarnation ${epoch} is still in its object`),
      ...failed.map(({ coupon, number, detail }) => `${coupon}: verification ${number}: ${detail}`),
    ];
    return { ...verdict, faults, receipts: account.receipts.length, faultCounts: receiver.faultCounts, quietMs };
  } finally {
    await receiver.close();
    await rm(state, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** One run of the server, from its start to its kill. */
class Round {
  readonly client: CouponClient;
  readonly #server: Served;
  readonly #kill: Kill;
  readonly #pool: Pool;
  readonly #killed = Promise.withResolvers<void>();
  #isKilled = false;

  constructor(server: Served, kill: Kill, receiver: Receiver, account: Account) {
    this.#server = server;
    this.#kill = kill;
    this.#pool = new Pool(server.url, { headersTimeout: ANSWER_WITHIN_MS, bodyTimeout: ANSWER_WITHIN_MS });
    this.client = couponClient(this.#pool);
    let count = 0;
    const happened = (aim: Kill["aim"]): void => {
      if (aim === kill.aim && ++count === kill.count && this.#isArmed) void this.#strike(kill.delayMs);
    };
    receiver.onEntry = ({ is }) => happened(is);
    account.onAnswer = () => happened("answered");
  }

  #isArmed = false;

  /** From now on the kill comes when it is due. */
  arm(): void {
    this.#isArmed = true;
    void this.#strike(this.#kill.aim === "time" ? this.#kill.delayMs : AIMED_WITHIN_MS);
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

  async #strike(delayMs: number): Promise<void> {
    if (delayMs > 0) await pause(delayMs);
    this.#isKilled = true;
    await this.#server.kill();
    this.#killed.resolve();
  }
}

/** Waits until the server says that everything is delivered. Returns what is not. */
async function quiet(
  server: Served,
  coupons: readonly string[],
  registrations: readonly Registration[],
  log: readonly Entry[],
  onQuiet: (note: string) => void,
): Promise<string[]> {
  const pool = new Pool(server.url);
  let [seen, seenAt] = ["", Date.now()];
  try {
    for (;;) {
      const lags = await Promise.all(coupons.map((coupon) => lagOf(couponClient(pool), coupon, registrations, log)));
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

/** What is not delivered of a coupon, or null. */
async function lagOf(
  client: CouponClient,
  coupon: string,
  registrations: readonly Registration[],
  log: readonly Entry[],
): Promise<string | null> {
  const { status, body } = await client.send("GET", `/api/coupons/${coupon}/delivery`);
  const endpointCount = registrations.filter(({ coupons }) => coupons?.includes(coupon) ?? true).length;
  if (status === 404) {
    const arrived = log.filter((entry) => entry.is === "arrived" && entry.body.includes("coupon.deleted") && entry.body.includes(coupon));
    const deletedAt = new Set(arrived.map(({ endpoint }) => endpoint)).size;
    return deletedAt === endpointCount ? null : `the deletion is at ${deletedAt} of ${endpointCount} endpoints`;
  }
  if (status !== 200) return `status ${status}`;
  const sinks = body["sinks"] as readonly { readonly lag_events: number }[];
  const lag = sinks.reduce((sum, { lag_events: events }) => sum + events, 0);
  return lag === 0 && sinks.length === 1 + endpointCount ? null : `${lag} events at ${sinks.length} sinks`;
}

async function register(client: CouponClient, registrations: readonly Registration[], receiver: Receiver): Promise<void> {
  for (const [endpoint, { events, coupons }] of registrations.entries()) {
    const body = { url: receiver.urlOf(endpoint), events, coupons };
    const { status, body: webhook } = await client.send("POST", "/api/webhooks", { body });
    if (status !== 201) throw new CommandFailure(`the creation of a webhook got ${status} ${JSON.stringify(webhook)}`, EXIT.failed);
    receiver.expect(endpoint, String(webhook["secret"]));
  }
}
