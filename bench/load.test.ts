// The built-in driver against a server that counts, the CPU time of processes, and the sums of a profile.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, expect, test } from "vitest";

import { attribute, sourcesIn } from "./cpu-profile.ts";
import { claimsAndHoldsOf, claimsOf, type Load, type Measured } from "./load/load.ts";
import { drive } from "./load/undici.ts";
import { cpuUsOf } from "./machine/processes.ts";

/** A function as a profile names it. */
const frame = (functionName: string, url: string, lineNumber: number) => ({ functionName, url, lineNumber });

let server: Server | undefined;
let bodies: unknown[] = [];

afterEach(() => {
  server?.close();
  bodies = [];
});

/**
 * Drives `load` on a server that keeps the bodies it gets and answers the n-th request with `statusOf(n)`.
 */
async function driven(load: Load, answersMax: number, connections: number, statusOf: (count: number) => number): Promise<Measured> {
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      bodies.push(JSON.parse(body));
      response.writeHead(statusOf(bodies.length)).end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return drive(load, { url, connections, seconds: 10, users: "u", answersMax });
}

test("the built-in driver counts right and wrong answers and uses each user once", async () => {
  const measured = await driven(claimsOf("bench"), 200, 8, (count) => (count % 10 === 0 ? 503 : 201));
  expect(measured).toMatchObject({ answers: 200, wrong: 20 });
  expect(measured.p50Ms).toBeLessThanOrEqual(measured.p99Ms);
  expect(measured.p99Ms).toBeLessThanOrEqual(measured.maxMs);
  expect(new Set(bodies.map((body) => (body as { readonly user_id: string }).user_id)).size).toBe(200);
});

test("the built-in driver accepts a refusal where the load expects one", async () => {
  expect(await driven(claimsOf("one", 400), 20, 4, () => 400)).toMatchObject({ answers: 20, wrong: 0 });
});

test("the built-in driver alternates a load's two requests, each with a new user", async () => {
  await driven(claimsAndHoldsOf("bench"), 3, 1, () => 201);
  expect(bodies).toEqual([
    { user_id: "u-1", coupon_name: "bench" },
    { user_id: "u-2", ttl_seconds: 86_400 },
    { user_id: "u-3", coupon_name: "bench" },
  ]);
});

test("the built-in driver puts many users into one request", async () => {
  const body = { before: '{"user_ids":[', users: 3, after: "]}" };
  await driven({ method: "POST", path: "/", body, status: 200 }, 2, 1, () => 200);
  expect(bodies).toEqual([{ user_ids: ["u-1", "u-2", "u-3"] }, { user_ids: ["u-4", "u-5", "u-6"] }]);
});

test("the CPU time of a process includes its running children", async () => {
  const busy = `while (process.cpuUsage().user < 600_000); process.stdout.write("done"); setInterval(() => {}, 1000);`;
  const starts = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(busy)}], { stdio: "inherit" });`;
  const child = spawn(process.execPath, ["-e", starts], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  const pid = child.pid ?? NaN;
  await once(child.stdout, "data");
  const used = await cpuUsOf([pid]);
  // The whole group, because the inner process would go on alone.
  process.kill(-pid, "SIGKILL");
  // Without /proc nothing is known. The outer process takes far less than that to start.
  expect(used === null ? process.platform !== "linux" : used > 550_000).toBe(true);
});

test("a profile gives the runtime's time to the source file that called it", () => {
  const bundle = ["var head = 1;", "// src/a.ts", "function a() {", "}", "// src/b.ts", "function b() {", "}"].join("\n");
  const profile = {
    nodes: [
      { id: 1, callFrame: frame("(root)", "", -1), children: [2, 5, 6] },
      { id: 2, callFrame: frame("a", "worker.js", 2), children: [3] },
      { id: 3, callFrame: frame("b", "worker.js", 5), children: [4] },
      { id: 4, callFrame: frame("setTimeout", "node-internal:timers", 3) },
      { id: 5, callFrame: frame("(idle)", "", -1) },
      { id: 6, callFrame: frame("(garbage collector)", "", -1) },
    ],
    samples: [2, 3, 4, 4, 5, 6],
    timeDeltas: [10, 20, 30, 40, 500, 5],
  };
  const { files, functions, busyUs } = attribute(profile, sourcesIn(bundle));
  expect(busyUs).toBe(105);
  expect(files).toEqual([
    { name: "src/b.ts", us: 90 },
    { name: "src/a.ts", us: 10 },
    { name: "runtime: (garbage collector)", us: 5 },
  ]);
  expect(functions[0]).toEqual({ name: "setTimeout, runtime, for src/b.ts", us: 70 });
});
