// The examples, started as a reader starts them, on a real server that knows its callers by their tokens.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { createClient } from "../../packages/client/src/index.ts";
import { createOperator, type Operator } from "../../packages/client/src/operator.ts";
import { varsIn } from "../../scripts/server/config.ts";
import { freePort } from "../../scripts/server/loopback.ts";
import { build, launch, PRODUCT, removeScratch, scratchFolder, type Served } from "../../scripts/server/workerd.ts";
import { ROOT } from "./command.ts";

const VARS = varsIn(join(ROOT, "examples/local.vars")) ?? {};
const POLL = { timeout: 60_000 };
const SERVICE_TOKEN = VARS["SERVICE_TOKEN"] ?? "";

let folder: string;
let served: Served;
let operator: Operator;
const started: ChildProcess[] = [];

beforeAll(async () => {
  folder = await scratchFolder("examples");
  served = await launch(await build(PRODUCT, folder), { state: join(folder, "state"), vars: VARS });
  operator = createOperator({ baseUrl: served.url, token: VARS["ADMIN_TOKEN"] ?? "" });
});

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.pid === undefined) continue;
    process.kill(-child.pid, "SIGKILL");
    await once(child, "exit");
  }
});

afterAll(async () => {
  await served.kill();
  await removeScratch(folder);
});

type Example = { readonly url: string; readonly output: () => string };

/** Starts a command line in a process group of its own. Resolves once it answers. */
async function start(command: string, port: number, env: Readonly<Record<string, string>> = {}): Promise<Example> {
  const [file = "", ...args] = command.split(" ");
  const options = { cwd: ROOT, detached: true, env: { ...process.env, PORT: String(port), ...env } };
  const child = spawn(file, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const url = `http://127.0.0.1:${port}`;
  const isUp = () => (child.exitCode === null ? fetch(url).then(Boolean, () => false) : `ended: ${output}`);
  await expect.poll(isUp, POLL).toBe(true);
  return { url, output: () => output };
}

async function post(url: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(url, { method: "POST", headers });
  const text = await response.text();
  return {
    status: response.status,
    body: text === "" ? null : JSON.parse(text),
    cookie: response.headers.get("Set-Cookie")?.split(";")[0],
  };
}

/** A network in front of `url` that loses the first answer to each path. */
async function losingNetwork(url: string) {
  const seen = new Set<string>();
  const network = createServer(async (request, response) => {
    const { method = "GET", url: path = "", headers } = request;
    const sent = Object.entries(headers).filter(([name]) => !["host", "connection", "content-length"].includes(name));
    const body = method === "GET" ? null : Buffer.concat(await request.toArray());
    const answer = await fetch(url + path, { method, headers: sent.map(([name, value]) => [name, String(value)]), body });
    const text = await answer.text();
    if (!seen.has(path)) {
      seen.add(path);
      request.socket.destroy();
    } else response.writeHead(answer.status, { "Content-Type": "application/json" }).end(text);
  });
  await once(network.listen(0, "127.0.0.1"), "listening");
  return { url: `http://127.0.0.1:${(network.address() as AddressInfo).port}`, close: () => network.close() };
}

test("the back end sells one unit an order, though the first answers are lost", async () => {
  await operator.create({ name: "BACK-END", amount: 2 });
  const network = await losingNetwork(served.url);
  const shop = await start("npx node examples/back-end.ts", await freePort(), { DOORBUSTER_URL: network.url, COUPON: "BACK-END" });
  const buy = (user: string, order: string) => post(`${shop.url}/buy?user=${user}&order=${order}`);
  const sold = await buy("ada", "1");
  expect(sold).toMatchObject({ status: 201, body: { user_id: "ada", position: 1 } });
  expect(await operator.metrics("BACK-END")).toMatchObject({ value: { outcomes: { granted: 1, replayed: 1 } } });
  expect(await buy("ada", "1")).toEqual(sold);
  expect(await buy("ada", "2")).toMatchObject({ status: 409, body: { outcome: "already_claimed" } });
  expect(await buy("bob", "declined-3")).toMatchObject({ status: 402 });
  expect(await operator.metrics("BACK-END")).toMatchObject({ value: { held_amount: 0, remaining_amount: 1 } });
  expect(await buy("bob", "4")).toMatchObject({ status: 201, body: { position: 2 } });
  expect(await buy("cy", "5")).toMatchObject({ status: 409, body: { outcome: "out_of_stock" } });
  expect(shop.output().match(/captured .*/g)).toEqual([1, 1, 4].map((order) => `captured the payment of order ${order}`));
  network.close();
});

test("the receiver ships each claim once, and refuses what is not signed", async () => {
  await operator.create({ name: "FULFIL", amount: 1 });
  const port = await freePort();
  const events = ["claim.granted", "coupon.sold_out"] as const;
  const webhook = await operator.webhooks.create({ url: `http://127.0.0.1:${port}/`, events, coupons: ["FULFIL"] });
  const { id = "", secret = "" } = webhook.ok ? webhook.value : {};
  const receiver = await start("npx node examples/fulfil.ts", port, { WEBHOOK_SECRET: secret });
  const client = createClient({ baseUrl: served.url, token: SERVICE_TOKEN });
  expect(await client.claim("FULFIL", "ada")).toMatchObject({ outcome: "granted" });
  await expect.poll(receiver.output, POLL).toContain("FULFIL is sold out");
  expect(await operator.webhooks.replay(id, { coupon: "FULFIL" })).toMatchObject({ ok: true });
  const lags = async () => {
    const delivery = await operator.delivery("FULFIL");
    return delivery.ok && new Set(delivery.value.sinks.map(({ lag_events: lag }) => lag));
  };
  await expect.poll(lags, POLL).toEqual(new Set([0]));
  expect(receiver.output().match(/ship .*/g)).toEqual(["ship number 1 of FULFIL to ada"]);
  expect(await fetch(receiver.url, { method: "POST", body: "{}" })).toMatchObject({ status: 400 });
});

const IDENTITY = `--var IDENTITY_SECRET:local-identity --var SERVICE_TOKEN:${SERVICE_TOKEN}`;

test.for([
  ["a Worker in front", "npm start --", "npx wrangler dev --config examples/worker/wrangler.toml", ""],
  ["a Hono app with Doorbuster inside", "npm start -- examples/hono/app.ts --var SESSION_SECRET:s", null, "/shop"],
] as const)("%s claims for its users, and a repeat gets the same receipt", async ([, server, front, path]) => {
  const [port, frontPort] = [await freePort(), await freePort()];
  const env = { WRANGLER_REGISTRY_PATH: join(folder, "registry"), WRANGLER_SEND_METRICS: "false" };
  const state = join(folder, `state-of-${path.slice(1)}`);
  const doorbuster = await start(`${server} ${IDENTITY} --port ${port} --inspector-port 0 --persist-to ${state}`, port, env);
  const local = createOperator({ baseUrl: doorbuster.url });
  expect(await local.create({ name: "SHOP", amount: 1 })).toMatchObject({ ok: true });
  const user = createClient({ baseUrl: doorbuster.url });
  expect(await user.claim("SHOP", "ada")).toMatchObject({ outcome: "unauthorized" });
  const shop = front === null ? doorbuster : await start(`${front} --port ${frontPort} --inspector-port 0`, frontPort, env);
  const claim = (cookie = "", key = "k-1") =>
    post(`${shop.url}${path}/claim/SHOP`, { Cookie: cookie, ...(key === "" ? {} : { "Idempotency-Key": key }) });
  const [ada, bob] = await Promise.all(["ada", "bob"].map(async (name) => (await post(`${shop.url}${path}/login?user=${name}`)).cookie));
  const receipt = { user_id: "ada", position: 1 };
  expect(await claim(ada)).toMatchObject({ status: 201, body: { outcome: "granted", receipt, replayed: false } });
  expect(await claim(ada)).toMatchObject({ status: 201, body: { outcome: "granted", receipt, replayed: true } });
  expect(await claim(bob, "k-2")).toMatchObject({ status: 409, body: { outcome: "out_of_stock" } });
  expect([await claim(ada?.replace("ada", "bob")), await claim(), await claim(ada, "")].map(({ status }) => status)).toEqual([
    401, 401, 400,
  ]);
});
