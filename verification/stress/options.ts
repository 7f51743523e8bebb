// The options of the stress commands, from flags or the environment, each with its bound.

import { usage, type CountOption, type FlagOption, type TextOption, type Values } from "../../scripts/cli/command.ts";

export const MODES = ["purchase-load", "duplicate-user", "status-polling", "mixed-workload", "last-unit"] as const;
export type Mode = (typeof MODES)[number];

/** One address pair has local ports for about so many connections, besides those of the run before. */
const CONNECTIONS_MAX = 10_000;
const SEED_MAX = 2 ** 31 - 1;
/** A name has at most 255 code points, and modes append to it. */
const COUPON_LENGTH_MAX = 200;

function text(value: string, help: string) {
  return { kind: "text", value, env: true, help } as const satisfies TextOption;
}

function count(fallback: number, max: number, help: string, min = 1) {
  return { kind: "count", default: fallback, min, max, env: true, help } as const satisfies CountOption;
}

export const LOAD_OPTIONS = {
  baseUrl: text("URL", "the server to load; without it, one is built from this checkout and started for the run"),
  adminToken: text("TOKEN", "the operator's token of that server, if it has one"),
  state: text("FOLDER", "the state folder of that server, so that its files are verified too"),
  initialStock: count(100, 2_147_483_647, "units of the coupon"),
  vus: count(1000, CONNECTIONS_MAX, "virtual users, each with a connection of its own"),
  coupon: text("NAME", "name of the coupon, which must not exist; a new one when left out"),
  dedupUsers: count(10, 1000, "duplicate-user: users"),
  dedupRequests: count(100, 1000, "duplicate-user: claims of each of them"),
  rounds: count(20, 10_000, "last-unit: rounds, each with a coupon of its own"),
  cooldown: count(5, 600, "seconds between two runs", 0),
  timeout: count(30, 600, "seconds until a request without an answer fails"),
  seed: text("N", "mixed-workload: draws the same operations again; a new one when left out"),
  ignoreLatency: {
    kind: "flag",
    env: true,
    help: "shows how long requests took, but does not judge it: for a machine that is busy",
  } satisfies FlagOption,
  iOwnThisTarget: { kind: "flag", help: "allows a server that is not on this machine" } satisfies FlagOption,
} as const;

export type LoadOptions = Values<typeof LOAD_OPTIONS>;

/** A unique name. */
export function freshName(purpose: Mode | "warm-up"): string {
  return `${purpose}-${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
}

/** The given seed, or a new one. Throws the usage failure of `command`. */
export function seedOf(command: string, given: string | undefined): number {
  if (given === undefined) return Math.floor(Math.random() * SEED_MAX);
  const seed = Number(given);
  if (/^\d{1,10}$/.test(given) && seed <= SEED_MAX) return seed;
  throw usage({ name: command }, `--seed takes a whole number from 0 to ${SEED_MAX}, not "${given}"`);
}

/** Checks options that depend on each other. Throws the usage failure of `command`. */
export function checkOptions(command: string, { baseUrl, state, coupon, dedupUsers, dedupRequests }: LoadOptions): void {
  if (state !== undefined && baseUrl === undefined) {
    throw usage({ name: command }, "--state is the folder of the server at --base-url: name that server too");
  }
  if (dedupUsers * dedupRequests > CONNECTIONS_MAX) {
    throw usage({ name: command }, `--dedup-users times --dedup-requests may be ${CONNECTIONS_MAX} at most`);
  }
  if (coupon !== undefined && (coupon.trim() === "" || coupon.length > COUPON_LENGTH_MAX)) {
    throw usage({ name: command }, `--coupon takes a name of 1 to ${COUPON_LENGTH_MAX} characters`);
  }
}
