// The product under `wrangler dev`: real sockets, and a restart on the same files.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Pool } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";

import { couponClient, type Answer, type CouponClient } from "../../verification/client/coupon-client.ts";
import { startServer, type Server } from "./server.ts";

let stateFolder: string;
let server: Server;
let sockets: Pool;
let client: CouponClient;

async function start(): Promise<void> {
  server = await startServer(stateFolder);
  sockets = new Pool(server.url, { connections: 250 });
  client = couponClient(sockets);
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

function statuses(answers: readonly Answer[]): Record<number, number> {
  const byStatus = Map.groupBy(answers, ({ status }) => status);
  return Object.fromEntries(Array.from(byStatus, ([status, same]) => [status, same.length]));
}

function claimAll(name: string): Promise<Answer[]> {
  return Promise.all(Array.from({ length: 1000 }, (_, index) => client.claim(name, `user-${index}`)));
}

test.for(Array.from({ length: 10 }, (_, index) => index + 1))(
  "1,000 concurrent claims get exactly 100 units, run %i of 10",
  async (run) => {
    const name = `sale-${run}`;
    expect((await client.create(name, 100)).status).toBe(201);
    const answers = await claimAll(name);
    expect(statuses(answers)).toEqual({ 201: 100, 400: 900 });
    const { body } = await client.read(name);
    const winners = answers.filter(({ status }) => status === 201).sort((a, b) => Number(a.body["position"]) - Number(b.body["position"]));
    expect(body).toMatchObject({ remaining_amount: 0, state: "sold_out", claimed_by: winners.map((winner) => winner.body["user_id"]) });
  },
);

test("a killed server keeps every claim when it starts again on the same files", async () => {
  const name = "before-the-restart";
  await client.create(name, 100);
  await claimAll(name);
  const before = await client.read(name);
  await stop();
  await start();

  const { status, body } = await client.read(name);
  expect({ status, body }).toEqual({ status: before.status, body: before.body });
  expect(statuses(await claimAll(name))).toEqual({ 409: 100, 400: 900 });
});
