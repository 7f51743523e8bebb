// The numbers of a run, and the values that they must have.

const ZERO = {
  /** Each one is followed by a restart on the same files. */
  kills: 0,
  /** Kills without a request in flight. */
  idleKills: 0,
  acknowledged: 0,
  /** Claims acknowledged in the last moments before a kill. */
  late: 0,
  /** Acknowledged claims that are not in the file with their position and instant. */
  lost: 0,
  /** Answers `out_of_stock`. */
  refused: 0,
  /** Unanswered requests whose claim is in the file after the kill, and the result of each retry. */
  found: 0,
  foundReplayed: 0,
  foundAgain: 0,
  /** Unanswered requests whose claim is not in the file, and the result of each retry. */
  missing: 0,
  missingGranted: 0,
  missingRefused: 0,
  missingAgain: 0,
  /** Claims beyond the first of one user, one position or one key. */
  duplicates: 0,
  /** Claims in the file that were never acknowledged. */
  unacknowledged: 0,
  coupons: 0,
  couponsExact: 0,
  checksPassed: 0,
  checksNotPassed: 0,
  /** Verifications that miss an acknowledged claim. */
  receiptChecksFailed: 0,
};

export type Counters = typeof ZERO;

export function newCounters(): Counters {
  return { ...ZERO };
}

/** Adds `more` to `counters`. */
export function add(counters: Counters, more: Counters): void {
  for (const name of Object.keys(ZERO) as (keyof Counters)[]) counters[name] += more[name];
}

/** The result of one build. `faults` are sentences. */
export type Outcome = { readonly counters: Counters; readonly faults: readonly string[] };

/** Why the run fails; empty if it passes. The control must lose claims, and the harness must see it. */
export function failuresOf({ counters, faults }: Outcome, control: Outcome): string[] {
  const { lost, duplicates, unacknowledged, coupons, couponsExact, checksNotPassed, found, foundReplayed, foundAgain } = counters;
  const failures: readonly (readonly [isFailed: boolean, sentence: string])[] = [
    [lost > 0, `${lost} acknowledged claims were lost`],
    [faults.length > 0, `${faults.length} faults`],
    [duplicates > 0, `${duplicates} claims are stored twice`],
    [unacknowledged > 0, `${unacknowledged} stored claims were never acknowledged`],
    [couponsExact < coupons, `${coupons - couponsExact} coupons did not grant exactly their amount`],
    [checksNotPassed > 0, `${checksNotPassed} verifications did not pass`],
    [foundReplayed + foundAgain < found, "an unanswered but stored claim was not replayed"],
    [counters.acknowledged === 0 || counters.idleKills === counters.kills, "no kill met a request in flight"],
    [control.counters.lost === 0, "the harness cannot see a loss: the control lost nothing"],
    [control.counters.receiptChecksFailed === 0, "the verification cannot see a loss: the control passed it"],
  ];
  return failures.flatMap(([isFailed, sentence]) => (isFailed ? [sentence] : []));
}
