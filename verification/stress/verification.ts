// Verifies a run independently of the numbers that it measured: in the objects' files, or else over the API alone.

import { join } from "node:path";

import { CommandFailure } from "../cli/command.ts";
import { fileOf, stateFolder } from "../verify/state-folder.ts";
import { printChecks, verify, type Check } from "../verify/verify.ts";
import { checkOverApi } from "./api-checks.ts";
import type { Measured } from "./modes/mode.ts";
import type { Target } from "./target.ts";

/** Where `npm start` keeps its state. */
const LOCAL_STATE = join(import.meta.dirname, "../../.wrangler/state/v3/do");

type Made = { readonly coupon: string; readonly title: string; readonly verdict: Check["verdict"]; readonly detail: string };

export type Verification = {
  /** What the run was held against. */
  readonly by: "the files" | "the API alone";
  readonly checks: readonly Made[];
  readonly print: () => void;
};

/** Holds every coupon of a run against what its users were told. A coupon that cannot be verified has not passed. */
export async function verifyRun(target: Target, measured: Measured): Promise<Verification> {
  if (target.state !== null) return inFiles(target, target.state, measured);
  return (await isIn(LOCAL_STATE, measured.coupons)) ? inFiles(target, LOCAL_STATE, measured) : overApi(target, measured);
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

async function inFiles({ url, adminToken }: Target, state: string, { coupons, told }: Measured): Promise<Verification> {
  const api = { url, ...(adminToken === undefined ? {} : { adminToken }) };
  const checks: Check[] = [];
  const unknown: Made[] = [];
  for (const coupon of coupons) {
    try {
      checks.push(...(await verify({ state, coupon, api, receipts: told.filter((receipt) => receipt.coupon === coupon) })));
    } catch (cause) {
      if (!(cause instanceof CommandFailure)) throw cause;
      unknown.push({ coupon, title: "it can be verified", verdict: "FAIL", detail: cause.message });
    }
  }
  function print(): void {
    for (const { coupon, detail } of unknown) console.log(`  FAIL ${coupon} can't be verified: ${detail}`);
    if (checks.length > 0) printWorthReading(checks);
  }
  return { by: "the files", checks: [...checks, ...unknown], print };
}

/** All checks of one coupon; of many coupons those of the ones that failed. */
function printWorthReading(checks: readonly Check[]): void {
  const coupons = new Set(checks.map(({ coupon }) => coupon));
  const failed = new Set(checks.filter(({ verdict }) => verdict === "FAIL").map(({ coupon }) => coupon));
  const shown = coupons.size === 1 ? checks : checks.filter(({ coupon }) => failed.has(coupon));
  if (shown.length > 0) printChecks(shown);
  if (shown.length < checks.length) console.log(`${coupons.size - failed.size} of ${coupons.size} coupons pass all checks`);
}

async function overApi({ operator }: Target, measured: Measured): Promise<Verification> {
  const checks = (await checkOverApi(operator, measured)).map(({ coupon, title, isPassed, detail }): Made => ({
    coupon,
    title,
    verdict: isPassed ? "PASS" : "FAIL",
    detail,
  }));
  function print(): void {
    console.log("  the server's files are not known (--state), so this is verified over its API alone:");
    for (const { coupon, title, verdict, detail } of checks) console.log(`  ${verdict} ${coupon}: ${title} (${detail})`);
  }
  return { by: "the API alone", checks, print };
}
