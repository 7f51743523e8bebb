// A Worker in front of Doorbuster: it knows its users by a signed cookie, and claims for them over a service binding.
//   npm start                                                   # in another terminal
//   npx wrangler dev --config examples/worker/wrangler.toml
//   curl -i -X POST "http://127.0.0.1:9003/login?user=user_1"
//   curl -X POST http://127.0.0.1:9003/claim/PROMO -H "Cookie: session=…" -H "Idempotency-Key: k-1"

import { createClient, type ClaimOutcome } from "@doorbuster/client";

type Env = { readonly DOORBUSTER: Fetcher; readonly SERVICE_TOKEN: string; readonly SESSION_SECRET: string };

const STATUS: Partial<Record<ClaimOutcome["outcome"], number>> = { granted: 201, invalid: 400, unknown: 503, unavailable: 503 };

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (request.method !== "POST") return Response.json({ error: "send a POST" }, { status: 405 });
    if (pathname === "/login") return login(searchParams.get("user") ?? "", env);
    const coupon = /^\/claim\/([\w-]+)$/.exec(pathname)?.[1];
    if (coupon === undefined) return Response.json({ error: "not found" }, { status: 404 });
    const user = await userOf(request, env);
    if (user === null) return Response.json({ error: "log in first" }, { status: 401 });
    // The browser makes the key, because it outlives this request.
    const key = request.headers.get("Idempotency-Key");
    if (key === null) return Response.json({ error: "send an Idempotency-Key" }, { status: 400 });
    // Without a service binding: leave out `fetch`, and set `baseUrl` to Doorbuster's address.
    const fetch = (url: string, init: RequestInit): Promise<Response> => env.DOORBUSTER.fetch(url, init);
    const client = createClient({ baseUrl: "https://doorbuster", token: env.SERVICE_TOKEN, fetch });
    const claimed = await client.claim(coupon, user, { key });
    return Response.json(claimed, { status: STATUS[claimed.outcome] ?? 409 });
  },
} satisfies ExportedHandler<Env>;

/** Stands for your login. */
async function login(user: string, env: Env): Promise<Response> {
  if (!/^[\w-]+$/.test(user)) return Response.json({ error: "name a user" }, { status: 400 });
  const signature = await crypto.subtle.sign("HMAC", await keyOf(env), new TextEncoder().encode(user));
  const session = `${user}.${btoa(String.fromCharCode(...new Uint8Array(signature)))}`;
  return new Response(null, { status: 204, headers: { "Set-Cookie": `session=${session}; Path=/; HttpOnly; SameSite=Lax` } });
}

/** Returns the user of a session that {@link login} signed. */
async function userOf(request: Request, env: Env): Promise<string | null> {
  const cookie = request.headers.get("Cookie") ?? "";
  const [, user, signature] = /(?:^|; )session=([\w-]+)\.([A-Za-z\d+/]{43}=)/.exec(cookie) ?? [];
  if (user === undefined || signature === undefined) return null;
  const bytes = Uint8Array.from(atob(signature), (character) => character.charCodeAt(0));
  return (await crypto.subtle.verify("HMAC", await keyOf(env), bytes, new TextEncoder().encode(user))) ? user : null;
}

function keyOf({ SESSION_SECRET }: Env): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", new TextEncoder().encode(SESSION_SECRET), algorithm, false, ["sign", "verify"]);
}
