// An EventSource over real sockets, on a server that is killed and started again.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server as Listener, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { EventSource, request, type MessageEvent } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startServer, type Server } from "./server.ts";

const WITHIN_MS = 60_000;

type Received = { readonly kind: "message" | "state" | "deleted"; readonly id: string; readonly data: Record<string, unknown> };

let stateFolder: string;
let server: Server;
/** A proxy with one address for all processes. `heads` are the first bytes of each connection. */
let proxy: { readonly listener: Listener; readonly sockets: Set<Socket>; readonly heads: string[]; readonly url: string };

async function openProxy(): Promise<typeof proxy> {
  const sockets = new Set<Socket>();
  const heads: string[] = [];
  const listener = createServer((caller) => {
    caller.once("data", (chunk) => heads.push(String(chunk)));
    const behind = connect(Number(new URL(server.url).port), "127.0.0.1");
    for (const [from, to] of [
      [caller, behind],
      [behind, caller],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { listener, sockets, heads, url: `http://127.0.0.1:${address.port}` };
}

beforeAll(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), "doorbuster-live-"));
  server = await startServer(stateFolder);
  proxy = await openProxy();
});

afterAll(async () => {
  proxy.listener.close();
  for (const socket of proxy.sockets) socket.destroy();
  await server.stop();
  await rm(stateFolder, { recursive: true, force: true });
});

async function send(method: "POST" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<number> {
  const answer = await request(`${server.url}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  await answer.body.dump();
  return answer.statusCode;
}

function claim(name: string, userId: string): Promise<number> {
  return send("POST", "/api/coupons/claim", { user_id: userId, coupon_name: name });
}

/** Watches coupon `name` through the proxy. `received` grows with each event. */
function watch(name: string) {
  const source = new EventSource(`${proxy.url}/api/coupons/${name}/events`);
  const received: Received[] = [];
  const opened = { count: 0 };
  for (const kind of ["message", "state", "deleted"] as const) {
    source.addEventListener(kind, (event) => {
      const { data, lastEventId } = event as MessageEvent<string>;
      received.push({ kind, id: lastEventId, data: JSON.parse(data) as Record<string, unknown> });
    });
  }
  source.addEventListener("open", () => (opened.count += 1));
  return { source, received, opened };
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + WITHIN_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within ${WITHIN_MS} ms: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("an EventSource gets the status at once, then each claim, pause and deletion", async () => {
  const name = "events";
  await send("POST", "/api/coupons", { name, amount: 5 });
  const { source, received } = watch(name);
  await until(() => received.length === 1);
  expect(received[0]).toMatchObject({ kind: "message", id: "1", data: { name, state: "open", remaining_amount: 5 } });

  expect(await claim(name, "ada")).toBe(201);
  await until(() => received.length === 2);
  expect(received[1]).toMatchObject({ kind: "message", id: "2", data: { remaining_amount: 4 } });

  expect(await send("PATCH", `/api/coupons/${name}`, { paused: true })).toBe(200);
  await until(() => received.length === 4);
  expect(received[2]).toEqual({ kind: "state", id: "3", data: { from: "open", to: "paused", seq: 3 } });
  expect(received[3]).toMatchObject({ kind: "message", id: "3", data: { state: "paused" } });

  expect(await send("DELETE", `/api/coupons/${name}`)).toBe(204);
  await until(() => received.length === 5);
  expect(received[4]).toMatchObject({ kind: "deleted", data: {} });
  // It reconnects, gets 404, and closes.
  await until(() => source.readyState === EventSource.CLOSED);
  expect(received).toHaveLength(5);
});

test("an EventSource reconnects to a restarted server and gets nothing older", async () => {
  const name = "comes-back";
  await send("POST", "/api/coupons", { name, amount: 5 });
  const { source, received, opened } = watch(name);
  await until(() => received.length === 1);
  await claim(name, "ada");
  await until(() => received.length === 2);

  await server.stop();
  await until(() => source.readyState === EventSource.CONNECTING);
  server = await startServer(stateFolder);
  await until(() => received.length === 3);
  expect(opened.count).toBe(2);
  expect(proxy.heads.findLast((head) => head.includes(`/${name}/events`))).toMatch(/^last-event-id: 2\r$/im);
  expect(received[2]).toMatchObject({ kind: "message", id: "2", data: { remaining_amount: 4 } });

  await claim(name, "bob");
  await until(() => received.length === 4);
  expect(received[3]).toMatchObject({ kind: "message", id: "3", data: { remaining_amount: 3 } });
  source.close();
});

test("an EventSource that closes frees its connection while another one stays", async () => {
  const name = "leaves";
  await send("POST", "/api/coupons", { name, amount: 5 });
  await until(() => proxy.sockets.size === 0);
  const viewers = Array.from({ length: 20 }, () => watch(name));
  await until(() => viewers.every(({ received }) => received.length === 1));
  const [stays, ...leaving] = viewers;
  for (const { source } of leaving) source.close();
  // Both ends of one connection remain.
  await until(() => proxy.sockets.size === 2);
  await claim(name, "ada");
  await until(() => stays?.received.length === 2);
  expect(leaving.filter(({ received }) => received.length > 1)).toEqual([]);
  stays?.source.close();
  await until(() => proxy.sockets.size === 0);
});
