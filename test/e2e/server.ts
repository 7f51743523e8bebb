// `wrangler dev` as a newcomer starts it, but on a port and a state folder of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const READY_WITHIN_MS = 60_000;

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
  await answering(server.url, wrangler);
  return server;
}

async function answering(url: string, wrangler: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline && wrangler.exitCode === null) {
    const isUp = await fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop(wrangler);
  throw new Error(`no server at ${url} within ${READY_WITHIN_MS} ms`);
}

async function stop(wrangler: ChildProcess): Promise<void> {
  if (wrangler.exitCode !== null || wrangler.pid === undefined) return;
  const ended = once(wrangler, "exit");
  // SIGTERM would wait for hung requests for ever.
  process.kill(-wrangler.pid, "SIGKILL");
  await ended;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
