// The benchmark's built-in driver against a server that counts, and the sums of a profile.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { spawn } from "node:child_process";

import { afterEach, describe, expect, test } from "vitest";

import { attribute, sourcesIn } from "./cpu-profile.ts";
import { claimsAndHoldsOf, claimsOf } from "./load/load.ts";
import { drive } from "./load/undici.ts";
import { cpuUsOf } from "./machine/processes.ts";

const servers: Server[] = [];

/** A function as a profile names it. */
const frame = (functionName: string, url: string, lineNumber: number) => ({ functionName, url, lineNumber });

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that notes the bodies it gets and answers the n-th with `statusOf(n)`. */
async function counting(statusOf: (count: number) => number): Promise<{ readonly url: string; readonly bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      bodies.push(body);
      response.writeHead(statusOf(bodies.length)).end();
    });
  });
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

describe("the built-in driver", () => {
  test("counts what was answered, and never meets a user twice", async () => {
    const { url, bodies } = await counting(() => 201);
    const measured = await drive(claimsOf("bench"), { url, connections: 8, seconds: 10, users: "u", answersMax: 200 });
    expect(measured).toMatchObject({ answers: 200, wrong: 0 });
    expect(measured.p50Ms).toBeLessThanOrEqual(measured.p99Ms);
    expect(measured.p99Ms).toBeLessThanOrEqual(measured.maxMs);
    const users = bodies.map((body) => (JSON.parse(body) as { readonly user_id: string }).user_id);
    expect(new Set(users).size).toBe(200);
  });

  test("counts every answer with another status", async () => {
    const { url } = await counting((count) => (count % 10 === 0 ? 503 : 201));
    const measured = await drive(claimsOf("bench"), { url, connections: 4, seconds: 10, users: "u", answersMax: 100 });
    expect(measured).toMatchObject({ answers: 100, wrong: 10 });
  });

  test("takes a refusal for right where it is what is wanted", async () => {
    const { url } = await counting(() => 400);
    const measured = await drive(claimsOf("one", 400), { url, connections: 4, seconds: 10, users: "u", answersMax: 20 });
    expect(measured).toMatchObject({ answers: 20, wrong: 0 });
  });

  test("sends a load's two requests in turn, each with a new user", async () => {
    const { url, bodies } = await counting(() => 201);
    await drive(claimsAndHoldsOf("bench"), { url, connections: 1, seconds: 10, users: "u", answersMax: 4 });
    expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual([
      { user_id: "u-1", coupon_name: "bench" },
      { user_id: "u-2", ttl_seconds: 86_400 },
      { user_id: "u-3", coupon_name: "bench" },
      { user_id: "u-4", ttl_seconds: 86_400 },
    ]);
  });

  test("sends many users in one request", async () => {
    const { url, bodies } = await counting(() => 200);
    const body = { before: '{"user_ids":[', users: 3, after: "]}" };
    const load = { method: "POST", path: "/", body, status: 200 } as const;
    await drive(load, { url, connections: 1, seconds: 10, users: "u", answersMax: 2 });
    expect(bodies).toEqual(['{"user_ids":["u-1","u-2","u-3"]}', '{"user_ids":["u-4","u-5","u-6"]}']);
  });
});

test("CPU time is that of a process and of what it started and still runs", async () => {
  const busy = `while (process.cpuUsage().user < 600_000); process.stdout.write("done"); setInterval(() => {}, 1000);`;
  const starts = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(busy)}], { stdio: "inherit" });`;
  const child = spawn(process.execPath, ["-e", starts], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  const pid = child.pid ?? NaN;
  await once(child.stdout, "data");
  const used = await cpuUsOf([pid]);
  // The whole group, for the inner one would go on alone.
  process.kill(-pid, "SIGKILL");
  // Where there is no /proc, nothing is known. The outer one takes far less than that to start.
  expect(used === null ? process.platform !== "linux" : used > 550_000).toBe(true);
});

describe("a profile", () => {
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

  test("finds where the source files begin in a bundle", () => {
    expect(sourcesIn(bundle)).toEqual([
      { line: 1, path: "src/a.ts" },
      { line: 4, path: "src/b.ts" },
    ]);
  });

  test("gives the runtime's time to the file that called it, and idle time to none", () => {
    const { files, functions, busyUs } = attribute(profile, sourcesIn(bundle));
    expect(busyUs).toBe(105);
    expect(files).toEqual([
      { name: "src/b.ts", us: 90 },
      { name: "src/a.ts", us: 10 },
      { name: "runtime: (garbage collector)", us: 5 },
    ]);
    expect(functions[0]).toEqual({ name: "setTimeout, runtime, for src/b.ts", us: 70 });
  });
});
