// The server under load: one of our own, or the one at --base-url.

import { join } from "node:path";

import { CommandFailure, EXIT, usage, type Call } from "../../scripts/cli/command.ts";
import { couponClient, type CouponClient } from "../client/coupon-client.ts";
import { bundleFor, folderFor, serverFor } from "../../scripts/server/for-command.ts";
import { PRODUCT } from "../../scripts/server/workerd.ts";
import { freshName, type LOAD_OPTIONS, type LoadOptions } from "./options.ts";
import { createCoupon } from "./preflight.ts";
import { connectionTo, connectUsers, failureOf, type Server } from "./virtual-users.ts";

const WARM_UP_USERS = 50;
const WARM_UP_ROUNDS = 20;

export type Target = Server & {
  readonly origin: "own" | "named";
  /** The folder with its objects' files, if known. */
  readonly state: string | null;
  readonly operator: CouponClient;
};

/** The server at --base-url, or our own until the command ends. Throws {@link CommandFailure} without one. */
export async function targetOf(command: string, { options, atEnd, signal }: Call<typeof LOAD_OPTIONS>): Promise<Target> {
  const ending = { atEnd, signal };
  const timeoutMs = options.timeout * 1000;
  if (options.baseUrl !== undefined) {
    const server = { url: originOf(command, options.baseUrl, options), adminToken: options.adminToken, timeoutMs };
    return { ...server, origin: "named", state: options.state ?? null, operator: operatorOf(server, atEnd) };
  }
  const folder = await folderFor(ending, "stress");
  console.error("building and starting a server of this checkout");
  const state = join(folder, "state");
  const bundle = await bundleFor(ending, PRODUCT, folder);
  const served = await serverFor(ending, bundle, { state, vars: { REQUEST_LOG: "off" } });
  const server = { url: served.url, adminToken: undefined, timeoutMs };
  const target: Target = { ...server, origin: "own", state, operator: operatorOf(server, atEnd) };
  await warmUp(target);
  return target;
}

/** Claims and reads another coupon until the server's code is compiled, as on a server in use. */
async function warmUp(target: Target): Promise<void> {
  const coupon = freshName("warm-up");
  await createCoupon(target, coupon, WARM_UP_ROUNDS * WARM_UP_USERS);
  const virtualUsers = await connectUsers(target, WARM_UP_USERS);
  try {
    for (let round = 1; round <= WARM_UP_ROUNDS; round += 1) {
      await Promise.all(virtualUsers.users.map((user, index) => user.claim(coupon, `user-${round}-${index}`)));
      await Promise.all(virtualUsers.users.map((user, index) => user.claim(coupon, `user-${round}-${index}`)));
      await Promise.all(virtualUsers.users.map((user) => user.status(coupon)));
    }
  } catch (cause) {
    throw new CommandFailure(`the server that was started gave no answer: ${failureOf(cause, target.timeoutMs)}`);
  } finally {
    await virtualUsers.close();
  }
}

function operatorOf(server: Server, atEnd: Call<typeof LOAD_OPTIONS>["atEnd"]): CouponClient {
  const connection = connectionTo(server);
  atEnd(() => connection.destroy());
  return couponClient(connection, server);
}

/** The origin of --base-url. Throws the usage failure of `command`. */
function originOf(command: string, baseUrl: string, { iOwnThisTarget }: LoadOptions): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw usage({ name: command }, `--base-url takes an address such as http://127.0.0.1:8787, not "${baseUrl}"`);
  }
  if (!isLoopback(url.hostname) && !iOwnThisTarget) {
    throw new CommandFailure(`${url.origin} is not on this machine: if it is yours, say so with --i-own-this-target`, EXIT.usage);
  }
  return url.origin;
}

/** Whether the host of a URL is always this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
