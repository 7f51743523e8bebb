// The server that is loaded: one of our own, or the one that was named, and whether it is what it should be.

import { join } from "node:path";

import { CommandFailure, EXIT, usage, type Call } from "../cli/command.ts";
import { couponClient, type Answer, type CouponClient } from "../client/coupon-client.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve } from "../server/workerd.ts";
import { connectionTo, failureOf, type Server } from "./crowd.ts";
import type { LOAD_OPTIONS, LoadOptions } from "./options.ts";
import { wordsOf } from "./outcomes.ts";

export type Target = Server & {
  /** Where it comes from, for the report. */
  readonly origin: "own" | "named";
  /** The folder with its objects' files, where it is known. */
  readonly state: string | null;
  readonly operator: CouponClient;
};

/** The named server, or one that is built and served until the command ends. Throws {@link CommandFailure} where there is none. */
export async function targetOf(command: string, { options, atEnd, signal }: Call<typeof LOAD_OPTIONS>): Promise<Target> {
  const timeoutMs = options.timeout * 1000;
  if (options.baseUrl !== undefined) {
    const server = { url: originOf(command, options.baseUrl, options), adminToken: options.adminToken, timeoutMs };
    return { ...server, origin: "named", state: options.state ?? null, operator: operatorOf(server, atEnd) };
  }
  const folder = await scratchFolder("stress");
  atEnd(() => removeScratch(folder));
  console.error("building and starting a server of this checkout");
  const state = join(folder, "state");
  const building = build(PRODUCT, folder, signal);
  // Interrupted, it still writes into the folder for a moment.
  atEnd(() => building.catch(() => undefined));
  const bundle = await building.catch(() => {
    throw new CommandFailure("this checkout does not build: npm run build tells why");
  });
  const served = await serve(bundle, { state, signal });
  atEnd(() => served.kill());
  const server = { url: served.url, adminToken: undefined, timeoutMs };
  return { ...server, origin: "own", state, operator: operatorOf(server, atEnd) };
}

function operatorOf(server: Server, atEnd: Call<typeof LOAD_OPTIONS>["atEnd"]): CouponClient {
  const connection = connectionTo(server);
  atEnd(() => connection.destroy());
  return couponClient(connection, server);
}

/** The address to load, if it is one that may be. */
function originOf(command: string, baseUrl: string, { iOwnThisTarget }: LoadOptions): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw usage({ name: command }, `--base-url takes an address such as http://127.0.0.1:8787, not "${baseUrl}"`);
  }
  if (!isLoopback(url.hostname) && !iOwnThisTarget) {
    throw new CommandFailure(
      `${url.origin} is not on this machine: load it only if it is yours, and say so with --i-own-this-target`,
      EXIT.usage,
    );
  }
  return url.origin;
}

/** Whether a host of a URL is this machine by its very name. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/**
 * Looks whether the server is up, is Doorbuster, takes this operator, and knows none of these coupons. Throws
 * {@link CommandFailure} with the first that is not so.
 */
export async function preflight({ url, operator, timeoutMs, adminToken }: Target, coupons: readonly string[]): Promise<void> {
  const health = await answerOf(url, timeoutMs, "GET /health", () => operator.health());
  if (health.status >= 500) throw new CommandFailure(`${url} is up but not well: it answered GET /health with ${health.status}`);
  if (health.status !== 200 || health.body["status"] !== "healthy") {
    throw new CommandFailure(`what answers at ${url} is not Doorbuster: GET /health told ${health.status} and not "healthy"`);
  }
  for (const coupon of coupons) {
    // A route of the operator's that changes nothing.
    const claims = await answerOf(url, timeoutMs, "GET …/claims", () => operator.claims(coupon, { limit: 1 }));
    if (claims.status === 200) throw new CommandFailure(`the coupon "${coupon}" exists already: choose another --coupon, or none`);
    const words = wordsOf(claims);
    if (words === "401 unauthorized") {
      throw new CommandFailure(
        adminToken === undefined
          ? `${url} wants the operator's token: set ADMIN_TOKEN, or --admin-token`
          : `${url} does not take this operator's token: check ADMIN_TOKEN, or --admin-token`,
      );
    }
    if (words === "404 coupon_not_found") continue;
    const what = claims.status >= 500 ? "is up but not well" : "is not Doorbuster";
    throw new CommandFailure(`${url} ${what}: it answered a list of claims with ${words}`);
  }
}

async function answerOf(url: string, timeoutMs: number, what: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (cause) {
    const failure = failureOf(cause, timeoutMs);
    throw new CommandFailure(
      failure === "connection refused"
        ? `nothing listens at ${url}: start the server first, or leave --base-url out and one is started for the run`
        : `${url} gave no answer to ${what}: ${failure}`,
    );
  }
}
