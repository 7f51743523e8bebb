// What a run came to, for a person at a terminal.

import { FEATURES, missedFeatures } from "./features.ts";
import type { Run } from "./simulate.ts";
import type { Failure } from "./thread.ts";
import { digestText, type Counts } from "./totals.ts";

/** A failure, as the trace of the smallest history that fails in that way. */
export function failureText({ seed, breach, plan, trace }: Failure): string {
  return `seed ${seed}, cut down to ${plan.steps.length} steps: ${breach.rule}: ${breach.what}\n\n${trace}\n`;
}

/** The label of each kind of counts. */
const LABELS = {
  asked: "requests",
  answered: "answers",
  event: "events",
  network: "network",
  retries: "retries",
  certificate: "certificates",
  lease: "leases",
  flushes: "flushes",
  faults: "faults",
  clock: "clocks",
  delivery: "delivery",
  message: "webhooks",
  lanes: "lanes",
  erased: "erasures",
  restored: "restores",
};

/** The lines at the end of a run. */
export function linesOf({ doneCount, counts, digest, failures, seconds }: Run): string[] {
  const missed = missedFeatures(counts);
  const pointCount = namesOf(counts, "passed").length;
  return [
    `histories      ${grouped(doneCount)} in ${seconds.toFixed(1)} s, ${grouped(Math.round(doneCount / seconds))} a second`,
    `operations     ${grouped(counts["operations"])} by clients, ${grouped(counts["deliveries"])} that reached an object`,
    ...Object.entries(LABELS).map(([kind, label]) => `${label.padEnd(14)} ${membersOf(counts, kind)}`),
    `edge           ${grouped(counts["answers.edge"])} refusals by certificates, ${grouped(counts["visitors.left"])} visitors left early`,
    `object         ${grouped(counts["batches"])} batches of more than one claim, ${grouped(counts["alarms"])} alarms`,
    `fault points   a fault struck at ${grouped(pointCount - unstruckPoints(counts).length)} of ${grouped(pointCount)} that were passed`,
    missed.length === 0
      ? `features       all ${FEATURES.length} met`
      : `features       ${missed.length} of ${FEATURES.length} not met: ${missed.join(", ")}`,
    `digest         ${digestText(digest)}`,
    failures.length === 0
      ? `failed         0 of ${grouped(doneCount)}: the true rate is below ${rateText(doneCount)} (95 % confidence)`
      : `failed         ${failures.length} or more of ${grouped(doneCount)}: seeds ${failures.map(({ seed }) => seed).join(", ")}`,
  ];
}

/** "0 of N" says with 95 % confidence that the true rate is below 3/N. */
export function rateText(count: number): string {
  return count === 0 ? "1" : (3 / count).toExponential(1);
}

/** Fault points that were passed, and at which nothing ever failed. */
export function unstruckPoints(counts: Counts): string[] {
  return namesOf(counts, "passed").filter((point) => (counts[`throw.${point}`] ?? counts[`crash.${point}`]) === undefined);
}

function namesOf(counts: Counts, kind: string): string[] {
  return Object.keys(counts).flatMap((name) => (name.startsWith(`${kind}.`) ? [name.slice(kind.length + 1)] : []));
}

function membersOf(counts: Counts, kind: string): string {
  return namesOf(counts, kind)
    .map((name) => [name, counts[`${kind}.${name}`] ?? 0] as const)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${grouped(count)} ${name}`)
    .join(", ");
}

function grouped(count = 0): string {
  return count.toLocaleString("en-US");
}
