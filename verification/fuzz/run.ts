// `npm run fuzz`: sends what the OpenAPI document allows and what it does not, and holds every answer to that document.

import { EXIT, runCommand, usage } from "../cli/command.ts";
import { progressOf } from "../cli/progress.ts";
import { writeResults } from "../cli/results.ts";
import { seedOf } from "../stress/options.ts";
import { printChecks, verify, type Check, type Receipt as Told } from "../verify/verify.ts";
import { groundsOf, type Ground } from "./ground.ts";
import { sendInputs } from "./inputs.ts";
import { attack } from "./raw-sockets.ts";
import { linesOf, numbersOf, type Findings } from "./report.ts";
import { playStories } from "./stories.ts";
import { tallyOf } from "./tally.ts";

const COMMAND = "npm run fuzz";
/** How much of the inputs goes to the server that asks users for tokens. */
const GUARDED_SHARE = 0.1;

await runCommand(
  {
    name: COMMAND,
    about: `
Reads the OpenAPI document from a server, draws requests for each of its operations (right ones, and ones with wrong fields,
types and bounds, broken bytes, strange texts, depths, sizes, methods, headers and paths), and holds every answer to the
document: the status, the headers, the body, the content type. No answer may be a 5xx or tell how it is made. Then come hostile
bytes on bare sockets, with an honest claim after each case, and stories: steps in any order over one coupon, where each
answer has to follow from all that came before. In the end the server has to be the same process, and its files have to add up.

What fails is made smaller and printed as a line of shell, with the seed and path that draw it again.
It is rough with a server at --base-url: it creates many coupons there, and changes and deletes what it finds by its names.`,
    options: {
      inputs: { kind: "count", default: 50_000, max: 10_000_000, help: "requests to draw" },
      stories: { kind: "count", default: 300, min: 0, max: 100_000, help: "stories to play" },
      seed: { kind: "text", value: "N", help: "draws the same requests and stories again; a fresh one when left out" },
      path: { kind: "text", value: "PATH", help: "with --seed: sends this one input of a run that failed, and nothing else" },
      guarded: { kind: "flag", help: "with --path: sends it to the server that asks users for tokens" },
      baseUrl: { kind: "text", value: "URL", env: true, help: "a server on this machine; without it, one is built and started" },
      adminToken: { kind: "text", value: "TOKEN", env: true, help: "the operator's token of that server, where it has one" },
      json: { kind: "text", value: "FILE", help: "writes the findings there" },
    },
  },
  async ({ options, atEnd, signal }) => {
    const seed = seedOf(COMMAND, options.seed);
    const { path } = options;
    if (path !== undefined && (options.seed === undefined || !/^\d+(?::\d+)*$/.test(path))) {
      throw usage({ name: COMMAND }, "--path takes the path that a failed run printed, together with its --seed");
    }
    const startedAt = new Date().toISOString();
    console.log(`seed ${seed}`);
    const grounds = await groundsOf({ command: COMMAND, baseUrl: options.baseUrl, adminToken: options.adminToken, signal, atEnd });
    const findings =
      path === undefined ? await fuzz(grounds, { ...options, seed, signal }) : await again(grounds, { ...options, path, seed, signal });

    const { lines, isPassed } = linesOf(findings);
    console.log(lines.join("\n"));
    const { checks } = findings;
    if (checks?.some(({ verdict }) => verdict === "FAIL") === true) printChecks(checks);
    if (options.json !== undefined) await writeResults(options.json, { isPassed, startedAt, ...numbersOf(findings) });
    return isPassed ? EXIT.ok : EXIT.failed;
  },
);

type Run = { readonly inputs: number; readonly stories: number; readonly seed: number; readonly signal: AbortSignal };

/** All parts. */
async function fuzz(grounds: readonly [Ground, ...Ground[]], { inputs, stories, seed, signal }: Run): Promise<Findings> {
  const [open, guarded] = grounds;
  const tally = tallyOf(open.document);
  const toGuarded = guarded === undefined ? 0 : Math.floor(inputs * GUARDED_SHARE);
  const sent = [await sendInputs(open, tally, { inputs: inputs - toGuarded, seed, signal })];
  // Another seed, and so other inputs.
  if (guarded !== undefined) sent.push(await sendInputs(guarded, tally, { inputs: toGuarded, seed: seed + 1, signal }));
  // Most of the sockets' time is waiting.
  const [raw, told] = await Promise.all([attack(open, signal), stories > 0 ? tellStories(open, stories, seed, signal) : null]);
  const servers = await Promise.all(grounds.map(serverAt));
  return { seed, sent, tally, raw, stories: told, servers, checks: await verifyFiles(grounds, servers, raw.granted) };
}

/** One input once more. */
async function again(
  [open, guarded]: readonly [Ground, ...Ground[]],
  { path, guarded: isGuarded, seed, signal }: Pick<Run, "seed" | "signal"> & { readonly path: string; readonly guarded: boolean },
): Promise<Findings> {
  const ground = isGuarded && guarded !== undefined ? guarded : open;
  const tally = tallyOf(ground.document);
  const sent = [await sendInputs(ground, tally, { inputs: 1, seed, path, signal })];
  return { seed, sent, tally, raw: null, stories: null, servers: [await serverAt(ground)], checks: null };
}

async function tellStories(ground: Ground, count: number, seed: number, signal: AbortSignal): Promise<Findings["stories"]> {
  const progress = progressOf("stories", count);
  let [requests, told] = [0, 0];
  const failures = await playStories(ground, {
    stories: count,
    seed,
    signal,
    onAnswer: () => (requests += 1),
    onStory: () => progress.update((told += 1)),
  }).finally(() => progress.stop());
  return { url: ground.url, count, requests, failures };
}

/** Whether the server still answers, as the process that it was. */
async function serverAt({ send, own, url }: Ground): Promise<Findings["servers"][number]> {
  const health = await send({ method: "GET", target: "/health", headers: [], body: null }).catch(() => null);
  return {
    url,
    isOwn: own !== null,
    isAlive: health?.status === 200 && own?.isRunning() !== false,
    memoryMib: own?.mostMemoryMib() ?? null,
  };
}

/** Every coupon of our own servers; what honest users were told by the first of them has to be there. */
async function verifyFiles(
  grounds: readonly Ground[],
  servers: Findings["servers"],
  granted: readonly Told[],
): Promise<readonly Check[] | null> {
  const checks: Check[] = [];
  for (const [index, { own, url, tokens }] of grounds.entries()) {
    if (own === null) return null;
    const api = { url, ...(tokens.operator === undefined ? {} : { adminToken: tokens.operator }) };
    const told = index === 0 ? granted : [];
    checks.push(...(await verify({ state: own.state, receipts: told, ...(servers[index]?.isAlive === true ? { api } : {}) })));
  }
  return checks;
}
