// Measures claims that come at once on the local server, for the check of the calculator.

import { closeSync, openSync, readSync } from "node:fs";
import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";

import { Pool } from "undici";

import { create, served, type Lab } from "../systems/system.ts";
import { CommandFailure, EXIT } from "../../scripts/cli/command.ts";
import { PRODUCT, type Served } from "../../scripts/server/workerd.ts";

/** What a number of claims at once took, by the clock of the server's thread. */
export type Wave = {
  readonly count: number;
  /** From the first claim that is sent to the last answer, and to the last claim that is sent. */
  readonly tookMs: number;
  readonly sentMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** As `tookMs`, by the clock on the wall. */
  readonly wallMs: number;
};

/** Claims that are sent before the driver reads answers again. */
const SENT_TOGETHER = 25;
const USERS_PER_BULK = 1_000;
const BULKS = 5;
/** Until a refusal has brought a certificate. */
const CERTIFICATE_MS = 100;
const KEPT_OPEN_MS = 600_000;

/** A local server with a setting of `LANES`, and open connections to it. */
export class Site {
  readonly #server: Served;
  readonly #pool: Pool;
  readonly #clock: () => number;
  #couponCount = 0;

  private constructor(server: Served, connections: number, clock: () => number) {
    this.#server = server;
    this.#clock = clock;
    this.#pool = new Pool(server.url, { connections, pipelining: 1, keepAliveTimeout: KEPT_OPEN_MS, keepAliveMaxTimeout: KEPT_OPEN_MS });
  }

  static async start(lab: Lab, lanes: string, connections: number): Promise<Site> {
    const server = await served(lab, PRODUCT, { vars: { LANES: lanes } });
    const site = new Site(server, connections, threadClock(lab, server.pid));
    lab.atEnd(() => site.#pool.destroy());
    await Promise.all(Array.from({ length: connections }, () => site.#request("GET", "/health", 200)));
    return site;
  }

  /** So many users claim a unit of a new coupon at once. */
  async claims(count: number): Promise<Wave> {
    return this.#wave(await this.#coupon(count), count, 201);
  }

  /** So many users are refused at once, by certificate. */
  async refusals(count: number): Promise<Wave> {
    const coupon = await this.#coupon(1);
    for (const status of [201, 400]) await this.#claim(coupon, `early-${status}`, status);
    await pause(CERTIFICATE_MS);
    return this.#wave(coupon, count, 400);
  }

  /** Returns the microseconds of a claim in bulk claims of a thousand. */
  async bulkClaimUs(): Promise<number> {
    const coupon = await this.#coupon(BULKS * USERS_PER_BULK);
    const startedAt = this.#clock();
    for (let bulk = 0; bulk < BULKS; bulk += 1) {
      const userIds = Array.from({ length: USERS_PER_BULK }, (_, user) => `user-${bulk}-${user}`);
      await this.#request("POST", `/api/coupons/${coupon}/claims`, 200, { user_ids: userIds });
    }
    return (1000 * (this.#clock() - startedAt)) / (BULKS * USERS_PER_BULK);
  }

  async #coupon(amount: number): Promise<string> {
    const name = `wave-${(this.#couponCount += 1)}`;
    await create(this.#server.url, name, amount);
    return name;
  }

  async #wave(coupon: string, count: number, status: number): Promise<Wave> {
    const waits: number[] = [];
    const answers: Promise<void>[] = [];
    const clock = this.#clock;
    const [startedAt, wallAt] = [clock(), performance.now()];
    for (let user = 0; user < count; user += 1) {
      const sentAt = clock();
      answers.push(this.#claim(coupon, `user-${user}`, status).then(() => void waits.push(clock() - sentAt)));
      if (user % SENT_TOGETHER === 0) await turn();
    }
    const sentMs = clock() - startedAt;
    await Promise.all(answers);
    const [tookMs, wallMs] = [clock() - startedAt, performance.now() - wallAt];
    waits.sort((one, other) => one - other);
    const at = (share: number): number => waits[Math.ceil(count * share) - 1] ?? 0;
    return { count, tookMs, sentMs, p50Ms: at(0.5), p99Ms: at(0.99), wallMs };
  }

  async #claim(coupon: string, user: string, status: number): Promise<void> {
    await this.#request("POST", "/api/coupons/claim", status, { user_id: user, coupon_name: coupon });
  }

  async #request(method: "GET" | "POST", path: string, status: number, body?: unknown): Promise<void> {
    const answered = await this.#pool.request({ method, path, body: body === undefined ? null : JSON.stringify(body) });
    const text = await answered.body.text();
    if (answered.statusCode !== status) throw new CommandFailure(`${method} ${path} answered ${answered.statusCode}: ${text}`, EXIT.failed);
  }
}

/**
 * Returns the clock of a process's main thread, in milliseconds: it stands still while other programs have the
 * processor, or while nothing is to be done (`schedstat`, see proc(5)). So a busy machine hardly disturbs it.
 */
function threadClock(lab: Lab, pid: number): () => number {
  const file = openFile(`/proc/${pid}/schedstat`);
  lab.atEnd(async () => closeSync(file));
  const buffer = Buffer.alloc(64);
  return () => Number.parseInt(buffer.toString("latin1", 0, readSync(file, buffer, 0, buffer.length, 0)), 10) / 1e6;
}

function openFile(path: string): number {
  try {
    return openSync(path, "r");
  } catch {
    throw new CommandFailure("the check needs Linux, which says how long a thread has run");
  }
}
