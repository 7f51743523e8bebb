// What a run came to, for a person at a terminal.

import { FEATURES, missedFeatures } from "./features.ts";
import { COMMANDS, POINTS, type CoverageRow } from "./points.ts";
import { digestText } from "./context.ts";
import type { Run } from "./simulate.ts";
import type { Failure } from "./thread.ts";
import type { Counts } from "./totals.ts";

/** A failure, as the trace of the least history that fails so. */
export function failureText({ seed, breach, plan, trace }: Failure): string {
  return `seed ${seed}, cut down to ${plan.steps.length} steps: ${breach.rule}: ${breach.what}\n\n${trace}\n`;
}

/** The lines at the end of a run. */
export function linesOf({ doneCount, sum, failures, seconds }: Run): string[] {
  const { counts, coverage, digest } = sum;
  const missed = missedPoints(coverage);
  return [
    `histories      ${said(doneCount)} in ${seconds.toFixed(1)} s, ${said(Math.round(doneCount / seconds))} a second`,
    `operations     ${said(counts["operations"])} asked by clients, ${said(counts["deliveries"])} that reached an object`,
    `happened       ${kinds(counts, "event")}`,
    `clients answered   ${kinds(counts, "answered")}`,
    `from the edge  ${said(counts["answers.edge"])} refusals by a certificate`,
    `retries        ${kinds(counts, "retries")}`,
    `network        ${kinds(counts, "network")}`,
    `certificates   ${kinds(counts, "certificate")}; ${kinds(counts, "lease")}`,
    `flushes        ${kinds(counts, "flushes")}; visitors ${kinds(counts, "visitors")}`,
    `asked          ${kinds(counts, "asked")}`,
    `faults         ${kinds(counts, "faults")}; the clock set back in ${said(counts["clock.setBack"])} histories`,
    `object         ${said(counts["batches"])} batches of more than one claim, ${said(counts["alarms"])} alarms`,
    "",
    ...coverageLines(coverage),
    `never struck   ${missed.length} of ${coverage.length} pairs of a command and a point that it passes`,
    `features       ${features(counts)}`,
    "",
    `digest         ${digestText(...digest)}`,
    failures.length === 0
      ? `failed         0 of ${said(doneCount)}: the true rate is below ${rateText(doneCount)} (95 % confidence)`
      : `failed         ${failures.length} or more of ${said(doneCount)}: seeds ${failures.map(({ seed }) => seed).join(", ")}`,
  ];
}

/** "0 of N" says with 95 % confidence that the true rate is below 3 of N. */
export function rateText(count: number): string {
  return count === 0 ? "1" : (3 / count).toExponential(1);
}

/** Fault points that were passed and never struck in a way in which they can be. */
export function missedPoints(coverage: readonly CoverageRow[]): string[] {
  return coverage.flatMap(({ command, point, canThrow, thrown, crashed }) => [
    ...(canThrow && thrown === 0 ? [`${command}, ${point}: throw`] : []),
    ...(crashed === 0 ? [`${command}, ${point}: crash`] : []),
  ]);
}

const COLUMNS = ["before BEGIN", "a statement", "before COMMIT", "after COMMIT", "before the answer"] as const;

/** For each command, how often storage threw and the instance ended at each kind of point. */
function coverageLines(coverage: readonly CoverageRow[]): string[] {
  const head = ["throws/crashes", ...COLUMNS];
  const rows = COMMANDS.map((command) => Array.of<string>(command).concat(COLUMNS.map((column) => strikesAt(coverage, command, column))));
  return [head, ...rows].map((cells) => cells.map((cell, index) => (index === 0 ? cell.padEnd(15) : cell.padStart(18))).join(""));
}

function strikesAt(coverage: readonly CoverageRow[], command: string, column: string): string {
  const isHere = ({ point }: CoverageRow): boolean =>
    column === "a statement" ? !POINTS.some((other) => other === point) : point === column;
  const rows = coverage.filter((row) => row.command === command && isHere(row));
  if (rows.length === 0) return "-";
  const thrown = rows.reduce((sum, row) => sum + row.thrown, 0);
  const crashed = rows.reduce((sum, row) => sum + row.crashed, 0);
  return rows.some(({ canThrow }) => canThrow) ? `${said(thrown)}/${said(crashed)}` : `-/${said(crashed)}`;
}

function features(counts: Counts): string {
  const missing = missedFeatures(counts);
  return missing.length === 0 ? `all ${FEATURES.length} met` : `${missing.length} of ${FEATURES.length} not met: ${missing.join(", ")}`;
}

function kinds(counts: Counts, kind: string): string {
  return Object.entries(counts)
    .filter(([name]) => name.startsWith(`${kind}.`))
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${said(count)} ${name.slice(kind.length + 1)}`)
    .join(", ");
}

function said(count = 0): string {
  return count.toLocaleString("en-US");
}
