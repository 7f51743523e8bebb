// The report at the end of a run.

import { LATE_MS } from "./accounting.ts";
import type { Counters, Outcome } from "./counters.ts";
import type { Cuts } from "./disk.ts";

const FAULTS_SHOWN_MAX = 20;

const ROWS: readonly (readonly [label: string, value: (counters: Counters) => number | string])[] = [
  ["kills, each with a restart on the same files", ({ kills }) => kills],
  ["  without a request in flight", ({ idleKills }) => idleKills],
  ["claims acknowledged", ({ acknowledged }) => acknowledged],
  [`  in the last ${LATE_MS} ms before a kill`, ({ late }) => late],
  ["  LOST", ({ lost }) => lost],
  ["requests of unknown outcome", ({ found, missing }) => found + missing],
  ["  stored", ({ found }) => found],
  ["    retry: 201, Idempotent-Replayed", ({ foundReplayed }) => foundReplayed],
  ["    retry: met the next kill", ({ foundAgain }) => foundAgain],
  ["  not stored", ({ missing }) => missing],
  ["    retry: 201", ({ missingGranted }) => missingGranted],
  ["    retry: out_of_stock", ({ missingRefused }) => missingRefused],
  ["    retry: met the next kill", ({ missingAgain }) => missingAgain],
  ["claims stored twice", ({ duplicates }) => duplicates],
  ["claims stored and never acknowledged", ({ unacknowledged }) => unacknowledged],
  ["refused, out_of_stock", ({ refused }) => refused],
  ["coupons at exactly their amount", ({ coupons, couponsExact }) => `${count(couponsExact)} of ${count(coupons)}`],
  ["verifications passed", ({ checksPassed, checksNotPassed }) => `${count(checksPassed)} of ${count(checksPassed + checksNotPassed)}`],
];

/** The whole report. `cuts` are those of the power. */
export function linesOf(product: Outcome, control: Outcome, failures: readonly string[], cuts: Cuts | null = null): string[] {
  const { counters, faults } = product;
  const bound = boundOf(counters);
  const line = (label: string, ...cells: readonly (number | string)[]): string =>
    label.padEnd(45) + cells.map((cell) => count(cell).padStart(13)).join("");
  return [
    "",
    line("", "product", "control"),
    ...ROWS.map(([label, value]) => line(label, value(counters), value(control.counters))),
    "",
    ...(bound === null
      ? []
      : [`0 of ${count(counters.acknowledged)} acknowledged claims lost: the true rate is below ${bound.toExponential(1)} (3/N, at 95 %)`]),
    ...(control.counters.lost > 0 ? [`the control lost ${count(control.counters.lost)}: the harness sees a loss`] : []),
    ...(cuts === null ? ["kill -9 ends the process and not the machine: npm run crash -- --power cuts the power"] : cutLines(cuts)),
    "",
    ...faults.slice(0, FAULTS_SHOWN_MAX).map((fault) => `✗ ${fault}`),
    ...(faults.length > FAULTS_SHOWN_MAX ? [`  and ${count(faults.length - FAULTS_SHOWN_MAX)} more`] : []),
    ...(failures.length === 0 ? ["✓ passed"] : failures.map((failure) => `✗ ${failure}`)),
  ];
}

function cutLines({ cuts, unsynced, unsyncedSectors, torn, tornSectors }: Cuts): string[] {
  return [
    `${count(unsynced)} of ${count(cuts)} cuts of the power met unsynced file data, ${count(unsyncedSectors)} sectors; after ${count(torn)} of them ${count(tornSectors)} sectors were on the disk all the same`,
    "not tested by this: a drive that loses or reorders accepted writes, or that lies about a flush",
  ];
}

/**
 * The upper bound of the true rate of losses after none in so many claims, at 95 % confidence (rule of three:
 * Hanley and Lippman-Hand, JAMA 1983). Null after a loss.
 */
export function boundOf({ lost, acknowledged }: Counters): number | null {
  return lost === 0 && acknowledged > 0 ? 3 / acknowledged : null;
}

function count(value: number | string): string {
  return value.toLocaleString("en-US");
}
