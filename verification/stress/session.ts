// One run of one mode: checks the server, loads it, verifies the coupons, and reports.

import { duplicateUser } from "./modes/duplicate-user.ts";
import { lastUnit } from "./modes/last-unit.ts";
import { mixedWorkload } from "./modes/mixed-workload.ts";
import type { Measured, Run } from "./modes/mode.ts";
import { purchaseLoad } from "./modes/purchase-load.ts";
import { statusPolling } from "./modes/status-polling.ts";
import { freshName, type LoadOptions, type Mode } from "./options.ts";
import { reportOf, type Report } from "./report.ts";
import type { Target } from "./target.ts";
import { preflight } from "./preflight.ts";
import { withoutLatency } from "./thresholds.ts";
import { verifyRun } from "./verification.ts";

const RUNS = {
  "purchase-load": purchaseLoad,
  "duplicate-user": duplicateUser,
  "status-polling": statusPolling,
  "mixed-workload": mixedWorkload,
  "last-unit": lastUnit,
} as const satisfies Record<Mode, (run: Run) => Promise<Measured>>;

export type Asked = { readonly mode: Mode; readonly coupon?: string | undefined; readonly options: LoadOptions; readonly seed: number };

/** Runs one mode against `target`. Throws a `CommandFailure` if there is nothing to report. */
export async function runMode(
  target: Target,
  { mode, coupon = freshName(mode), options, seed }: Asked,
): Promise<{ readonly report: Report; readonly printChecks: () => void }> {
  await preflight(target);
  const startedAt = new Date().toISOString();
  const asMeasured = await RUNS[mode]({ target, coupon, options, seed });
  const measured = options.ignoreLatency ? { ...asMeasured, thresholds: withoutLatency(asMeasured.thresholds) } : asMeasured;
  const verification = await verifyRun(target, measured);
  const server = target.origin === "own" ? `${target.url}, workerd, built from this checkout` : target.url;
  return { report: reportOf(mode, startedAt, server, measured, verification), printChecks: verification.print };
}
