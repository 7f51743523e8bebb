// A Hono app with Doorbuster inside: your routes, its API and its pages, in one Worker.
//   npm start -- examples/hono/app.ts --var SERVICE_TOKEN:local-back-end --var SESSION_SECRET:local-session
//   curl -i -X POST "http://127.0.0.1:8787/shop/login?user=user_1"
//   curl -X POST http://127.0.0.1:8787/shop/claim/PROMO -H "Cookie: session=…" -H "Idempotency-Key: k-1"

import { createClient, type Client, type ClaimOutcome } from "@doorbuster/client";
import { Hono, type Context } from "hono";
import { getSignedCookie, setSignedCookie } from "hono/cookie";

import type { RawEnv } from "../../src/edge/env.ts";
import doorbuster from "../../src/index.ts";

export * from "../../src/objects.ts";

type Env = {
  readonly Bindings: RawEnv & { readonly SERVICE_TOKEN: string; readonly SESSION_SECRET: string };
  readonly Variables: { user: string; client: Client };
};

const STATUS: Partial<Record<ClaimOutcome["outcome"], 201 | 400 | 503>> = { granted: 201, invalid: 400, unknown: 503, unavailable: 503 };

const app = new Hono<Env>();

/** Stands for your login. */
app.post("/shop/login", async (c) => {
  await setSignedCookie(c, "session", c.req.query("user") ?? "", c.env.SESSION_SECRET, { httpOnly: true, sameSite: "Lax" });
  return c.body(null, 204);
});

app.use("/shop/*", async (c: Context<Env>, next) => {
  const user = await getSignedCookie(c, c.env.SESSION_SECRET, "session");
  if (!user) return c.json({ error: "log in first" }, 401);
  c.set("user", user);
  const inside = (url: string, init: RequestInit) => doorbuster.fetch(new Request(url, init), c.env, c.executionCtx);
  c.set("client", createClient({ baseUrl: "https://inside", token: c.env.SERVICE_TOKEN, fetch: async (...sent) => inside(...sent) }));
  return next();
});

app.post("/shop/hold/:coupon", async (c) => {
  const held = await c.var.client.hold(c.req.param("coupon"), c.var.user, 300);
  return c.json(held, held.outcome === "held" ? 201 : 409);
});

app.post("/shop/claim/:coupon", async (c) => {
  // The browser makes the key, because it outlives this request.
  const key = c.req.header("Idempotency-Key");
  if (key === undefined) return c.json({ error: "send an Idempotency-Key" }, 400);
  const claimed = await c.var.client.claim(c.req.param("coupon"), c.var.user, { key });
  return c.json(claimed, STATUS[claimed.outcome] ?? 409);
});

// Everything else: the sale pages, the API, the operator's console.
app.all("*", (c) => doorbuster.fetch(c.req.raw, c.env, c.executionCtx));

export default app;
