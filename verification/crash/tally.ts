// The numbers of a run, and what they have to be.

/** Counts that are added up over sales. */
export type Tally = {
  /** Every one is followed by a restart on the same files. */
  kills: number;
  /** Kills at which nobody waited for an answer. */
  idleKills: number;
  /** Claims that a caller was told about. */
  acknowledged: number;
  /** Those of them that were told in the last moments before a kill. */
  late: number;
  /** Acknowledged, and not in the file with that position and instant. */
  lost: number;
  /** Answers `out_of_stock`. */
  refused: number;
  /** Requests without an answer whose claim was found in the file after the kill, and how the retry of each ended. */
  found: number;
  foundReplayed: number;
  foundAgain: number;
  /** Those whose claim was not in the file, and how the retry of each ended. */
  missing: number;
  missingGranted: number;
  missingRefused: number;
  missingAgain: number;
  /** Claims beyond the first of one user, one position or one key. */
  twice: number;
  /** In the file, and nobody was told in the end. */
  untold: number;
  coupons: number;
  couponsExact: number;
  checksPassed: number;
  checksNotPassed: number;
  /** Verifications that found a claim missing that somebody was told about. */
  toldChecksFailed: number;
};

/** A tally of nothing. */
export function nothing(): Tally {
  return {
    kills: 0,
    idleKills: 0,
    acknowledged: 0,
    late: 0,
    lost: 0,
    refused: 0,
    found: 0,
    foundReplayed: 0,
    foundAgain: 0,
    missing: 0,
    missingGranted: 0,
    missingRefused: 0,
    missingAgain: 0,
    twice: 0,
    untold: 0,
    coupons: 0,
    couponsExact: 0,
    checksPassed: 0,
    checksNotPassed: 0,
    toldChecksFailed: 0,
  };
}

/** Adds `more` to `tally`. */
export function add(tally: Tally, more: Tally): void {
  for (const name of Object.keys(tally) as (keyof Tally)[]) tally[name] += more[name];
}

/** What became of one build: its numbers, and what was wrong, one sentence each. */
export type Outcome = { readonly tally: Tally; readonly faults: readonly string[] };

/** Why the run does not count as passed; empty where it does. The control has to lose claims, and to be seen losing them. */
export function failuresOf(product: Outcome, control: Outcome): string[] {
  const { tally } = product;
  const failures: string[] = [];
  if (tally.lost > 0) failures.push(`${tally.lost} acknowledged claims were lost`);
  if (product.faults.length > 0) failures.push(`${product.faults.length} facts are not as they have to be`);
  if (tally.twice > 0) failures.push(`${tally.twice} claims are stored twice`);
  if (tally.untold > 0) failures.push(`${tally.untold} claims are stored of which nobody was told`);
  if (tally.couponsExact < tally.coupons)
    failures.push(`${tally.coupons - tally.couponsExact} coupons did not give out exactly their amount`);
  if (tally.checksNotPassed > 0) failures.push(`${tally.checksNotPassed} verifications did not pass`);
  if (tally.foundReplayed + tally.foundAgain < tally.found) failures.push("a claim that was stored though unanswered was not replayed");
  if (tally.acknowledged === 0 || tally.idleKills === tally.kills) failures.push("no kill met a claim on its way");
  if (control.tally.lost === 0) failures.push("the harness cannot see a loss: the control lost nothing");
  if (control.tally.toldChecksFailed === 0) failures.push("the verification cannot see a loss: it found all that the control had told");
  return failures;
}
