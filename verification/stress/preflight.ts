// Checks before a load, with one sentence for each failure, and creates the coupon.

import { CommandFailure } from "../../scripts/cli/command.ts";
import type { Answer } from "../client/coupon-client.ts";
import { fileOf, stateFolder } from "../verify/state-folder.ts";
import { failureOf } from "./virtual-users.ts";
import { wordsOf } from "./outcomes.ts";
import type { Target } from "./target.ts";

/** Throws {@link CommandFailure} unless a healthy Doorbuster listens there. */
export async function preflight(target: Target): Promise<void> {
  const { url, operator } = target;
  const { status, body } = await answerOf(target, "GET /health", () => operator.health());
  if (status >= 500) throw new CommandFailure(`${url} is up but not healthy: it answered GET /health with ${status}`);
  if (status === 200 && body["status"] === "healthy") return;
  throw new CommandFailure(`what answers at ${url} is not Doorbuster: it answered GET /health with ${status} and not "healthy"`);
}

/** Creates a coupon, and checks that its file is in the folder of --state. Throws {@link CommandFailure}. */
export async function createCoupon(target: Target, coupon: string, amount: number): Promise<void> {
  const { url, operator, state, origin } = target;
  const answer = await answerOf(target, "POST /api/coupons", () => operator.create(coupon, amount));
  if (answer.status !== 201) throw new CommandFailure(refusalOf(target, coupon, answer));
  if (origin === "own" || state === null) return;
  const { folder, files } = await stateFolder(state);
  if (!files.includes(fileOf(coupon))) {
    throw new CommandFailure(`${folder} is another server's state: it lacks the coupon that ${url} has just created`);
  }
}

function refusalOf({ url, adminToken }: Target, coupon: string, answer: Answer): string {
  const words = wordsOf(answer);
  if (words === "409 coupon_exists") return `the coupon "${coupon}" exists already: choose another --coupon, or leave it out`;
  if (words === "401 unauthorized") {
    return adminToken === undefined
      ? `${url} requires the operator's token: set ADMIN_TOKEN, or --admin-token`
      : `${url} rejects this operator's token: check ADMIN_TOKEN, or --admin-token`;
  }
  const what = answer.status >= 500 ? "is up but not healthy" : "is not Doorbuster";
  return `${url} ${what}: it answered the creation of a coupon with ${words}`;
}

async function answerOf({ url, timeoutMs }: Target, what: string, ask: () => Promise<Answer>): Promise<Answer> {
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
