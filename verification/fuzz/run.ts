// `npm run fuzz`: sends valid and hostile requests, and checks each answer against the OpenAPI document.

import { EXIT, runCommand, usage } from "../../scripts/cli/command.ts";
import { writeResults } from "../../scripts/cli/results.ts";
import { seedOf } from "../stress/options.ts";
import { verify, type Check, type Receipt } from "../verify/verify.ts";
import { countersOf } from "./counters.ts";
import { harnessesFor, type Harness } from "./harness.ts";
import { sendInputs } from "./inputs.ts";
import { attack } from "./raw-sockets.ts";
import { linesOf, numbersOf, type Findings } from "./report.ts";
import { runScenarios } from "./scenarios.ts";

const COMMAND = "npm run fuzz";
/** The part of the inputs for the server that requires user tokens. */
const GUARDED_SHARE = 0.1;

await runCommand(
  {
    name: COMMAND,
    about: `
Reads the OpenAPI document from a server and draws requests for each of its operations: valid ones, and ones with wrong fields,
types and bounds, broken bytes, strange texts, depths, sizes, methods, headers and paths. Every answer is checked against the
document: status, headers, body, content type. No answer may be a 5xx or leak internals. Before them come scenarios
(--stories): any steps on one coupon, where each answer must follow from all earlier ones. Then come hostile bytes on bare
sockets, with an honest claim after each case. At the end the server must be the same process, and its files must be consistent.

A failure is made smaller and printed with the seed and path that draw it again.
With --base-url the run creates many coupons on that server, and changes and deletes coupons with the same names.`,
    options: {
      inputs: { kind: "count", default: 50_000, max: 10_000_000, help: "requests to draw" },
      stories: { kind: "count", default: 300, min: 0, max: 100_000, help: "scenarios to run, each on a coupon of its own" },
      seed: { kind: "text", value: "N", help: "draws the same requests and scenarios again; a new one when left out" },
      path: { kind: "text", value: "PATH", help: "with --seed: sends this one input of a failed run" },
      guarded: { kind: "flag", help: "with --path: sends it to the server that requires user tokens" },
      baseUrl: { kind: "text", value: "URL", env: true, help: "a server on this machine; without it, one is built and started" },
      adminToken: { kind: "text", value: "TOKEN", env: true, help: "the operator's token of that server, if it has one" },
      json: { kind: "text", value: "FILE", help: "writes the findings there" },
    },
  },
  async ({ options, atEnd, signal }) => {
    const { path, stories, guarded, baseUrl, adminToken } = options;
    const seed = seedOf(COMMAND, options.seed);
    if (path !== undefined && (options.seed === undefined || !/^\d+(?::\d+)*$/.test(path))) {
      throw usage({ name: COMMAND }, "--path takes the path that a failed run printed, together with its --seed");
    }
    const startedAt = new Date().toISOString();
    console.log(`seed ${seed}`);
    const harnesses = await harnessesFor({ command: COMMAND, baseUrl, adminToken, signal, atEnd });
    const findings = await (path === undefined
      ? runAll(harnesses, { inputs: options.inputs, stories, seed, signal })
      : runOne(guarded ? (harnesses[1] ?? harnesses[0]) : harnesses[0], { path, seed, signal }));

    const { lines, isPassed } = linesOf(findings);
    console.log(lines.join("\n"));
    if (options.json !== undefined) await writeResults(options.json, { isPassed, startedAt, ...numbersOf(findings) });
    return isPassed ? EXIT.ok : EXIT.failed;
  },
);

type Run = { readonly inputs: number; readonly stories: number; readonly seed: number; readonly signal: AbortSignal };

async function runAll(harnesses: readonly [Harness, ...Harness[]], { inputs, stories, seed, signal }: Run): Promise<Findings> {
  const [open, guarded] = harnesses;
  const counters = countersOf(open.document);
  // First, because the inputs create webhooks that get no answer, and all coupons would have them.
  const scenarios = stories === 0 ? null : await runScenarios(open, { count: stories, seed, signal });
  const forGuarded = guarded === undefined ? 0 : Math.floor(inputs * GUARDED_SHARE);
  const sent = [await sendInputs(open, counters, { inputs: inputs - forGuarded, seed, signal })];
  // Another seed, so that the inputs differ.
  if (guarded !== undefined) sent.push(await sendInputs(guarded, counters, { inputs: forGuarded, seed: seed + 1, signal }));
  const raw = await attack(open, signal);
  const servers = await Promise.all(harnesses.map(serverAt));
  return { seed, sent, counters, raw, scenarios, servers, checks: await verifyFiles(harnesses, servers, raw.receipts) };
}

async function runOne(harness: Harness, options: { path: string; seed: number; signal: AbortSignal }): Promise<Findings> {
  const counters = countersOf(harness.document);
  const sent = [await sendInputs(harness, counters, { inputs: 1, ...options })];
  return { seed: options.seed, sent, counters, raw: null, scenarios: null, servers: [await serverAt(harness)], checks: null };
}

/** Whether the server still answers and is the same process. */
async function serverAt({ send, own, url }: Harness): Promise<Findings["servers"][number]> {
  const health = await send({ method: "GET", target: "/health", headers: [], body: null }).catch(() => null);
  return { url, isAlive: health?.status === 200 && own?.isRunning() !== false, memoryMib: own?.memoryMibMax() ?? null };
}

/** Verifies every coupon of our own servers. `receipts` are those of honest users of the first. */
async function verifyFiles(
  harnesses: readonly Harness[],
  servers: Findings["servers"],
  receipts: readonly Receipt[],
): Promise<readonly Check[] | null> {
  const checks: Check[] = [];
  for (const [index, { own, url, tokens }] of harnesses.entries()) {
    if (own === null) return null;
    const api = { url, ...(tokens.operator === undefined ? {} : { adminToken: tokens.operator }) };
    const acknowledged = index === 0 ? receipts : [];
    checks.push(...(await verify({ state: own.state, receipts: acknowledged, ...(servers[index]?.isAlive === true ? { api } : {}) })));
  }
  return checks;
}
