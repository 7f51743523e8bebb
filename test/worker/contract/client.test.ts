// The client inside workerd, as a Worker in front calls the service.

import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";

import { createClient } from "../../../packages/client/src/index.ts";
import { verifyWebhook } from "../../../packages/client/src/webhooks.ts";
import { newSecret, sign } from "../../../src/webhooks/sign.ts";
import { created } from "../../support/api.ts";

test("a Worker claims by the client through a service binding, and verifies a webhook", async () => {
  const client = createClient({ baseUrl: "https://doorbuster.test", fetch: (url, init) => exports.default.fetch(url, init) });
  const name = await created(1);
  expect(await client.claim(name, "ada")).toMatchObject({ outcome: "granted", receipt: { position: 1, remaining_amount: 0 } });
  expect(await client.claim(name, "bob")).toMatchObject({ outcome: "out_of_stock" });
  for await (const event of client.watch(name)) {
    expect(event).toMatchObject({ type: "status", status: { name, state: "sold_out" } });
    break;
  }
  const [secret, now, body] = [newSecret(), Date.now(), `{"type":"webhook.test","data":{}}`];
  const timestamp = Math.floor(now / 1_000);
  const headers = {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(timestamp),
    "webhook-signature": await sign([secret], "msg_1", timestamp, body),
  };
  expect(await verifyWebhook(body, new Headers(headers), secret, { now })).toMatchObject({ ok: true, id: "msg_1" });
});
