// `wrangler dev` on its own port and state folder.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { answering, freePort } from "../../scripts/server/loopback.ts";
import { ROOT } from "./command.ts";

export type Server = { readonly url: string; stop: () => Promise<void> };

/** Starts the Worker on 127.0.0.1 with its state under `stateFolder`. Resolves once it answers. */
export async function startServer(stateFolder: string): Promise<Server> {
  const port = await freePort();
  const args = `dev --port ${port} --inspector-port ${await freePort()} --log-level error`.split(" ");
  // Its own process group, because wrangler has children and all of them must end.
  const wrangler = spawn(join(ROOT, "node_modules/.bin/wrangler"), [...args, "--persist-to", stateFolder], {
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
  // SIGTERM would wait for hung requests.
  process.kill(-wrangler.pid, "SIGKILL");
  await ended;
}
