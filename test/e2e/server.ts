// `wrangler dev` as a newcomer starts it, but on a port and a state folder of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { answering, freePort } from "../../verification/server/loopback.ts";

const ROOT = join(import.meta.dirname, "../..");

export type Server = { readonly url: string; stop: () => Promise<void> };

/** Starts the Worker on 127.0.0.1 with its state under `stateFolder`; resolves once it answers. */
export async function startServer(stateFolder: string): Promise<Server> {
  const port = await freePort();
  const args = [
    "dev",
    "--port",
    String(port),
    "--inspector-port",
    String(await freePort()),
    "--persist-to",
    stateFolder,
    "--log-level",
    "error",
  ];
  // A process group of its own, because wrangler has children and all of them must end.
  const wrangler = spawn(join(ROOT, "node_modules/.bin/wrangler"), args, {
    cwd: ROOT,
    detached: true,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const server = { url: `http://127.0.0.1:${port}`, stop: () => stop(wrangler) };
  await answering(server.url, () => wrangler.exitCode === null).catch(async (cause: unknown) => {
    await server.stop();
    throw cause;
  });
  return server;
}

async function stop(wrangler: ChildProcess): Promise<void> {
  if (wrangler.exitCode !== null || wrangler.pid === undefined) return;
  const ended = once(wrangler, "exit");
  // SIGTERM would wait for hung requests for ever.
  process.kill(-wrangler.pid, "SIGKILL");
  await ended;
}
