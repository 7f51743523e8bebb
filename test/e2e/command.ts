// Commands of this checkout, run as they are typed.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

/** Variables that a machine or a job may have set. Empty counts as unset. */
const UNSET = Object.fromEntries(
  "GITHUB_STEP_SUMMARY BASE_URL ADMIN_TOKEN STATE INITIAL_STOCK VUS COUPON TIMEOUT SEED".split(" ").map((name) => [name, ""]),
);

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

/** Starts `verification/<script>` with flags and variables. */
export function startCommand(script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, [join(ROOT, "verification", script), ...args], {
    cwd: ROOT,
    env: { ...process.env, ...UNSET, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

export async function ending(child: ChildProcess): Promise<Ended> {
  let [out, err] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (err += text));
  await once(child, "close");
  return { code: child.exitCode, out, err: err.trim() };
}

export function runCommand(script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return ending(startCommand(script, args, env));
}
