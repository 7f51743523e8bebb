// Serves the page, and signs a token for its visitor. Doorbuster knows the signature by IDENTITY_SECRET.
//   npx node examples/page/server.ts

import { createHmac, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const { DOORBUSTER_URL = "http://127.0.0.1:8787", IDENTITY_SECRET = "local-identity", COUPON = "PROMO", PORT = "9001" } = process.env;

/** Returns a token (JWT, HS256) with which a browser acts for `user` during five minutes. */
function tokenFor(user: string): string {
  const payload = { sub: user, exp: Math.floor(Date.now() / 1_000) + 300 };
  const parts = [{ alg: "HS256", typ: "JWT" }, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  const signed = parts.join(".");
  return `${signed}.${createHmac("sha256", IDENTITY_SECRET).update(signed).digest("base64url")}`;
}

const page = await readFile(new URL("index.html", import.meta.url));
/** The built client. A bundler would take it from node_modules. */
const clientFolder = new URL(".", import.meta.resolve("@doorbuster/client"));

const server = createServer(async ({ url = "/", headers }, response) => {
  const known = /(?:^|; )visitor=([\w-]+)/.exec(headers.cookie ?? "")?.[1];
  const user = known ?? randomUUID(); // in your shop: whoever is logged in
  if (known === undefined) response.setHeader("Set-Cookie", `visitor=${user}; Path=/; HttpOnly; SameSite=Lax`);
  const file = /^\/client\/([\w-]+\.js)$/.exec(url)?.[1];
  if (file !== undefined) {
    const script = await readFile(fileURLToPath(new URL(file, clientFolder))).catch(() => null);
    response.writeHead(script === null ? 404 : 200, { "Content-Type": "text/javascript" }).end(script);
  } else if (url === "/session") {
    const session = { user, token: tokenFor(user), baseUrl: DOORBUSTER_URL, coupon: COUPON };
    response.writeHead(200, { "Content-Type": "application/json", "Cache-Control": "no-store" }).end(JSON.stringify(session));
  } else {
    response.writeHead(url === "/" ? 200 : 404, { "Content-Type": "text/html; charset=utf-8" }).end(url === "/" ? page : "");
  }
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`page on http://127.0.0.1:${PORT}`));
