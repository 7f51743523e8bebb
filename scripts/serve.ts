// `npm run serve`: the Worker on workerd, with its state on disk.

import { access, constants, mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { CommandFailure, EXIT, runCommand, usage } from "./cli/command.ts";
import { whenParentEnds } from "./parent.ts";
import { readProject, ROOT, varsIn } from "./server/config.ts";
import { bundleFor, folderFor } from "./server/for-command.ts";
import { launch, PRODUCT, type Served } from "./server/workerd.ts";

/** How long a request in flight may take to end when the server is told to stop. */
const STOP_WITHIN_MS = 500;

const COMMAND = {
  name: "npm run serve",
  about: "Builds the Worker and serves it on workerd, the runtime of Cloudflare, with its state on disk. Ctrl-C ends it.",
  isServer: true,
  options: {
    port: { kind: "count", default: 8787, min: 0, max: 65_535, help: "the port; 0 takes a free one" },
    host: { kind: "text", value: "ADDRESS", default: "127.0.0.1", help: "the address to listen on" },
    state: { kind: "text", value: "DIR", default: ".doorbuster/state", help: "the folder of the coupons, created if missing" },
    envFile: { kind: "text", value: "FILE", default: ".dev.vars", help: "variables and secrets, one NAME=VALUE a line" },
    var: { kind: "list", value: "NAME=VALUE", help: "one more variable; can be repeated; an empty value unsets it" },
  },
} as const;

await runCommand(COMMAND, async ({ options, atEnd, signal }) => {
  whenParentEnds(() => void process.kill(process.pid, "SIGTERM"));
  const state = await stateFolder(options.state);
  const project = await readProject();
  const vars = { ...project.vars, ...varsIn(resolve(ROOT, options.envFile)), ...varsOf(options.var) };
  for (const name of project.missing) console.error(`${COMMAND.name}: ${name} is not served`);
  const folder = await folderFor({ atEnd, signal }, "serve");
  const bundle = await bundleFor({ atEnd, signal }, PRODUCT, folder);
  const { port, host } = options;
  const launching = launch(bundle, {
    state,
    port,
    host,
    vars,
    isLimited: true,
    isLogged: true,
    onError: (text) => process.stderr.write(text),
  });
  atEnd(async () => stop(await launching));
  const served = await launching.catch((cause: unknown) => {
    throw new CommandFailure(cause instanceof Error ? cause.message : String(cause));
  });
  if (vars["ADMIN_AUTH"] === "off" && !/^(127\.|localhost$|::1$)/.test(host))
    console.error(`${COMMAND.name}: with ADMIN_AUTH=off everybody who reaches ${host} is the operator`);
  console.log(`Ready on ${served.url}, state in ${state}`);
  const code = await served.ended;
  if (signal.aborted) return EXIT.ok;
  throw new CommandFailure(`workerd has ended with status ${code}`, code === 0 ? EXIT.unavailable : code);
});

/** Creates the folder. Throws {@link CommandFailure} if it can't be written. */
async function stateFolder(path: string): Promise<string> {
  const state = resolve(ROOT, path);
  try {
    await mkdir(state, { recursive: true });
    await access(state, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new CommandFailure(`the state folder ${state} can't be written: ${(cause as NodeJS.ErrnoException).code}`);
  }
  return state;
}

function varsOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const [, name, value] = /^(\w+)=(.*)$/s.exec(text) ?? [];
      if (name === undefined || value === undefined) throw usage(COMMAND, `--var takes NAME=VALUE, not "${text}"`);
      return [name, value];
    }),
  );
}

/** Lets requests in flight end, but never waits for a stream. */
async function stop(served: Served): Promise<void> {
  if (served.isRunning()) process.kill(served.pid, "SIGTERM");
  await Promise.race([served.ended, pause(STOP_WITHIN_MS)]);
  await served.kill();
}
