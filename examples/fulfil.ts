// A receiver of webhooks: ships each unit that was sold, once.
//   npx doorbuster webhooks add http://127.0.0.1:9002/ --events claim.granted,claim.revoked,coupon.sold_out
//   WEBHOOK_SECRET=whsec_… npx node examples/fulfil.ts

import { createServer } from "node:http";

import { verifyWebhook, type WebhookMessage } from "@doorbuster/client/webhooks";

const { WEBHOOK_SECRET = "", PORT = "9002" } = process.env;

/** Stands for a table with a unique column. */
const received = new Set<string>();

function fulfil({ type, data }: WebhookMessage): void {
  switch (type) {
    case "claim.granted":
      return console.log(`ship number ${data.position} of ${data.coupon_name} to ${data.user_id}`);
    case "claim.revoked":
      return console.log(`stop the shipment to ${data.user_id}`);
    case "coupon.sold_out":
      return console.log(`${data.coupon_name} is sold out`);
    default:
  }
}

const server = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  const verified = await verifyWebhook(body, request.headers, WEBHOOK_SECRET);
  if (!verified.ok) return response.writeHead(400).end(verified.reason);
  // A message can come twice. In your shop, one transaction stores the id and the shipment.
  if (!received.has(verified.id)) fulfil(verified.message);
  received.add(verified.id);
  return response.writeHead(204).end();
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`receiver on http://127.0.0.1:${PORT}`));
