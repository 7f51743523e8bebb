// Builds the Worker as for Cloudflare, and serves it with workerd, without the proxy of `wrangler dev`.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, rmdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { basename, join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

import { capnp, hostInUrl, readProject, ROOT, type Config } from "./config.ts";
import { migrate, servedDatabase } from "./migrations.ts";

const READY_WITHIN_MS = 60_000;

/** The entry of the product itself. */
export const PRODUCT = "src/index.ts";

export { OBJECTS_FOLDER } from "./config.ts";

export type Served = {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** One address for each isolate. The first is `url`. */
  readonly urls: readonly string[];
  readonly port: number;
  readonly pid: number;
  /** False once the process has ended. */
  readonly isRunning: () => boolean;
  /** Resolves once the process is gone, with its exit code, or 128 and the number of the signal. */
  readonly ended: Promise<number>;
  /** Sends SIGKILL, because SIGTERM would wait for hung requests. Resolves once the process is gone. */
  readonly kill: () => Promise<void>;
};

export type ServeOptions = {
  /** The folder of the objects, created if missing. Serve again with the same one to continue. */
  readonly state: string;
  /** 127.0.0.1 when left out. */
  readonly host?: string;
  /** A free one when left out. */
  readonly port?: number;
  /** Variables of the Worker. {@link serve} adds `ADMIN_AUTH=off` and `IDENTITY=off`. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Binds the rate limits of wrangler.toml. */
  readonly isLimited?: boolean;
  /** Kills the process when aborted, also while it starts. */
  readonly signal?: AbortSignal;
  /** Further arguments of `workerd serve`. */
  readonly args?: readonly string[];
  /** Isolates of the Worker in front of the same objects, each with its own port; 1 when left out. */
  readonly isolates?: number;
  /** Binds the couriers and the database, which has its tables; true when left out. */
  readonly isDelivering?: boolean;
  /** Compatibility flags of the Worker. */
  readonly flags?: readonly string[];
  /** Further bindings of the Worker, in workerd's words. */
  readonly bindings?: readonly string[];
  /** Prints what the Worker logs. */
  readonly isLogged?: boolean;
  /** Called with each piece of standard error, where the Worker's errors go. */
  readonly onError?: (text: string) => void;
};

const SCRATCH_ATTEMPTS_MAX = 1_000;

/** A new folder inside the checkout for the files of a running command. The caller removes it. */
export async function scratchFolder(purpose: string): Promise<string> {
  const parent = join(ROOT, ".scratch");
  for (let attempt = 1; ; attempt += 1) {
    try {
      await mkdir(parent, { recursive: true });
      return await mkdtemp(join(parent, `${purpose}-`));
    } catch (cause) {
      // Another command has just removed the parent with its last folder.
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT" || attempt === SCRATCH_ATTEMPTS_MAX) throw cause;
    }
  }
}

/** Removes a folder of {@link scratchFolder}, and the parent with the last one. */
export async function removeScratch(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  // Another command may still have a folder there.
  await rmdir(join(ROOT, ".scratch")).catch(() => undefined);
}

/**
 * Builds `entry` (a path from the checkout's root) with wrangler below `folder`. Returns the bundle's path.
 * Stops when `signal` is aborted.
 */
export async function build(entry: string, folder: string, signal?: AbortSignal): Promise<string> {
  const built = join(folder, `built-${entry.replaceAll(/\W+/g, "-")}`);
  // wrangler's log and settings stay in the folder, and it sends no metrics.
  const env = {
    ...process.env,
    XDG_CONFIG_HOME: join(folder, "config"),
    WRANGLER_LOG_PATH: join(folder, "wrangler.log"),
    WRANGLER_SEND_METRICS: "false",
  };
  signal?.throwIfAborted();
  const building = promisify(execFile)(join(ROOT, "node_modules/.bin/wrangler"), ["deploy", entry, "--dry-run", "--outdir", built], {
    cwd: ROOT,
    env,
  });
  // execFile's own `signal` would not wait until the process is gone.
  signal?.addEventListener("abort", () => building.child.kill(), { once: true });
  await building;
  return join(built, basename(entry).replace(/\.ts$/, ".js"));
}

/** Serves a bundle of {@link build} to callers who are all operators and every user. */
export function serve(bundle: string, options: ServeOptions): Promise<Served> {
  return launch(bundle, { ...options, vars: { ADMIN_AUTH: "off", IDENTITY: "off", ...options.vars } });
}

/** Serves a bundle of {@link build}. Resolves once it listens. Throws a sentence. */
export async function launch(bundle: string, options: ServeOptions): Promise<Served> {
  const { host = "127.0.0.1", port = 0, signal, args = [], isolates = 1 } = options;
  const config = await writeConfig(bundle, { ...options, host, port, isolates });
  signal?.throwIfAborted();
  const workerd = spawn(workerdBinary(), ["serve", config, "--control-fd=3", ...args], {
    stdio: ["ignore", options.isLogged === true ? "inherit" : "ignore", "pipe", "pipe"],
  });
  const { pid } = workerd;
  if (pid === undefined) throw new Error("workerd did not start");
  // `close` comes after all output is read.
  const ended = once(workerd, "close").then(() => workerd.exitCode ?? 128 + (constants.signals[workerd.signalCode ?? "SIGKILL"] ?? 0));
  const stop = (): void => void workerd.kill("SIGKILL");
  signal?.addEventListener("abort", stop);
  workerd.once("exit", () => signal?.removeEventListener("abort", stop));
  let output = "";
  workerd.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-2_000);
    options.onError?.(text);
  });

  async function kill(): Promise<void> {
    workerd.kill("SIGKILL");
    await ended;
  }

  const isRunning = (): boolean => workerd.exitCode === null && workerd.signalCode === null;
  const timeout = AbortSignal.timeout(READY_WITHIN_MS);
  try {
    const listening = await Promise.race([
      portsOf(workerd.stdio[3] as Readable, isolates),
      ended.then(() => null),
      once(timeout, "abort").then(() => null),
    ]);
    if (listening === null) {
      const why = /address already in use/i.test(output) ? `port ${port} is already in use` : output.trim().split("\n").at(-1);
      throw new Error(`the server did not start: ${why ?? "no output"}`);
    }
    const urls = listening.map((one) => `http://${hostInUrl(host)}:${one}`);
    return { url: urls[0] ?? "", urls, port: listening[0] ?? 0, pid, isRunning, ended, kill };
  } catch (cause) {
    await kill();
    throw cause;
  } finally {
    await rm(config, { force: true });
  }
}

type Placed = ServeOptions & Pick<Config, "host" | "port" | "isolates">;

/** Writes a configuration beside the bundle, which it embeds. Returns its path. */
async function writeConfig(
  bundle: string,
  { state, vars = {}, flags = [], bindings = [], isLimited = false, isDelivering = true, host, port, isolates }: Placed,
): Promise<string> {
  await mkdir(state, { recursive: true });
  if (isDelivering) migrate(servedDatabase(state));
  const { compatibilityDate, objects, rateLimits } = await readProject();
  const path = `${bundle}.${Date.now()}-${Math.random().toString(36).slice(2)}.capnp`;
  const limits = isLimited ? rateLimits : [];
  const bound = objects.filter(({ name }) => isDelivering || name !== "COURIERS");
  const served = { bundle, state, host, port, vars, flags, bindings, isolates, compatibilityDate };
  await writeFile(path, capnp({ ...served, objects: bound, hasDatabase: isDelivering, rateLimits: limits }));
  return path;
}

/** The ports of the isolates from workerd's control pipe, which has one JSON line for each socket. */
async function portsOf(control: Readable, isolates: number): Promise<readonly number[] | null> {
  let text = "";
  for await (const chunk of control.setEncoding("utf8")) {
    text += String(chunk);
    const ports = new Map(
      Array.from(text.matchAll(/"socket"\s*:\s*"isolate-(\d+)"[^}]*"port"\s*:\s*(\d+)/g), ([, one, at]) => [one, Number(at)]),
    );
    if (ports.size === isolates) return Array.from({ length: isolates }, (_, index) => ports.get(String(index)) ?? 0);
  }
  return null;
}

/** The binary itself. The package's launcher would be a second process. */
function workerdBinary(): string {
  const cpu = process.arch === "arm64" ? "arm64" : "64";
  const system = process.platform === "win32" ? "windows" : process.platform;
  const file = process.platform === "win32" ? "workerd.exe" : "workerd";
  return createRequire(import.meta.url).resolve(`@cloudflare/workerd-${system}-${cpu}/bin/${file}`);
}
