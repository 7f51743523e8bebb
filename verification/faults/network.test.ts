// The faulty network does to each request what its fault plan says: what arrives, how often, and what comes
// back.

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { Agent } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";

import { FAULTS, NO_FAULT, type FaultPlan } from "./fault-plan.ts";
import { FaultyNetwork, PASSAGE_HEADER, type Passage } from "./proxy.ts";

const ANSWER = JSON.stringify({ answered: "a whole answer" });
const BODY = JSON.stringify({ asked: "a whole request" });
/** Longer than anything takes, in milliseconds. */
const LONG_MS = 60_000;

let server: Server;
let network: FaultyNetwork;
let agent: Agent;
/**
 * The bodies of requests that arrived as a whole, and whether their connection broke before they were
 * answered.
 */
let arrived: { readonly body: string; isBroken: boolean }[];
/** How long the server takes, in milliseconds. */
let serverMs: number;

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const note = { body, isBroken: false };
  arrived.push(note);
  response.once("close", () => (note.isBroken = !response.writableFinished));
  setTimeout(() => response.end(ANSWER), serverMs).unref();
}

beforeEach(async () => {
  arrived = [];
  serverMs = 0;
  server = createServer((request, response) => void serve(request, response).catch(() => undefined));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  network = await FaultyNetwork.open();
  network.targets = [(server.address() as AddressInfo).port];
  agent = new Agent();
});

afterEach(async () => {
  await agent.destroy();
  await network.close();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

/** Sends one request with a fault. Returns what came back; null where nothing whole did in time. */
async function send(
  plan: Partial<FaultPlan>,
  patience: number | AbortSignal = LONG_MS,
): Promise<{ readonly heard: string | null; readonly passage: Passage }> {
  const passage = network.passage({ ...NO_FAULT, ...plan });
  const headers = { [PASSAGE_HEADER]: passage.id };
  const signal = typeof patience === "number" ? AbortSignal.timeout(patience) : patience;
  const heard = await agent
    .request({ origin: network.url, path: "/", method: "POST", headers, body: BODY, reset: true, signal })
    .then((response) => response.body.text())
    .catch(() => null);
  // A delivery may go on after its client gave up.
  await expect.poll(() => arrived.length, { timeout: LONG_MS }).toBeGreaterThanOrEqual(passage.deliveries);
  return { heard, passage };
}

test.for<readonly [name: string, plan: Partial<FaultPlan>, heard: string | null, deliveries: number]>([
  ["a request without a fault is answered", {}, ANSWER, 1],
  ["a lost request is silent", { is: "request_lost" }, null, 0],
  ["a request that is lost with its connection is not answered", { is: "request_lost", isOther: true }, null, 0],
  ["a request of no bytes does not arrive", { is: "request_truncated", percent: 0, ms: 20 }, null, 0],
  ["a truncated request does not arrive", { is: "request_truncated", percent: 99, ms: 20 }, null, 0],
  ["a request whose answer is lost arrives", { is: "answer_lost" }, null, 1],
  ["a request whose answer is lost with its connection arrives", { is: "answer_lost", isOther: true }, null, 1],
  ["a request whose answer is truncated arrives", { is: "answer_truncated", percent: 99 }, null, 1],
  ["a request whose answer has no bytes arrives", { is: "answer_truncated", percent: 0 }, null, 1],
  ["a duplicated request arrives twice and is answered once", { is: "duplicated", ms: 20 }, ANSWER, 2],
  ["a duplicated request can be answered by its second delivery", { is: "duplicated", ms: 20, isOther: true }, ANSWER, 2],
])("%s", async ([, plan, heard, deliveries]) => {
  expect((await send(plan, heard === null && deliveries === 0 ? 200 : 3_000)).heard).toBe(heard);
  await expect.poll(() => arrived.map(({ body }) => body), { timeout: LONG_MS }).toEqual(Array.from({ length: deliveries }, () => BODY));
});

test("a delayed request or answer arrives later", async () => {
  for (const is of ["request_delayed", "answer_delayed"] as const) {
    const startedAt = performance.now();
    expect((await send({ is, ms: 80 })).heard).toBe(ANSWER);
    expect(performance.now() - startedAt).toBeGreaterThan(70);
  }
});

test("a delayed request arrives after its client gave up", async () => {
  expect((await send({ is: "request_delayed", ms: 1_000 }, 500)).heard).toBeNull();
  await expect.poll(() => arrived.length, { timeout: LONG_MS }).toBe(1);
});

test("a request that is cut arrives, and the server sees its connection break", async () => {
  serverMs = 100;
  expect(await send({ is: "cut", ms: 20 })).toMatchObject({ heard: null, passage: { deliveries: 1 } });
  await expect.poll(() => arrived.map(({ isBroken }) => isBroken), { timeout: LONG_MS }).toEqual([true]);
});

test("the server sees the connection of a client that leaves break", async () => {
  serverMs = LONG_MS;
  const client = new AbortController();
  const answer = send({ is: "client_gone" }, client.signal);
  await expect.poll(() => arrived.length, { timeout: LONG_MS }).toBe(1);
  client.abort();
  expect((await answer).heard).toBeNull();
  await expect.poll(() => arrived.map(({ isBroken }) => isBroken), { timeout: LONG_MS }).toEqual([true]);
});

test("no request arrives while the server is down", async () => {
  network.targets = [];
  for (const is of FAULTS) expect(await send({ is }, 100)).toMatchObject({ heard: null, passage: { deliveries: 0 } });
  expect(arrived).toEqual([]);
});
