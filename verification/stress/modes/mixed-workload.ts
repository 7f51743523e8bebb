// Random operations on a few coupons, in waves. All requests of a wave are sent at one instant.

import { latencyOf } from "../latency.ts";
import type { Slot } from "../load.ts";
import { answerFault, drawOperations, isDocumented, OPERATIONS, perform, type Kind, type Operation } from "../operations.ts";
import { countFaults, countHttpErrors, countOutcomes, endOf, receiptsOf } from "../outcomes.ts";
import { createCoupon } from "../preflight.ts";
import { exactly } from "../thresholds.ts";
import { load, userAt, withoutErrors, type Measured, type Run } from "./mode.ts";

const WAVES = 5;
const WAVE_EVERY_MS = 2_000;
const COUPONS = 20;
/** So few that most of them act on a coupon twice. */
const USERS = 200;

type OperationSlot = Slot & Pick<Operation, "kind" | "coupon" | "userId">;

export async function mixedWorkload(run: Run): Promise<Measured> {
  const { options, seed } = run;
  const { vus, initialStock } = options;
  const coupons = Array.from({ length: COUPONS }, (_, index) => `${run.coupon}-${index + 1}`);
  // The first coupon exists from the start. Operations create the others.
  const first = `${run.coupon}-1`;
  await createCoupon(run.target, first, initialStock);
  const operations = drawOperations({ seed, count: WAVES * vus, coupons, userCount: USERS, amountMax: initialStock });

  const sent = await load<OperationSlot>("mixed-workload", run, vus, (users) =>
    operations.map((operation, index) => ({
      kind: operation.kind,
      coupon: operation.coupon,
      userId: operation.userId,
      atMs: Math.floor(index / vus) * WAVE_EVERY_MS,
      send: () => perform(userAt(users, index % vus), operation),
    })),
  );

  const ofKind = (kind: Kind) => sent.filter(({ slot }) => slot.kind === kind);
  const claims = ofKind("claim");
  const onCoupons = claims.filter((claim) => endOf(claim) !== "404 coupon_not_found");
  const otherAnswers = (Object.keys(OPERATIONS) as Kind[])
    .filter((kind) => kind !== "claim")
    .flatMap((kind) => OPERATIONS[kind].answers.map((words) => ({ kind, words, name: `${kind}_${words.replace(" ", "_")}` })));
  const counters = {
    ...countOutcomes(onCoupons),
    claim_coupon_not_found: claims.length - onCoupons.length,
    ...Object.fromEntries(otherAnswers.map(({ kind, words, name }) => [name, ofKind(kind).filter((each) => endOf(each) === words).length])),
    http_errors: countHttpErrors(sent),
  };
  const undocumented = sent.filter(({ slot, answer }) => answer === null || !isDocumented(slot, answer));
  const faults = sent.map(({ slot, answer }) => (answer === null || !isDocumented(slot, answer) ? null : answerFault(slot, answer)));
  const created = new Set([
    first,
    ...ofKind("create")
      .filter(({ answer }) => answer?.status === 201)
      .map(({ slot }) => slot.coupon),
  ]);
  const receipts = receiptsOf(claims);
  return {
    setting: `${WAVES} waves of ${vus} operations, one every ${WAVE_EVERY_MS / 1000} s, on ${COUPONS} names of up to ${initialStock} units; seed ${seed}`,
    coupons: Array.from(created),
    counters,
    latency: { operations: latencyOf(sent) },
    thresholds: [
      exactly("undocumented answers", 0, undocumented.length),
      exactly("answers with impossible numbers", 0, faults.filter((fault) => fault !== null).length),
      exactly("claims granted on a coupon that was never created", 0, receipts.filter(({ coupon }) => !created.has(coupon)).length),
      ...withoutErrors(counters),
    ],
    faults: countFaults([...undocumented.map((each) => `${each.slot.kind}: ${endOf(each)}`), ...faults]),
    receipts,
    revoked: ofKind("revoke").map(({ slot: { coupon, userId } }) => ({ coupon, userId })),
  };
}
