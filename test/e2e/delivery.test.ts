// Delivery by a real server to a real receiver that fails, hangs, answers late, or is gone.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { Pool } from "undici";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { build, PRODUCT, serve, type Served } from "../../scripts/server/workerd.ts";
import { couponClient, type CouponClient } from "../../verification/client/coupon-client.ts";

const EVENTS = ["coupon.created", "claim.granted"];
/** A failed attempt is repeated after five seconds, or six at most. An attempt may take ten. */
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 60_000, interval: 50 });

type Arrival = { readonly id: string; readonly body: string };

let folder: string;
let receiver: Server;
let server: Served;
let pool: Pool;
let client: CouponClient;
/** By path: what arrived, and how the first answers are given. All others are 200. */
const arrivals = new Map<string, Arrival[]>();
const firstAnswers = new Map<string, (response: ServerResponse) => void>();

beforeAll(async () => {
  receiver = createServer((request, response) => void receive(request.url ?? "", request, response)).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  folder = await mkdtemp(join(tmpdir(), "doorbuster-delivery-"));
  server = await serve(await build(PRODUCT, folder), { state: join(folder, "state"), vars: { WEBHOOK_TARGETS: "any" } });
  pool = new Pool(server.url);
  client = couponClient(pool);
});

afterAll(async () => {
  await pool.destroy();
  await server.kill();
  receiver.closeAllConnections();
  receiver.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

async function receive(path: string, request: Parameters<typeof text>[0] & { headers: object }, response: ServerResponse): Promise<void> {
  const id = String((request.headers as Record<string, unknown>)["webhook-id"]);
  const body = await text(request);
  arrivals.set(path, [...(arrivals.get(path) ?? []), { id, body }]);
  const answer = firstAnswers.get(path);
  firstAnswers.delete(path);
  if (answer === undefined) response.end();
  else answer(response);
}

/** A webhook for one new coupon, which gets one claim. Its first message gets `answer`. Returns the webhook's id. */
async function sellTo(name: string, answer?: (response: ServerResponse) => void): Promise<string> {
  if (answer !== undefined) firstAnswers.set(`/${name}`, answer);
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/${name}`;
  const { body } = await client.send("POST", "/api/webhooks", { body: { url, events: EVENTS, coupons: [name] } });
  expect([(await client.create(name, 5)).status, (await client.claim(name, "ada")).status]).toEqual([201, 201]);
  return String(body["id"]);
}

async function sinkOf(name: string, sink: string): Promise<Record<string, unknown> | undefined> {
  const { body } = await client.send("GET", `/api/coupons/${name}/delivery`);
  return (body["sinks"] as Record<string, unknown>[]).find((one) => one["sink"] === sink);
}

const typesAt = (name: string) => (arrivals.get(`/${name}`) ?? []).map(({ body }) => String(JSON.parse(body).type));

/** Resolves once the endpoint has both messages, the first one so many times. */
async function hasAll(name: string, attemptCount: number): Promise<void> {
  await soon(() => expect(typesAt(name)).toEqual([...Array<string>(attemptCount).fill("coupon.created"), "claim.granted"]));
  expect(new Set((arrivals.get(`/${name}`) ?? []).slice(0, attemptCount).map((one) => JSON.stringify(one))).size).toBe(1);
}

test.concurrent.for<[answer: string, (response: ServerResponse) => void, lastError: RegExp]>([
  ["500", (response) => response.writeHead(500).end("out of order"), /^status 500: out of order$/],
  ["302", (response) => response.writeHead(302, { location: "/elsewhere" }).end(), /^status 302/],
  ["a closed connection", (response) => response.destroy(), /./],
  ["no answer", () => undefined, /./],
])("after %s the same message is sent again before the next", async ([answer, give, lastError]) => {
  const name = `after ${answer}`.replaceAll(" ", "-");
  const id = await sellTo(name, give);
  // The read model does not wait for the endpoint.
  await soon(async () => {
    const failed = { failed_attempts: 1, last_error: expect.stringMatching(lastError) };
    expect([await sinkOf(name, id), await sinkOf(name, "d1")]).toMatchObject([failed, { lag_events: 0 }]);
  });
  await hasAll(name, 2);
  await soon(async () => expect(await sinkOf(name, id)).toMatchObject({ lag_events: 0, failed_attempts: 0, last_error: null }));
  expect(arrivals.has("/elsewhere")).toBe(false);
});

test.concurrent("a late 200 is waited for, and the message is sent once", async () => {
  const id = await sellTo("late", (response) => setTimeout(() => response.end(), 2_000));
  await hasAll("late", 1);
  await soon(async () => expect(await sinkOf("late", id)).toMatchObject({ lag_events: 0, failed_attempts: 0 }));
});

test.concurrent("410 disables a webhook, and unpausing it delivers from there", async () => {
  const id = await sellTo("gone", (response) => response.writeHead(410).end());
  const webhook = async () => (await client.send("GET", `/api/webhooks/${id}`)).body;
  await soon(async () => expect(await webhook()).toMatchObject({ disabled_at: expect.any(String) }));
  expect((await client.claim("gone", "bob")).status).toBe(201);
  await soon(async () => expect(await sinkOf("gone", "d1")).toMatchObject({ seq: 3 }));
  expect([typesAt("gone"), await sinkOf("gone", id)]).toMatchObject([["coupon.created"], { status: "disabled", lag_events: 3 }]);
  expect((await client.send("PATCH", `/api/webhooks/${id}`, { body: { paused: false } })).status).toBe(200);
  expect((await client.claim("gone", "eve")).status).toBe(201);
  await soon(() => expect(typesAt("gone")).toEqual(["coupon.created", "coupon.created", ...Array<string>(3).fill("claim.granted")]));
});
