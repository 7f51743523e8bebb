// `npm run bench:profile`: which functions the time of a claim goes to, by V8's own profiler inside workerd.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { attribute, sourcesIn, type CpuProfile, type Share } from "./cpu-profile.ts";
import { claimsOf, driverOf } from "./load/load.ts";
import { CommandFailure, EXIT, runCommand, type Command, type Options } from "../scripts/cli/command.ts";
import { isolateName } from "../scripts/server/config.ts";
import { freePort } from "../scripts/server/loopback.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve } from "../scripts/server/workerd.ts";

const WARM_UP_SECONDS = 3;
const SAMPLE_EVERY_US = 200;

const COMMAND = {
  name: "npm run bench:profile",
  about: `Claims units of one huge coupon, and prints where workerd's time goes while it answers: by source file, with what the
runtime does on its behalf, and by function. Sampling costs time itself: compare the shares, not the rates.`,
  options: {
    entry: { kind: "text", value: "FILE", default: PRODUCT, help: "the entry of the Worker" },
    connections: { kind: "count", default: 64, max: 10_000, help: "connections to load with" },
    seconds: { kind: "count", default: 10, max: 300, help: "how long to sample" },
    top: { kind: "count", default: 40, max: 1000, help: "lines of each table" },
    unlogged: { kind: "flag", help: "without a log line for each request" },
    soldOut: { kind: "flag", help: "refusals of a coupon that is sold out, instead of claims" },
    out: { kind: "text", value: "FILE", help: "writes the profile there, for the browser's developer tools" },
  },
} as const satisfies Command<Options>;

await runCommand(COMMAND, async ({ options, atEnd, signal }) => {
  const folder = await scratchFolder("profile");
  atEnd(() => removeScratch(folder));
  const bundle = await build(options.entry, folder, signal);
  const inspector = await freePort();
  // As the benchmark's rows of claims: without lanes, and nothing is delivered.
  const vars = { LANES: "off", ...(options.unlogged ? { REQUEST_LOG: "off" } : {}) };
  const args = [`--inspector-addr=127.0.0.1:${inspector}`];
  const server = await serve(bundle, { state: join(folder, "state"), vars, signal, isDelivering: false, args });
  atEnd(() => server.kill());
  const created = await fetch(`${server.url}/api/coupons`, {
    method: "POST",
    body: JSON.stringify({ name: "bench", amount: options.soldOut ? 1 : 2_147_483_647 }),
  });
  await created.arrayBuffer();

  const { name, drive } = await driverOf();
  const { connections, seconds } = options;
  const load = claimsOf("bench", options.soldOut ? 400 : 201);
  await drive(load, { url: server.url, connections, seconds: WARM_UP_SECONDS, users: "warm-up", signal });
  const profiler = await attach(inspector);
  await profiler.send("Profiler.enable");
  await profiler.send("Profiler.setSamplingInterval", { interval: SAMPLE_EVERY_US });
  await profiler.send("Profiler.start");
  const { answers, wrong } = await drive(load, { url: server.url, connections, seconds, users: "sampled", signal });
  const { profile } = (await profiler.send("Profiler.stop")) as { readonly profile: CpuProfile };
  if (wrong > 0)
    throw new CommandFailure(`${wrong} of ${answers} answers were not ${load.status}: there is nothing to learn from that`, EXIT.failed);

  const { files, functions, busyUs } = attribute(profile, sourcesIn(await readFile(bundle, "utf8")));
  console.log(
    `${answers} ${options.soldOut ? "refusals" : "claims"} by ${name}, ${connections} connections, ${(busyUs / answers).toFixed(0)} µs each under the profiler`,
  );
  print("source file, with the runtime on its behalf", files.slice(0, options.top), busyUs, answers);
  print("function", functions.slice(0, options.top), busyUs, answers);
  if (options.out !== undefined) await writeFile(options.out, JSON.stringify(profile));
  return EXIT.ok;
});

function print(title: string, shares: readonly Share[], busyUs: number, answers: number): void {
  console.log(`\n share  µs/claim  ${title}`);
  for (const { name, us } of shares) {
    console.log(`${((100 * us) / busyUs).toFixed(1).padStart(5)}%  ${(us / answers).toFixed(1).padStart(8)}  ${name}`);
  }
}

type Inspector = { readonly send: (method: string, params?: Readonly<Record<string, unknown>>) => Promise<unknown> };

/** Opens a session with the inspector of the first isolate. It ends with the server. */
async function attach(port: number): Promise<Inspector> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/${isolateName(0)}`);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new CommandFailure("workerd's inspector does not answer")));
  });
  const waiting = new Map<number, (result: unknown) => void>();
  let sent = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { readonly id?: number; readonly result?: unknown };
    if (id !== undefined) waiting.get(id)?.(result);
  });
  return {
    send: (method, params = {}) =>
      new Promise((resolve) => {
        sent += 1;
        waiting.set(sent, resolve);
        socket.send(JSON.stringify({ id: sent, method, params }));
      }),
  };
}
