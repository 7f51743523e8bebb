// Sending a webhook to a real receiver: which answers count, and what the library of Standard Webhooks verifies.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { TestMessage } from "../../src/domain/webhook-events.ts";
import { send, type Sent } from "../../src/webhooks/send.ts";
import { newSecret } from "../../src/webhooks/sign.ts";

const message: TestMessage = { id: "msg_epoch-1_7", type: "webhook.test", at: 1_700_000_000_000 };
const SECRETS = [newSecret(), newSecret()];
/** The deadline for a receiver that hangs. For the others it is longer than a test may take. */
const HANG_MS = 300;

let receiver: Server;
let received: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
/** Answers without end, as long as their connection is open. */
const running = new Set<string>();

beforeAll(async () => {
  receiver = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  await once(receiver, "listening");
});
beforeEach(() => (received = []));
afterAll(() => receiver.closeAllConnections());

/** Answers with the status that ends the path. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? "";
  received.push({ path, headers: request.headers, body: Buffer.concat(await request.toArray()).toString() });
  if (path === "/drop") request.socket.destroy();
  if (path === "/drop" || path === "/hang") return;
  response.writeHead(Number(path.split("/").at(-1)), { location: "/200" });
  if (!path.startsWith("/endless")) {
    response.end(path === "/204" ? "" : "received");
    return;
  }
  const timer = setInterval(() => response.write("é".repeat(300)), 1);
  running.add(path);
  response.on("close", () => {
    clearInterval(timer);
    running.delete(path);
  });
}

async function sendTo(path: string): Promise<Sent> {
  const address = receiver.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return send({ url: `http://127.0.0.1:${port}${path}`, secrets: SECRETS }, message, Date.now(), path === "/hang" ? HANG_MS : 600_000);
}

test.for([
  ["/200", { ok: true, status: 200 }],
  ["/204", { ok: true, status: 204 }],
  ["/endless/200", { ok: true, status: 200 }],
  ["/302", { ok: false, isGone: false, status: 302, error: "status 302: received" }],
  ["/410", { ok: false, isGone: true, status: 410, error: "status 410: received" }],
  ["/500", { ok: false, isGone: false, status: 500, error: "status 500: received" }],
  ["/endless/500", { ok: false, isGone: false, status: 500, error: `status 500: ${"é".repeat(200)}` }],
  ["/hang", { ok: false, isGone: false, status: null, error: "no answer within the deadline" }],
  ["/drop", { ok: false, isGone: false, status: null, error: "TypeError: fetch failed" }],
] as const)("a receiver that answers as %s is asked once, and the outcome is %o", async ([path, outcome]) => {
  const { ms, ...sent } = await sendTo(path);
  expect(sent).toEqual(outcome);
  expect(ms).toBeGreaterThanOrEqual(path === "/hang" ? HANG_MS - 10 : 0);
  expect(received.map((request) => request.path)).toEqual([path]);
});

test("a body without end is cancelled", async () => {
  await sendTo("/endless/200");
  await expect.poll(() => running.size).toBe(0);
});

test("the library verifies a webhook with the current and with the previous secret, and with no other", async () => {
  await sendTo("/200");
  const [{ headers, body } = { headers: {}, body: "" }] = received;
  const signed = headers as Record<string, string>;
  expect(signed).toMatchObject({ "webhook-id": "msg_epoch-1_7", "content-type": "application/json" });
  expect(signed["user-agent"]).toMatch(/^Doorbuster\/\d+\.\d+\.\d+$/);
  const content = { type: "webhook.test", timestamp: "2023-11-14T22:13:20.000Z", data: {} };
  for (const secret of SECRETS) expect(new Webhook(secret).verify(body, signed)).toEqual(content);
  expect(() => new Webhook(newSecret()).verify(body, signed)).toThrow("No matching signature found");
  expect(() => new Webhook(SECRETS[0] ?? "").verify(`${body} `, signed)).toThrow("No matching signature found");
});

test("the receiver of docs/webhooks.md accepts what is signed now with its secret, and refuses all else", async () => {
  const [, code = ""] = /```js\n(.*?)```/s.exec(readFileSync("docs/webhooks.md", "utf8")) ?? [];
  const env = { ...process.env, WEBHOOK_SECRET: SECRETS[1], PORT: "0" };
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], { env, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const url = `http://127.0.0.1:${/\d+/.exec(line.toString())?.[0]}/`;
    const statusOf = async (secrets: readonly string[], at: number) => (await send({ url, secrets }, message, at)).status;
    const now = Date.now();
    expect(await statusOf(SECRETS, now)).toBe(204);
    expect(await statusOf([newSecret()], now)).toBe(400);
    expect([await statusOf(SECRETS, now - 301_000), await statusOf(SECRETS, now + 302_000)]).toEqual([400, 400]);
    expect(await fetch(url, { method: "POST", body: "{}" })).toMatchObject({ status: 400 });
  } finally {
    child.kill();
  }
});
