// The table at the end of a run.

import { LATE_MS } from "./accounting.ts";
import type { Cuts } from "./disk.ts";
import type { Outcome, Tally } from "./tally.ts";

/** The rest is counted. */
const FAULTS_SHOWN_MAX = 20;

type Row = { readonly label: string; readonly value: (tally: Tally) => number | string };

const ROWS: readonly Row[] = [
  { label: "kills, each with a restart on the same files", value: ({ kills }) => kills },
  { label: "  with no claim on its way", value: ({ idleKills }) => idleKills },
  { label: "claims acknowledged", value: ({ acknowledged }) => acknowledged },
  { label: `  in the last ${LATE_MS} ms before a kill`, value: ({ late }) => late },
  { label: "  LOST", value: ({ lost }) => lost },
  { label: "requests of unknown outcome", value: ({ found, missing }) => found + missing },
  { label: "  stored though unanswered", value: ({ found }) => found },
  { label: "    retry: 201, Idempotent-Replayed", value: ({ foundReplayed }) => foundReplayed },
  { label: "    retry: met the next kill", value: ({ foundAgain }) => foundAgain },
  { label: "  not stored", value: ({ missing }) => missing },
  { label: "    retry: 201", value: ({ missingGranted }) => missingGranted },
  { label: "    retry: out_of_stock", value: ({ missingRefused }) => missingRefused },
  { label: "    retry: met the next kill", value: ({ missingAgain }) => missingAgain },
  { label: "claims stored twice", value: ({ twice }) => twice },
  { label: "claims stored and told to nobody", value: ({ untold }) => untold },
  { label: "refused, out_of_stock", value: ({ refused }) => refused },
  { label: "coupons at exactly their amount", value: ({ coupons, couponsExact }) => `${count(couponsExact)} of ${count(coupons)}` },
  {
    label: "verifications passed",
    value: ({ checksPassed, checksNotPassed }) => `${count(checksPassed)} of ${count(checksPassed + checksNotPassed)}`,
  },
];

/** The whole report: the numbers of both runs, what follows from them, and what was wrong; `cuts` are those of the power. */
export function linesOf(product: Outcome, control: Outcome, failures: readonly string[], cuts: Cuts | null = null): string[] {
  const { tally } = product;
  const bound = boundOf(tally);
  return [
    "",
    ...table(tally, control.tally),
    "",
    ...(bound === null
      ? []
      : [`0 of ${count(tally.acknowledged)} acknowledged claims lost: the true rate is below ${bound.toExponential(1)} (3/N, at 95 %)`]),
    ...(control.tally.lost > 0 ? [`the control lost ${count(control.tally.lost)}: the harness sees a loss`] : []),
    ...(cuts === null ? ["kill -9 ends the process and not the machine: npm run crash -- --power cuts the power"] : cutLines(cuts)),
    "",
    ...product.faults.slice(0, FAULTS_SHOWN_MAX).map((fault) => `✗ ${fault}`),
    ...(product.faults.length > FAULTS_SHOWN_MAX ? [`  and ${count(product.faults.length - FAULTS_SHOWN_MAX)} more`] : []),
    ...(failures.length === 0 ? ["✓ passed"] : failures.map((failure) => `✗ ${failure}`)),
  ];
}

function cutLines({ cuts, unsynced, unsyncedSectors, torn, tornSectors }: Cuts): string[] {
  return [
    `${count(unsynced)} of ${count(cuts)} cuts of the power met file data that was not synced, ${count(unsyncedSectors)} sectors; after ${count(torn)} of them ${count(tornSectors)} sectors were on the disk all the same`,
    "not tested by this: a drive that loses or reorders what it was given, or that lies about a flush",
  ];
}

function table(product: Tally, control: Tally): string[] {
  const width = Math.max(...ROWS.map(({ label }) => label.length));
  const line = (label: string, first: string, second: string): string =>
    `${label.padEnd(width)}  ${first.padStart(12)}  ${second.padStart(12)}`;
  return [line("", "product", "control"), ...ROWS.map(({ label, value }) => line(label, cell(value(product)), cell(value(control))))];
}

/**
 * What "none of so many" says about the true rate, at 95 % confidence (rule of three: Hanley and Lippman-Hand, JAMA 1983).
 * Null where some were lost: then it says nothing.
 */
export function boundOf({ lost, acknowledged }: Tally): number | null {
  return lost === 0 && acknowledged > 0 ? 3 / acknowledged : null;
}

function cell(value: number | string): string {
  return typeof value === "string" ? value : count(value);
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
