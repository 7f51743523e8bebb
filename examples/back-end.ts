// A back end that sells: hold a unit, take the payment, claim. Doorbuster knows it by SERVICE_TOKEN.
//   npx node examples/back-end.ts
//   curl -X POST "http://127.0.0.1:9000/buy?user=user_1&order=4711"

import { createServer } from "node:http";

import { createClient } from "@doorbuster/client";

const { DOORBUSTER_URL = "http://127.0.0.1:8787", SERVICE_TOKEN = "local-back-end", COUPON = "PROMO", PORT = "9000" } = process.env;
const client = createClient({ baseUrl: DOORBUSTER_URL, token: SERVICE_TOKEN });

/** Stands for your payment provider, which knows a payment by its order, and for your table of orders. */
const authorized = new Set<string>();
const payments = {
  authorize: async (order: string) => (order.startsWith("declined") ? false : Boolean(authorized.add(order))),
  capture: async (order: string) => console.log(`captured the payment of order ${order}`),
  cancel: async (order: string) => console.log(`cancelled the payment of order ${order}`, authorized.delete(order)),
};

/** Sells one unit to `user`. A repeated call with the same order goes on where the last one stopped. */
async function buy(user: string, order: string): Promise<{ status: number; answer: unknown }> {
  if (!authorized.has(order)) {
    const held = await client.hold(COUPON, user, 300);
    if (held.outcome !== "held") return { status: 409, answer: held };
    if (!(await payments.authorize(order))) {
      await client.releaseHold(COUPON, user);
      return { status: 402, answer: { error: "the payment was declined" } };
    }
  }
  const claimed = await client.claim(COUPON, user, { key: `order-${order}` });
  switch (claimed.outcome) {
    case "granted":
      await payments.capture(order);
      return { status: 201, answer: claimed.receipt };
    case "already_claimed": // by another order of this user
    case "out_of_stock": // the hold expired during the payment, and another user got the unit
    case "paused":
    case "ended":
    case "not_found":
    case "claim_released":
    case "key_reused":
      await payments.cancel(order);
      return { status: 409, answer: claimed };
    default: // The order may have its unit. Keep the payment, and try the same order again.
      return { status: 503, answer: claimed };
  }
}

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://shop");
  const [user, order] = [searchParams.get("user"), searchParams.get("order")]; // in your shop: of the session
  const isSale = request.method === "POST" && pathname === "/buy" && user && order;
  const { status, answer } = isSale ? await buy(user, order) : { status: 404, answer: { error: "POST /buy?user=…&order=…" } };
  response.writeHead(status, { "Content-Type": "application/json" }).end(`${JSON.stringify(answer)}\n`);
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`shop on http://127.0.0.1:${PORT}`));
