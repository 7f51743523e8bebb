// A server with a small part of the API and planted faults, which the stress command must find.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export type Faults = {
  /** Answers no request, or no claim. */
  readonly hangs?: "always" | "on claims";
  /** Answers this to `GET /health`. */
  readonly health?: { readonly status: number; readonly body: unknown };
  /** Answers this to every claim. */
  readonly claim?: { readonly status: number; readonly body: unknown };
  /** Answers this to the creation of a coupon. */
  readonly create?: { readonly status: number; readonly body: unknown };
  /** Grants this many units beyond the amount. */
  readonly oversells?: number;
  /** Grants each user this many units. */
  readonly grantsEach?: number;
  /** Leaves the last claimant out of the coupon. */
  readonly forgets?: boolean;
};

export type Impostor = { readonly url: string; readonly stop: () => Promise<void> };

type Answered = { readonly status: number; readonly body: unknown } | null;

const HEALTHY = { status: 200, body: { status: "healthy" } };

/** Serves one coupon on 127.0.0.1 with these faults. */
export async function startImpostor(faults: Faults): Promise<Impostor> {
  const answer = couponWith(faults);
  const server = createServer((request, response) => void respond(request, response, answer)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  async function stop(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }
  return { url: `http://127.0.0.1:${address.port}`, stop };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (route: string, sent: Record<string, unknown>) => Answered,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const answered = answer(`${request.method} ${request.url}`, text === "" ? {} : JSON.parse(text));
  if (answered === null) return;
  response.writeHead(answered.status, { "content-type": "application/json" });
  response.end(JSON.stringify(answered.body));
}

/** Answers a route. Null hangs. */
function couponWith(faults: Faults): (route: string, sent: Record<string, unknown>) => Answered {
  const { health = HEALTHY, create, oversells = 0, grantsEach = 1 } = faults;
  let coupon = { name: "", amount: 0 };
  const claimants: string[] = [];

  function claim(user: string): Answered {
    if (faults.hangs === "on claims") return null;
    if (faults.claim !== undefined) return faults.claim;
    if (claimants.filter((own) => own === user).length >= grantsEach) {
      const position = claimants.indexOf(user) + 1;
      return { status: 409, body: { code: "already_claimed", claim: receipt(user, position) } };
    }
    if (claimants.length >= coupon.amount + oversells) return { status: 400, body: { code: "out_of_stock" } };
    return { status: 201, body: receipt(user, claimants.push(user)) };
  }

  function receipt(user: string, position: number): Record<string, unknown> {
    return { coupon_name: coupon.name, user_id: user, position, claimed_at: "2026-11-21T09:56:14.755Z" };
  }

  return (route, sent) => {
    if (faults.hangs === "always") return null;
    if (route === "GET /health") return health;
    if (route === "POST /api/coupons") {
      if (create !== undefined) return create;
      coupon = { name: String(sent["name"]), amount: Number(sent["amount"]) };
      return { status: 201, body: coupon };
    }
    if (route === "POST /api/coupons/claim") return claim(String(sent["user_id"]));
    const shown = faults.forgets === true ? claimants.slice(0, -1) : claimants;
    return { status: 200, body: { ...coupon, remaining_amount: Math.max(0, coupon.amount - claimants.length), claimed_by: shown } };
  };
}
