// A measured server with its processes, the product's or a peer's, and what servers are started with.

import { join } from "node:path";

import type { Driver } from "../load/load.ts";
import { unitsOnDisk } from "./files.ts";
import { build, serve, type Served, type ServeOptions } from "../../scripts/server/workerd.ts";

export type System = {
  readonly url: string;
  /** The processes that it consists of, each with its descendants. */
  readonly pids: readonly number[];
  /** Claims and holds of a coupon that are stored now. */
  readonly stored: (coupon: string) => Promise<number>;
  /** The same, counted in the files of a stopped server. Null for a peer. */
  readonly onDisk: ((coupon: string) => Promise<number>) | null;
  readonly stop: () => Promise<void>;
};

/** A sentence that says why something can't be measured here. The rest of the run goes on. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}

/** What systems are started with. */
export type Lab = {
  /** A folder for state and sockets, removed at the end. */
  readonly folder: string;
  readonly driver: Driver;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** The bundle of a Worker, built once. */
  readonly bundleOf: (entry: string) => Promise<string>;
  /** A name that is new with each call. */
  readonly fresh: (purpose: string) => string;
  /** Does `work` at the end of the run, also after a failure or Ctrl-C. */
  readonly atEnd: (work: () => Promise<unknown>) => void;
  /** Prints a step that takes seconds. */
  readonly log: (sentence: string) => void;
  /** Records that something can't be measured here, and why. */
  readonly skip: (name: string, why: string) => void;
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
};

function log(sentence: string): void {
  console.error(`bench: ${sentence}`);
}

/** A lab in `folder`. */
export function labIn(folder: string, driver: Driver, signal: AbortSignal, atEnd: Lab["atEnd"]): Lab {
  const bundles = new Map<string, Promise<string>>();
  const skipped: { readonly name: string; readonly why: string }[] = [];
  let count = 0;
  return {
    folder,
    driver,
    signal,
    atEnd,
    log,
    skipped,
    skip(name, why) {
      skipped.push({ name, why });
      log(`${name} is skipped: ${why}`);
    },
    bundleOf(entry) {
      const bundle = bundles.get(entry) ?? build(entry, folder, signal);
      bundles.set(entry, bundle);
      return bundle;
    },
    fresh: (purpose) => `${purpose}-${(count += 1)}`,
  };
}

/** Serves a Worker, with a new state unless `options` names one. It delivers nothing, as the peers, unless they say so. */
export async function served(lab: Lab, entry: string, options: Partial<ServeOptions> = {}): Promise<Served> {
  const defaults = { state: join(lab.folder, lab.fresh("state")), signal: lab.signal, isDelivering: false };
  const server = await serve(await lab.bundleOf(entry), { ...defaults, ...options });
  lab.atEnd(() => server.kill());
  return server;
}

/** A Worker as a system, with these coupons. Claims go to their coupon directly unless `vars` says otherwise. */
export async function workerSystem(
  lab: Lab,
  entry: string,
  coupons: Readonly<Record<string, number>>,
  vars: Readonly<Record<string, string>> = {},
): Promise<System> {
  const state = join(lab.folder, lab.fresh("state"));
  const server = await served(lab, entry, { vars: { LANES: "off", ...vars }, state });
  for (const [name, amount] of Object.entries(coupons)) await create(server.url, name, amount);
  return {
    url: server.url,
    pids: [server.pid],
    stored: (coupon) => unitsIn(server.url, coupon),
    onDisk: (coupon) => unitsOnDisk(state, coupon),
    stop: () => server.kill(),
  };
}

/** Creates a coupon. */
export async function create(url: string, name: string, amount: number): Promise<void> {
  await answerOf(`${url}/api/coupons`, 201, { name, amount, hold_seconds_max: 86_400 });
}

/** Claimed and held units of a coupon, by its object's metrics. */
export async function unitsIn(url: string, coupon: string): Promise<number> {
  const text = await textOf(`${url}/api/coupons/${coupon}/metrics`, 200);
  const units = Array.from(text.matchAll(/^doorbuster_coupon_units\{.*state="(?:claimed|held)"\} (\d+)$/gm), ([, count]) => Number(count));
  if (units.length !== 2) throw new Error(`the metrics of ${coupon} name no units: ${text.slice(0, 200)}`);
  return units.reduce((sum, count) => sum + count, 0);
}

/** The JSON of an answer. Sends a POST where there is a body. Throws on another status. */
export async function answerOf(url: string, status: number, body?: unknown): Promise<unknown> {
  return JSON.parse(await textOf(url, status, body));
}

async function textOf(url: string, status: number, body?: unknown): Promise<string> {
  const request = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await fetch(url, request);
  const text = await response.text();
  if (response.status !== status) throw new Error(`${url} answered ${response.status}, not ${status}: ${text.slice(0, 200)}`);
  return text;
}
