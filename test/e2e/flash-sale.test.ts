// The product as it is run: a server process, real sockets, a restart.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Pool } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startServer, type Server } from "./server.ts";

type Answer = { readonly status: number; readonly body: Record<string, unknown> };

let stateFolder: string;
let server: Server;
let sockets: Pool;

async function start(): Promise<void> {
  server = await startServer(stateFolder);
  sockets = new Pool(server.url, { connections: 250 });
}

async function stop(): Promise<void> {
  await sockets.destroy();
  await server.stop();
}

beforeAll(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), "doorbuster-e2e-"));
  await start();
});

afterAll(async () => {
  await stop();
  await rm(stateFolder, { recursive: true, force: true });
});

async function send(method: "GET" | "POST", path: string, body?: unknown): Promise<Answer> {
  const answer = await sockets.request({ method, path, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: answer.statusCode, body: (await answer.body.json()) as Answer["body"] };
}

function statuses(answers: readonly Answer[]): Record<number, number> {
  return Object.fromEntries(
    Array.from(
      Map.groupBy(answers, ({ status }) => status),
      ([status, same]) => [status, same.length],
    ),
  );
}

async function rush(name: string): Promise<Answer[]> {
  const claims = Array.from({ length: 1000 }, (_, index) =>
    send("POST", "/api/coupons/claim", { user_id: `user-${index}`, coupon_name: name }),
  );
  return Promise.all(claims);
}

describe("a server process, 1,000 concurrent claims over real sockets, stock 100", () => {
  test.for(Array.from({ length: 10 }, (_, index) => index + 1))("run %i of 10 gives out exactly 100", async (run) => {
    const name = `rush-${run}`;
    expect((await send("POST", "/api/coupons", { name, amount: 100 })).status).toBe(201);
    const answers = await rush(name);
    expect(statuses(answers)).toEqual({ 201: 100, 400: 900 });
    const { body } = await send("GET", `/api/coupons/${name}`);
    expect(body).toMatchObject({ remaining_amount: 0, state: "sold_out" });
    const winners = answers.filter(({ status }) => status === 201).sort((a, b) => Number(a.body["position"]) - Number(b.body["position"]));
    expect(body["claimed_by"]).toEqual(winners.map((winner) => winner.body["user_id"]));
  });
});

test("a server that is killed and started again on the same files forgets nothing", async () => {
  const name = "before-the-restart";
  await send("POST", "/api/coupons", { name, amount: 100 });
  await rush(name);
  const before = await send("GET", `/api/coupons/${name}`);
  await stop();
  await start();

  expect(await send("GET", `/api/coupons/${name}`)).toEqual(before);
  const again = await rush(name);
  expect(statuses(again)).toEqual({ 409: 100, 400: 900 });
});
