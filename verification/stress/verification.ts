// Verifies a run's coupons in the objects' files, or over the API if the files are out of reach.

import { join } from "node:path";

import { CommandFailure } from "../../scripts/cli/command.ts";
import { fileOf, stateFolder } from "../verify/state-folder.ts";
import { printChecks, verify, type Check } from "../verify/verify.ts";
import { checkOverApi } from "./api-checks.ts";
import type { Measured } from "./modes/mode.ts";
import type { Target } from "./target.ts";

/** The state folder of `npm start`. */
const LOCAL_STATE = join(import.meta.dirname, "../../.wrangler/state/v3/do");

export type Verification = {
  readonly by: "the files" | "the API alone";
  readonly checks: readonly Pick<Check, "coupon" | "title" | "verdict" | "detail">[];
  readonly print: () => void;
};

/** Compares every coupon of a run with the receipts of its users. A coupon that cannot be verified fails. */
export async function verifyRun(target: Target, measured: Measured): Promise<Verification> {
  const state = target.state ?? ((await isIn(LOCAL_STATE, measured.coupons)) ? LOCAL_STATE : null);
  return state === null ? overApi(target, measured) : inFiles(target, state, measured);
}

async function isIn(state: string, coupons: readonly string[]): Promise<boolean> {
  try {
    const { files } = await stateFolder(state);
    return coupons.length > 0 && coupons.every((coupon) => files.includes(fileOf(coupon)));
  } catch (cause) {
    if (cause instanceof CommandFailure) return false;
    throw cause;
  }
}

async function inFiles({ url, adminToken }: Target, state: string, { coupons, receipts }: Measured): Promise<Verification> {
  const api = { url, ...(adminToken === undefined ? {} : { adminToken }) };
  const checks: Check[] = [];
  const failures: Verification["checks"][number][] = [];
  for (const coupon of coupons) {
    try {
      checks.push(...(await verify({ state, coupon, api, receipts: receipts.filter((receipt) => receipt.coupon === coupon) })));
    } catch (cause) {
      if (!(cause instanceof CommandFailure)) throw cause;
      failures.push({ coupon, title: "it can be verified", verdict: "FAIL", detail: cause.message });
    }
  }
  function print(): void {
    for (const { coupon, detail } of failures) console.log(`  FAIL ${coupon} can't be verified: ${detail}`);
    if (checks.length > 0) printRelevant(checks);
  }
  return { by: "the files", checks: [...checks, ...failures], print };
}

/** Prints all checks of one coupon; of many coupons, those of the failed ones. */
function printRelevant(checks: readonly Check[]): void {
  const coupons = new Set(checks.map(({ coupon }) => coupon));
  const failed = new Set(checks.filter(({ verdict }) => verdict === "FAIL").map(({ coupon }) => coupon));
  const shown = coupons.size === 1 ? checks : checks.filter(({ coupon }) => failed.has(coupon));
  if (shown.length > 0) printChecks(shown);
  if (shown.length < checks.length) console.log(`${coupons.size - failed.size} of ${coupons.size} coupons pass all checks`);
}

async function overApi({ operator }: Target, measured: Measured): Promise<Verification> {
  const checks = await checkOverApi(operator, measured);
  function print(): void {
    console.log("  verified over the API alone, because the server's files are unknown (--state):");
    for (const { coupon, title, verdict, detail } of checks) console.log(`  ${verdict} ${coupon}: ${title} (${detail})`);
  }
  return { by: "the API alone", checks, print };
}
