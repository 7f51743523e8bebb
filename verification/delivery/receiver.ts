// An HTTP server that receives webhooks, and sometimes fails, hangs, or answers late. It outlives the kills of the server.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

import { Webhook } from "standardwebhooks";

import type { Random } from "../random.ts";

/** How an endpoint can treat the first attempt at a message. Every later attempt gets 200 at once. */
const FAULTS = ["status 500", "closed", "late", "hangs"] as const;
export type Fault = (typeof FAULTS)[number];
/** One of so many messages meets each fault. A failure costs its endpoint five seconds. */
const ONE_IN: Readonly<Record<Fault, number>> = { "status 500": 300, closed: 300, late: 30, hangs: 2_000 };
const LATE_MS_MAX = 300;
/** Longer than the server waits. */
const HANGS_MS = 11_000;

/** What an endpoint has seen, in the order of time. `taken` is an answer of 200 that could be sent. */
export type Entry =
  | {
      readonly is: "arrived";
      readonly endpoint: number;
      readonly id: string;
      readonly body: string;
      readonly signatureFault: string | null;
    }
  | { readonly is: "taken"; readonly endpoint: number; readonly id: string };

export class Receiver {
  readonly log: Entry[] = [];
  readonly faultCounts = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  /** Called after each entry. */
  onEntry: (entry: Entry) => void = () => undefined;
  readonly #random: Random;
  readonly #secrets = new Map<number, string>();
  readonly #seen = new Set<string>();
  readonly #server = createServer((request, response) => void this.#receive(request, response).catch(() => response.destroy()));

  constructor(random: Random) {
    this.#random = random;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  /** The URL of an endpoint. */
  urlOf(endpoint: number): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${endpoint}`;
  }

  /** What signs the messages of an endpoint. */
  expect(endpoint: number, secret: string): void {
    this.#secrets.set(endpoint, secret);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const endpoint = Number(request.url?.slice(1));
    const body = await text(request);
    const id = String(request.headers["webhook-id"]);
    // The draw comes first, so that an answer is planned before the server can be killed.
    const fault = this.#draw(`${endpoint} ${id}`);
    this.#enter({ is: "arrived", endpoint, id, body, signatureFault: this.#signatureFault(endpoint, request, body) });
    if (fault !== null) this.faultCounts[fault] += 1;
    if (fault === "closed") return void response.destroy();
    const pauseMs = fault === "late" ? this.#random.below(LATE_MS_MAX) : fault === "hangs" ? HANGS_MS : 0;
    if (pauseMs > 0) await new Promise((resume) => setTimeout(resume, pauseMs));
    if (response.destroyed) return;
    response.writeHead(fault === "status 500" ? 500 : 200).end();
    if (fault !== "status 500") this.#enter({ is: "taken", endpoint, id });
  }

  #enter(entry: Entry): void {
    this.log.push(entry);
    this.onEntry(entry);
  }

  #draw(name: string): Fault | null {
    if (this.#seen.has(name)) return null;
    this.#seen.add(name);
    return FAULTS.find((fault) => this.#random.below(ONE_IN[fault]) === 0) ?? null;
  }

  #signatureFault(endpoint: number, { headers }: IncomingMessage, body: string): string | null {
    try {
      const names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
      const signed = Object.fromEntries(names.map((name) => [name, String(headers[name])]));
      new Webhook(this.#secrets.get(endpoint) ?? "").verify(body, signed);
      return null;
    } catch (cause) {
      return String(cause);
    }
  }
}
