// One history: some clients, one coupon, requests that meet faults, and the retries of an honest client.

import { setTimeout as pause } from "node:timers/promises";

import { Agent } from "undici";

import type { Operation } from "../history/history.ts";
import type { Answer, Call } from "../model/types.ts";
import { seeded, type Random } from "../random.ts";
import { drawCall, drawCreate, PROFILES, type Memory, type Profile } from "./calls.ts";
import { drawFaultPlan, NO_FAULT, type FaultKind, type FaultPlan } from "./fault-plan.ts";
import { ISOLATES } from "./harness.ts";
import { PASSAGE_HEADER, type FaultyNetwork, type Passage } from "./proxy.ts";
import { answerOf, requestOf } from "./wire.ts";

const CLIENTS_MIN = 3;
const CLIENTS_MAX = 8;
const OPERATIONS = 40;
/** Longer than an answer takes without a fault, including the wait for a lease. */
const ANSWER_WITHIN_MS = 3_000;
/** How often a client without an answer sends its request again. */
const RETRIES_MAX = 3;
const RETRY_PAUSE_MS_MAX = 60;
/** The longest pause of a client, so that holds and windows have the time to end. */
const THINKING_MS_MAX = 500;

/** Outcomes that may have returned units or opened the sale. */
const REOPENING: ReadonlySet<Answer["is"]> = new Set<Answer["is"]>(["changed", "released", "given_back", "ended"]);

type Recorded = Omit<Operation, "answer"> & { readonly answer: Answer | null; readonly passage: Passage };

/** Records one history. */
export class FaultySale {
  readonly name: string;
  readonly #network: FaultyNetwork;
  readonly #random: Random;
  readonly #recorded: Recorded[] = [];
  readonly #memory: Memory = { keys: [], positions: [], intentions: 0, isGone: true };
  readonly #profile: Profile;
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  #left = OPERATIONS;

  constructor(name: string, network: FaultyNetwork, random: Random) {
    this.name = name;
    this.#network = network;
    this.#random = random;
    this.#profile = random.pick(PROFILES);
  }

  /** Runs all clients to their end. */
  async run(): Promise<void> {
    try {
      await this.#ask("operator", drawCreate(this.#random, this.#profile), NO_FAULT);
      const clients = CLIENTS_MIN + this.#random.below(CLIENTS_MAX - CLIENTS_MIN + 1);
      // Each client has a seed of its own, because the network decides the order of clients.
      const seeds = Array.from({ length: clients }, () => this.#random.below(2 ** 31));
      await Promise.all(seeds.map((seed, index) => this.#client(`c${index + 1}`, seeded(seed))));
    } finally {
      await this.#agent.destroy();
    }
  }

  /** Reads the coupon once more, without faults. */
  async readLast(): Promise<void> {
    const agent = new Agent();
    try {
      await this.#ask("last", { kind: "read" }, NO_FAULT, 0, agent);
    } finally {
      await agent.destroy();
    }
  }

  /** The fault of each request. */
  get faults(): FaultKind[] {
    return this.#recorded.map(({ passage }) => passage.faultPlan.is);
  }

  /** Every request, and every duplicate that the network made. Complete once nothing is pending. */
  get operations(): Operation[] {
    return this.#recorded.flatMap(({ passage, ...operation }) => {
      // The server never had the whole request, so it must have no effect.
      if (passage.deliveries === 0 && operation.answer === null) return [{ ...operation, answer: { is: "undelivered", seq: 0 } }];
      const ghost = {
        ...operation,
        client: `${operation.client}'s duplicate`,
        endedAt: null,
        clockUntil: null,
        attempt: null,
        answer: null,
      };
      return [operation, ...Array.from({ length: passage.deliveries - 1 }, () => ghost)];
    });
  }

  async #client(client: string, random: Random): Promise<void> {
    while (this.#left > 0) {
      this.#left -= 1;
      const call = drawCall(random, this.#profile, this.#memory);
      let answer = await this.#ask(client, call, drawFaultPlan(random), random.below(ISOLATES));
      for (let retry = 0; answer === null && retry < RETRIES_MAX && random.below(5) > 0; retry += 1) {
        await pause(random.below(RETRY_PAUSE_MS_MAX));
        answer = await this.#ask(client, call, drawFaultPlan(random), random.below(ISOLATES));
      }
      if (answer !== null && REOPENING.has(answer.is)) await this.#claimAtOnce(client, random);
      if (random.below(4) === 0) await pause(random.below(THINKING_MS_MAX));
    }
  }

  /**
   * New users claim right after the sale may have reopened, through every isolate: no older certificate may
   * refuse them.
   */
  async #claimAtOnce(client: string, random: Random): Promise<void> {
    for (let isolate = 0; isolate < ISOLATES; isolate += 1) {
      this.#memory.intentions += 1;
      const key = random.below(2) === 0 ? null : `k${this.#memory.intentions}`;
      await this.#ask(client, { kind: "claim", userId: `n${this.#memory.intentions}`, key }, drawFaultPlan(random), isolate);
    }
  }

  /** Sends one request and records it. Returns its answer; null without one. */
  async #ask(client: string, call: Call, faultPlan: FaultPlan, isolate = 0, dispatcher: Agent = this.#agent): Promise<Answer | null> {
    const passage = this.#network.passage(faultPlan, isolate);
    const { method, path, headers, body } = requestOf(this.name, call);
    const clockFrom = Date.now();
    const startedAt = performance.now();
    const response = await dispatcher
      .request({
        origin: this.#network.url,
        method,
        path,
        headers: { ...headers, [PASSAGE_HEADER]: passage.id },
        body: body === null ? null : JSON.stringify(body),
        reset: true,
        signal: AbortSignal.timeout(faultPlan.is === "client_gone" ? faultPlan.ms + 1 : ANSWER_WITHIN_MS),
      })
      .then(async ({ statusCode: status, headers: answered, body: stream }) => ({ status, headers: answered, text: await stream.text() }))
      .catch(() => null);
    const endedAt = performance.now();
    const clockUntil = Date.now();
    const answer = response === null ? null : answerOf(this.name, call, { ...response, body: bodyIn(response.text) });
    // The request has no name of its own, so this is the Worker's name.
    const attempt = typeof response?.headers["x-request-id"] === "string" ? response.headers["x-request-id"] : null;
    const isAnswered = answer !== null;
    const times = { startedAt, endedAt: isAnswered ? endedAt : null, clockFrom, clockUntil: isAnswered ? clockUntil : null };
    this.#recorded.push({ client, call, ...times, attempt, answer, passage });
    if (answer !== null) this.#remember(call, answer);
    return answer;
  }

  #remember(call: Call, answer: Answer): void {
    if (answer.is === "coupon_not_found" || answer.is === "removed") this.#memory.isGone = true;
    else if (answer.seq > 0) this.#memory.isGone = false;
    if (call.kind === "claim" && answer.is === "claimed" && answer.position !== undefined)
      this.#memory.positions.push({ userId: call.userId, position: answer.position });
  }
}

/** A body that is no JSON shows no facts, and so can't be right where facts are due. */
function bodyIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
