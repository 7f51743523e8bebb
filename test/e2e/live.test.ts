// A browser's EventSource, over real sockets, against a server process that is killed and comes back.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server as Listener, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { EventSource, request, type MessageEvent } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startServer, type Server } from "./server.ts";

const PATIENCE_MS = 60_000;

type Seen = { readonly kind: "message" | "state" | "deleted"; readonly id: string; readonly data: Record<string, unknown> };

let stateFolder: string;
let server: Server;
/** One address, whichever process is behind it, and the first words of everybody who came through. */
let door: { readonly listener: Listener; readonly sockets: Set<Socket>; readonly heads: string[]; readonly url: string };

async function openDoor(): Promise<typeof door> {
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
  if (address === null || typeof address === "string") throw new Error("no door");
  return { listener, sockets, heads, url: `http://127.0.0.1:${address.port}` };
}

beforeAll(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), "doorbuster-live-"));
  server = await startServer(stateFolder);
  door = await openDoor();
});

afterAll(async () => {
  door.listener.close();
  for (const socket of door.sockets) socket.destroy();
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

/** Watches coupon `name` through the door; `seen` grows by what is dispatched. */
function watch(name: string) {
  const source = new EventSource(`${door.url}/api/coupons/${name}/events`);
  const seen: Seen[] = [];
  const opened = { count: 0 };
  for (const kind of ["message", "state", "deleted"] as const) {
    source.addEventListener(kind, (event) => {
      const { data, lastEventId } = event as MessageEvent<string>;
      seen.push({ kind, id: lastEventId, data: JSON.parse(data) as Record<string, unknown> });
    });
  }
  source.addEventListener("open", () => (opened.count += 1));
  return { source, seen, opened };
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("an EventSource", () => {
  test("is told at once how the sale stands, and of claims, a pause, and the end of the coupon", async () => {
    const name = "told";
    await send("POST", "/api/coupons", { name, amount: 5 });
    const { source, seen } = watch(name);
    await until(() => seen.length === 1);
    expect(seen[0]).toMatchObject({ kind: "message", id: "1", data: { name, state: "open", remaining_amount: 5 } });

    expect(await claim(name, "ada")).toBe(201);
    await until(() => seen.length === 2);
    expect(seen[1]).toMatchObject({ kind: "message", id: "2", data: { remaining_amount: 4 } });

    expect(await send("PATCH", `/api/coupons/${name}`, { paused: true })).toBe(200);
    await until(() => seen.length === 4);
    expect(seen[2]).toEqual({ kind: "state", id: "3", data: { from: "open", to: "paused", seq: 3 } });
    expect(seen[3]).toMatchObject({ kind: "message", id: "3", data: { state: "paused" } });

    expect(await send("DELETE", `/api/coupons/${name}`)).toBe(204);
    await until(() => seen.length === 5);
    expect(seen[4]).toMatchObject({ kind: "deleted", data: {} });
    // It asks again, hears that there is nothing to watch any more, and leaves it at that.
    await until(() => source.readyState === EventSource.CLOSED);
    expect(seen).toHaveLength(5);
  });

  test("comes back by itself after the server was killed and started again, and sees nothing older than it had", async () => {
    const name = "comes-back";
    await send("POST", "/api/coupons", { name, amount: 5 });
    const { source, seen, opened } = watch(name);
    await until(() => seen.length === 1);
    await claim(name, "ada");
    await until(() => seen.length === 2);

    await server.stop();
    await until(() => source.readyState === EventSource.CONNECTING);
    server = await startServer(stateFolder);
    await until(() => seen.length === 3);
    expect(opened.count).toBe(2);
    expect(door.heads.findLast((head) => head.includes(`/${name}/events`))).toMatch(/^last-event-id: 2\r$/im);
    expect(seen[2]).toMatchObject({ kind: "message", id: "2", data: { remaining_amount: 4 } });

    await claim(name, "bob");
    await until(() => seen.length === 4);
    expect(seen[3]).toMatchObject({ kind: "message", id: "3", data: { remaining_amount: 3 } });
    source.close();
  });

  test("that leaves is let go, and hears no more, unlike those who stay", async () => {
    const name = "leaves";
    await send("POST", "/api/coupons", { name, amount: 5 });
    await until(() => door.sockets.size === 0);
    const audience = Array.from({ length: 20 }, () => watch(name));
    await until(() => audience.every(({ seen }) => seen.length === 1));
    const [stays, ...leaving] = audience;
    for (const { source } of leaving) source.close();
    // What is left is one connection: both of its ends.
    await until(() => door.sockets.size === 2);
    await claim(name, "ada");
    await until(() => stays?.seen.length === 2);
    expect(leaving.filter(({ seen }) => seen.length > 1)).toEqual([]);
    stays?.source.close();
    await until(() => door.sockets.size === 0);
  });

  test("of a coupon that there is not gives up", async () => {
    const { source, seen, opened } = watch("nobody-made-this");
    await until(() => source.readyState === EventSource.CLOSED);
    expect([seen, opened.count]).toEqual([[], 0]);
  });
});
