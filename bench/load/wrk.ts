// wrk as the driver: one thread of it, a script that makes the requests.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Drive, Load, Measured, Sent } from "./load.ts";

const SCRIPT = join(import.meta.dirname, "wrk.lua");

/** What {@link SCRIPT} prints at the end: counts, and times in microseconds. */
type Printed = {
  readonly answers: number;
  readonly us: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly above399: number;
  readonly broken: number;
};

/** The version that is installed, or null. */
export async function wrkVersion(): Promise<string | null> {
  // It prints its version and then ends with 1, because it has no URL.
  const printed = await promisify(execFile)("wrk", ["--version"]).catch((cause: unknown) => cause as { readonly stdout?: string });
  return /^(wrk \S+)/.exec(printed.stdout ?? "")?.[1]?.replace("debian/", "") ?? null;
}

/** Sends `load` for the wanted time. wrk drops open requests at the end, but the server answers them. */
export async function drivenByWrk(load: Load, { url, connections, seconds, pauseMs = 0, users, signal }: Drive): Promise<Measured> {
  const options = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "30s", "-s", SCRIPT, url];
  const script = [
    "--",
    users,
    String(load.status),
    String(pauseMs),
    ...wordsOf(load),
    ...(load.other === undefined ? [] : wordsOf(load.other)),
  ];
  const { stdout } = await promisify(execFile)("wrk", [...options, ...script], signal === undefined ? {} : { signal });
  const line = stdout.trim().split("\n").at(-1) ?? "";
  const printed = JSON.parse(line) as Printed;
  return {
    answers: printed.answers,
    seconds: printed.us / 1e6,
    p50Ms: printed.p50 / 1000,
    p99Ms: printed.p99 / 1000,
    maxMs: printed.max / 1000,
    wrong: printed.broken + (load.status > 399 ? 0 : printed.above399),
  };
}

/** A request as the script takes it. */
function wordsOf({ method, path, body = { before: "", users: 0, after: "" } }: Sent): string[] {
  return [method, path, body.before, String(body.users), body.after];
}
