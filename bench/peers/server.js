// What all peers share: the claim over HTTP with Fastify, as the product answers it. Where it is stored is each peer's own.

import Fastify from "fastify";

const TEXT = { type: "string", minLength: 1, maxLength: 255 };
const REFUSALS = {
  already_claimed: { status: 409, error: "coupon already claimed by user" },
  out_of_stock: { status: 400, error: "coupon out of stock" },
  coupon_not_found: { status: 404, error: "coupon not found" },
};
// Fastify makes a serializer of it, which is faster than JSON.stringify.
const RECEIPT = {
  type: "object",
  properties: {
    coupon_name: { type: "string" },
    user_id: { type: "string" },
    claimed_at: { type: "string" },
    remaining_amount: { type: "integer" },
  },
};

/**
 * Serves `store` on a free port of 127.0.0.1 and prints that port. A store has three functions:
 * `create(name, amount)`, `claim(name, userId)` which answers `{ outcome, claimedAt, remaining }`, and `count(name)` which answers
 * how many claims are stored.
 */
export async function serve(store) {
  // No log line for a request: the product writes one.
  const app = Fastify({ logger: false });

  app.post("/api/coupons", async (request, reply) => {
    const { name, amount } = request.body;
    await store.create(name, amount);
    return reply.code(201).send({ name, amount });
  });

  app.post(
    "/api/coupons/claim",
    {
      schema: {
        body: { type: "object", required: ["user_id", "coupon_name"], properties: { user_id: TEXT, coupon_name: TEXT } },
        response: { 201: RECEIPT },
      },
    },
    async (request, reply) => {
      const { user_id, coupon_name } = request.body;
      const { outcome, claimedAt, remaining } = await store.claim(coupon_name, user_id);
      if (outcome === "granted") {
        return reply.code(201).send({ coupon_name, user_id, claimed_at: claimedAt.toISOString(), remaining_amount: remaining });
      }
      const { status, error } = REFUSALS[outcome];
      return reply.code(status).send({ error, code: outcome });
    },
  );

  app.get("/api/coupons/:name/count", async (request) => ({ claims: await store.count(request.params.name) }));
  app.get("/health", async () => ({ status: "healthy" }));

  await app.listen({ host: "127.0.0.1", port: 0 });
  console.log(app.server.address().port);
}
