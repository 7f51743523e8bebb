// A variant of the Worker, built as for Cloudflare and served by workerd itself: `wrangler dev` has a proxy in front.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";

import { answering, freePort } from "./loopback.ts";

const ROOT = join(import.meta.dirname, "..");

export type Served = { readonly url: string; readonly pid: number; readonly stop: () => Promise<void> };

/** Builds `entry` and serves it on 127.0.0.1, with its files below `folder`; resolves once it answers. */
export async function serve(entry: string, folder: string): Promise<Served> {
  const [built, state] = [join(folder, "built"), join(folder, "state")];
  await mkdir(state, { recursive: true });
  await promisify(execFile)(join(ROOT, "node_modules/.bin/wrangler"), ["deploy", entry, "--dry-run", "--outdir", built], { cwd: ROOT });
  const port = await freePort();
  const config = join(folder, "config.capnp");
  await writeFile(config, capnp(entry, state, port));
  const workerd = spawn(workerdBinary(), ["serve", config], { stdio: ["ignore", "ignore", "inherit"] });
  const { pid } = workerd;
  if (pid === undefined) throw new Error("workerd did not start");
  const ended = once(workerd, "exit");
  const url = `http://127.0.0.1:${port}`;

  // SIGTERM would wait for hung requests for ever.
  async function stop(): Promise<void> {
    workerd.kill("SIGKILL");
    await ended;
  }

  await answering(url, () => workerd.exitCode === null).catch(async (cause: unknown) => {
    await stop();
    throw cause;
  });
  return { url, pid, stop };
}

function capnp(entry: string, state: string, port: number): string {
  const bundle = `built/${entry.replace(/^.*\//, "").replace(/\.ts$/, ".js")}`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .doorbuster), (name = "disk", disk = (path = ${JSON.stringify(state)}, writable = true)) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ]
);
const doorbuster :Workerd.Worker = (
  modules = [ (name = "worker.js", esModule = embed ${JSON.stringify(bundle)}) ],
  compatibilityDate = "2026-10-01",
  durableObjectNamespaces = [ (className = "CouponObject", uniqueKey = "doorbuster-CouponObject", enableSql = true) ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [ (name = "COUPONS", durableObjectNamespace = "CouponObject"), (name = "ADMIN_AUTH", text = "off") ]
);
`;
}

/** The binary itself: the package's own launcher would be a second process. */
function workerdBinary(): string {
  const cpu = process.arch === "arm64" ? "arm64" : "64";
  const system = process.platform === "win32" ? "windows" : process.platform;
  const file = process.platform === "win32" ? "workerd.exe" : "workerd";
  return createRequire(import.meta.url).resolve(`@cloudflare/workerd-${system}-${cpu}/bin/${file}`);
}
