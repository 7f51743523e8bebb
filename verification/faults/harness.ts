// A server that is killed and started again on the same files, and the hooks of its objects.

import { rm } from "node:fs/promises";

import { request } from "undici";

import { CommandFailure, EXIT } from "../../scripts/cli/command.ts";
import { eventsIn, type Tables } from "../model/tables.ts";
import type { LedgerEvent } from "../model/types.ts";
import { serve, type Served } from "../../scripts/server/workerd.ts";
import { FaultyNetwork } from "./proxy.ts";
import { storedIncarnations, type Incarnation } from "./stored.ts";

/**
 * Isolates of the Worker in front of the same objects: one may hold a certificate that another makes false.
 */
export const ISOLATES = 2;

/** The tables of a coupon at its deletion. */
type Removed = Incarnation & { readonly at: number };

export type HarnessOptions = {
  /** A build of the fault hooks. */
  readonly bundle: string;
  /** A folder for the files. The harness makes and removes it. */
  readonly state: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};

export class Harness {
  readonly network: FaultyNetwork;
  readonly #options: HarnessOptions;
  readonly #removed: Removed[] = [];
  #server: Served | null = null;
  #unread = "";

  private constructor(options: HarnessOptions, network: FaultyNetwork) {
    this.#options = options;
    this.network = network;
  }

  /** Starts a server, and the network in front of it. */
  static async open(options: HarnessOptions): Promise<Harness> {
    const harness = new Harness(options, await FaultyNetwork.open());
    await harness.#start();
    return harness;
  }

  /**
   * Kills the server and starts it again on the same files. Throws {@link CommandFailure} if it ended by
   * itself.
   */
  async restart(): Promise<void> {
    await this.#kill();
    await this.#start();
  }

  /** Aborts a coupon's object or one of its lanes, or evicts the object. Returns false if no server answers. */
  async hook(name: string, fault: "abort" | "evict" | `lane-${number}`): Promise<boolean> {
    if (this.#server === null) return false;
    const url = `${this.#server.url}/__faults/${encodeURIComponent(name)}/${fault}`;
    const answered = await request(url, { method: "POST", signal: AbortSignal.timeout(5_000) }).catch(() => null);
    await answered?.body.dump().catch(() => undefined);
    return answered?.statusCode === 204;
  }

  /**
   * Kills the server. Returns a function that reads the ledgers of a coupon, through all of its incarnations.
   */
  async close(): Promise<(name: string) => readonly LedgerEvent[]> {
    await this.#kill();
    await this.network.close();
    const incarnations = await storedIncarnations(this.#options.state);
    await rm(this.#options.state, { recursive: true, maxRetries: 3 });
    return (name) => eventsOf(this.#removed, incarnations.get(name) ?? null, name);
  }

  /** Ends everything, in any state. */
  async abandon(): Promise<void> {
    await this.#server?.kill();
    await this.network.close();
  }

  async #start(): Promise<void> {
    const { bundle, state, vars, signal } = this.#options;
    signal.throwIfAborted();
    this.#server = await serve(bundle, {
      state,
      signal,
      vars: { REQUEST_LOG: "off", ...vars },
      // workerd lets a Worker evict an object only with these.
      flags: ["unsafe_module"],
      args: ["--experimental"],
      isolates: ISOLATES,
      onError: (text) => this.#read(text),
    }).catch((cause: unknown) => {
      throw new CommandFailure(cause instanceof Error ? cause.message : String(cause));
    });
    this.network.targets = this.#server.urls.map((url) => Number(new URL(url).port));
  }

  async #kill(): Promise<void> {
    this.network.targets = [];
    if (this.#server?.isRunning() === false) throw new CommandFailure("the server ended, without a kill", EXIT.failed);
    await this.#server?.kill();
    this.#server = null;
    this.#read("\n");
  }

  #read(text: string): void {
    const lines = (this.#unread + text).split("\n");
    this.#unread = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith(`{"event":"ledger_removed"`)) continue;
      this.#removed.push(JSON.parse(line) as Removed & { readonly tables: Tables });
    }
  }
}

/**
 * Returns the events of all incarnations, in order. An object logs its tables when it judges its deletion.
 * The log counts only if the deletion is stored: a kill may come before that. Of several logs of one
 * incarnation, the last is right. The next creation may have arrived before the deletion was judged.
 */
export function eventsOf(removed: readonly Removed[], alive: Incarnation | null, name: string): LedgerEvent[] {
  const said = removed.filter((incarnation) => incarnation.name === name && incarnation.epoch !== alive?.epoch);
  const last = said.filter(({ epoch }, index) => !said.slice(index + 1).some((later) => later.epoch === epoch));
  const incarnations = [...last, ...(alive === null ? [] : [alive])].map(({ tables }) => eventsIn(tables));
  return incarnations.flatMap((events, index) => {
    const over = last[index];
    if (over === undefined) return events;
    const at = Math.min(over.at, incarnations[index + 1]?.[0]?.at ?? Infinity);
    return events.concat({ kind: "removed", seq: 0, at, userId: null, position: null });
  });
}
