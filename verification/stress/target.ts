// The server that is loaded: one of our own, or the one that was named.

import { join } from "node:path";

import { CommandFailure, EXIT, usage, type Call } from "../cli/command.ts";
import { couponClient, type CouponClient } from "../client/coupon-client.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve } from "../server/workerd.ts";
import { connectionTo, failureOf, openCrowd, type Server } from "./crowd.ts";
import { freshName, type LOAD_OPTIONS, type LoadOptions } from "./options.ts";
import { createCoupon } from "./preflight.ts";

const WARM_UP_USERS = 50;
const WARM_UP_ROUNDS = 20;

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
  // Nobody reads its log.
  const served = await serve(bundle, { state, vars: { REQUEST_LOG: "off" }, signal });
  atEnd(() => served.kill());
  const server = { url: served.url, adminToken: undefined, timeoutMs };
  const target: Target = { ...server, origin: "own", state, operator: operatorOf(server, atEnd) };
  await warmUp(target);
  return target;
}

/** Claims and looks at another coupon until the server's code is compiled, as that of a server is which has been up for a while. */
async function warmUp(target: Target): Promise<void> {
  const coupon = freshName("warm-up");
  await createCoupon(target, coupon, WARM_UP_ROUNDS * WARM_UP_USERS);
  const crowd = await openCrowd(target, WARM_UP_USERS);
  try {
    for (let round = 1; round <= WARM_UP_ROUNDS; round += 1) {
      await Promise.all(crowd.users.map((user, index) => user.claim(coupon, `user-${round}-${index}`)));
      await Promise.all(crowd.users.map((user, index) => user.claim(coupon, `user-${round}-${index}`)));
      await Promise.all(crowd.users.map((user) => user.status(coupon)));
    }
  } catch (cause) {
    throw new CommandFailure(`the server that was started gave no answer: ${failureOf(cause, target.timeoutMs)}`);
  } finally {
    await crowd.leave();
  }
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
