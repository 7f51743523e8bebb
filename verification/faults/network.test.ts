// The network that harms requests does what it says: what arrives, how often, and what comes back.

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { Agent } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";

import { FAULTS, NO_FAULT, type FaultPlan } from "./fault-plan.ts";
import { FaultyNetwork, PASSAGE_HEADER, type Passage } from "./proxy.ts";

const ANSWER = JSON.stringify({ answered: "a whole answer" });
const BODY = JSON.stringify({ asked: "a whole request" });

let server: Server;
let network: FaultyNetwork;
let agent: Agent;
/** The bodies of requests that arrived as a whole, and whether their connection then broke before they were answered. */
let arrived: { readonly body: string; isBroken: boolean }[];
/** Longer than anything takes, in milliseconds: for what comes by itself. */
const LONG_MS = 60_000;

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

/** Sends one request to its faultPlan. Answers what came back, null where nothing whole did in time. */
async function send(
  faultPlan: Partial<FaultPlan>,
  patience: number | AbortSignal = LONG_MS,
): Promise<{ readonly heard: string | null; readonly passage: Passage }> {
  const passage = network.passage({ ...NO_FAULT, ...faultPlan });
  const headers = { [PASSAGE_HEADER]: passage.id };
  const signal = typeof patience === "number" ? AbortSignal.timeout(patience) : patience;
  const heard = await agent
    .request({ origin: network.url, path: "/", method: "POST", headers, body: BODY, reset: true, signal })
    .then((response) => response.body.text())
    .catch(() => null);
  // What goes on behind the client's back.
  await expect.poll(() => arrived.length, { timeout: LONG_MS }).toBeGreaterThanOrEqual(passage.deliveries);
  return { heard, passage };
}

test("what is not harmed passes", async () => {
  const { heard, passage } = await send({});
  expect([heard, passage.deliveries, arrived]).toEqual([ANSWER, 1, [{ body: BODY, isBroken: false }]]);
});

test("what is delayed arrives and is answered later", async () => {
  for (const is of ["request_delayed", "answer_delayed"] as const) {
    const startedAt = performance.now();
    expect((await send({ is, ms: 80 })).heard).toBe(ANSWER);
    expect(performance.now() - startedAt).toBeGreaterThan(70);
  }
});

test("what is delayed arrives also when nobody waits for its answer any more", async () => {
  const { heard, passage } = await send({ is: "request_delayed", ms: 3_000 }, 1_500);
  expect(heard).toBeNull();
  await expect.poll(() => arrived.length, { timeout: LONG_MS }).toBe(1);
  expect(passage.deliveries).toBe(1);
});

test("what is lost never arrives, and its client hears nothing", async () => {
  for (const isOther of [true, false]) expect(await send({ is: "request_lost", isOther }, 100)).toMatchObject({ heard: null });
  expect(arrived).toEqual([]);
});

test("what is truncated never arrives as a whole", async () => {
  for (const percent of [0, 30, 99])
    expect(await send({ is: "request_truncated", percent, ms: 20 })).toMatchObject({ heard: null, passage: { deliveries: 0 } });
  expect(arrived.filter(({ body }) => body === BODY)).toEqual([]);
});

test("an answer that is lost or truncated is the answer to what did arrive", async () => {
  for (const isOther of [true, false])
    expect(await send({ is: "answer_lost", isOther }, 3_000)).toMatchObject({ heard: null, passage: { deliveries: 1 } });
  for (const percent of [0, 50, 99])
    expect(await send({ is: "answer_truncated", percent })).toMatchObject({ heard: null, passage: { deliveries: 1 } });
  expect(arrived.map(({ body }) => body)).toEqual(Array.from({ length: 5 }, () => BODY));
});

test("what is duplicated arrives twice, and is heard once", async () => {
  for (const isOther of [true, false]) expect((await send({ is: "duplicated", ms: 20, isOther })).heard).toBe(ANSWER);
  await expect.poll(() => arrived.length, { timeout: LONG_MS }).toBe(4);
});

test("what is cut arrives, and the server sees its client go", async () => {
  serverMs = 100;
  expect(await send({ is: "cut", ms: 20 })).toMatchObject({ heard: null, passage: { deliveries: 1 } });
  await expect.poll(() => arrived.map(({ isBroken }) => isBroken), { timeout: LONG_MS }).toEqual([true]);
});

test("a client that goes is seen to go by the server", async () => {
  serverMs = LONG_MS;
  const client = new AbortController();
  const answer = send({ is: "client_gone" }, client.signal);
  await expect.poll(() => arrived.length, { timeout: LONG_MS }).toBe(1);
  client.abort();
  expect((await answer).heard).toBeNull();
  await expect.poll(() => arrived.map(({ isBroken }) => isBroken), { timeout: LONG_MS }).toEqual([true]);
});

test("while the server is down, nothing arrives and nobody is answered anything", async () => {
  network.targets = [];
  for (const is of FAULTS) expect(await send({ is }, 100)).toMatchObject({ heard: null, passage: { deliveries: 0 } });
  expect(arrived).toEqual([]);
});
