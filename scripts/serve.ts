// `npm run serve`: the Worker on workerd, with its state on disk.

import { access, constants, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";

import { VARIABLE_NAMES } from "../src/edge/config.ts";
import { CommandFailure, EXIT, runCommand, usage } from "./cli/command.ts";
import { whenParentEnds } from "./parent.ts";
import { readProject, ROOT, varsIn } from "./server/config.ts";
import { bundleFor, folderFor } from "./server/for-command.ts";
import { launch, PRODUCT, type Served } from "./server/workerd.ts";

/** How long a request in flight may take to end when the server is stopped. */
const STOP_WITHIN_MS = 300;

const COMMAND = {
  name: "npm run serve",
  about: "Builds the Worker and serves it on workerd, the runtime of Cloudflare, with its state on disk. Ctrl-C ends it.",
  isServer: true,
  options: {
    port: { kind: "count", default: 8787, min: 0, max: 65_535, help: "the port; 0 takes a free one" },
    host: { kind: "text", value: "ADDRESS", default: "127.0.0.1", help: "the address to listen on" },
    state: { kind: "text", value: "DIR", default: ".doorbuster/state", help: "the folder of the coupons, created if missing" },
    vars: { kind: "text", value: "FILE", default: ".dev.vars", help: "variables and secrets, one NAME=VALUE a line" },
    var: { kind: "list", value: "NAME=VALUE", help: "one more variable; can be repeated; an empty value unsets it" },
  },
} as const;

await runCommand(COMMAND, async ({ options, atEnd, signal }) => {
  whenParentEnds(() => void process.kill(process.pid, "SIGTERM"));
  const { state, unlock } = await lockedState(options.state);
  atEnd(unlock);
  const project = await readProject();
  const ofFile = varsIn(resolve(ROOT, options.vars));
  if (ofFile === null && options.vars !== COMMAND.options.vars.default) throw new CommandFailure(`there is no file ${options.vars}`);
  const given = Object.entries({ ...project.vars, ...ofFile, ...varsOf(options.var) });
  const vars = Object.fromEntries(given.filter(([, value]) => value !== ""));
  const unknown = Object.keys(vars).filter((name) => !VARIABLE_NAMES.includes(name));
  for (const name of unknown) console.error(`${COMMAND.name}: the Worker has no variable ${name}`);
  for (const name of project.missing) console.error(`${COMMAND.name}: ${name} is not served`);
  const folder = await folderFor({ atEnd, signal }, "serve");
  const bundle = await bundleFor({ atEnd, signal }, PRODUCT, folder);
  const { port, host } = options;
  let isReady = false;
  // Until it is ready, its errors become one sentence.
  const onError = (text: string): unknown => isReady && process.stderr.write(text);
  const launching = launch(bundle, { state, port, host, vars, isLimited: true, isLogged: true, onError });
  atEnd(() => launching.then(stop, () => undefined));
  const served = await launching.catch((cause: unknown) => {
    throw new CommandFailure(cause instanceof Error ? cause.message : String(cause));
  });
  isReady = true;
  if (vars["ADMIN_AUTH"] === "off" && !/^(127\.|localhost$|::1$)/.test(host))
    console.error(`${COMMAND.name}: with ADMIN_AUTH=off everybody who reaches ${host} is the operator`);
  console.log(`Ready on ${served.url}, state in ${state} (workerd is process ${served.pid})`);
  const code = await served.ended;
  throw new CommandFailure(`workerd has ended with status ${code}`, code === 0 ? EXIT.unavailable : code);
});

/** Creates the folder and locks it. Throws {@link CommandFailure} if it can't be written or is in use. */
async function lockedState(path: string): Promise<{ readonly state: string; readonly unlock: () => Promise<void> }> {
  const state = resolve(ROOT, path);
  try {
    await mkdir(state, { recursive: true });
    await access(state, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new CommandFailure(`the state folder ${state} can't be written: ${(cause as NodeJS.ErrnoException).code}`);
  }
  try {
    // A second server would not know of changes of the first. The lock ends with this process, however it ends.
    const lock = new DatabaseSync(join(state, "serve.lock"));
    lock.exec("BEGIN EXCLUSIVE");
    return { state, unlock: async () => lock.close() };
  } catch {
    throw new CommandFailure(`the state folder ${state} is in use by another server`);
  }
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
