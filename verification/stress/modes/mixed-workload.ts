// Creates, claims, looks, holds and releases in no order, on a few coupons, in waves: each wave is sent at one instant.

import { latencyOf } from "../latency.ts";
import type { Sent, Slot } from "../load.ts";
import { answerFault, drawOperations, isDocumented, OPERATIONS, perform, type Kind, type Operation } from "../operations.ts";
import { countFaults, countHttpErrors, countOutcomes, endOf, receiptOf } from "../outcomes.ts";
import { exactly } from "../thresholds.ts";
import { createCoupon } from "../preflight.ts";
import { rush, userAt, type Ground, type Measured } from "./mode.ts";

const WAVES = 5;
const WAVE_EVERY_MS = 2_000;
const COUPONS = 20;
/** Few enough that most of them meet a coupon twice. */
const USERS = 200;

type OperationSlot = Slot & Pick<Operation, "kind" | "coupon" | "userId">;

export async function mixedWorkload(ground: Ground): Promise<Measured> {
  const { options, seed } = ground;
  const { vus, initialStock } = options;
  const coupons = Array.from({ length: COUPONS }, (_, index) => `${ground.coupon}-${index + 1}`);
  // The first is there from the start, the others as soon as somebody creates them.
  const first = `${ground.coupon}-1`;
  await createCoupon(ground.target, first, initialStock);
  const operations = drawOperations({ seed, count: WAVES * vus, coupons, userCount: USERS, amountMax: initialStock });

  const sent = await rush<OperationSlot>("mixed-workload", ground, vus, (users) =>
    operations.map((operation, index) => ({
      kind: operation.kind,
      coupon: operation.coupon,
      userId: operation.userId,
      atMs: Math.floor(index / vus) * WAVE_EVERY_MS,
      send: () => perform(userAt(users, index % vus), operation),
    })),
  );

  const claims = sent.filter(({ slot }) => slot.kind === "claim");
  const onCoupons = claims.filter((claim) => endOf(claim) !== "404 coupon_not_found");
  const counts = countOutcomes(onCoupons);
  const httpErrors = countHttpErrors(sent);
  const undocumented = sent.filter(({ slot, answer }) => answer === null || !isDocumented(slot, answer));
  const faults = sent.map(({ slot, answer }) => (answer === null || !isDocumented(slot, answer) ? null : answerFault(slot, answer)));
  const created = new Set([
    first,
    ...sent.filter(({ slot, answer }) => slot.kind === "create" && answer?.status === 201).map(({ slot }) => slot.coupon),
  ]);
  const latency = latencyOf(sent);
  return {
    setting: `${WAVES} waves of ${vus} operations, one every ${WAVE_EVERY_MS / 1000} s, on ${COUPONS} names of up to ${initialStock} units; seed ${seed}`,
    coupons: Array.from(created),
    counters: { ...counts, claim_coupon_not_found: claims.length - onCoupons.length, ...others(sent), http_errors: httpErrors },
    latency: { operations: latency },
    thresholds: [
      exactly("undocumented answers", 0, undocumented.length),
      exactly("answers whose numbers cannot be", 0, faults.filter((fault) => fault !== null).length),
      exactly(
        "claims granted of a coupon nobody made",
        0,
        claims.filter((each) => receiptOf(each) !== null && !created.has(each.slot.coupon)).length,
      ),
      exactly("claim errors", 0, counts.claim_error),
      exactly("HTTP errors", 0, httpErrors),
    ],
    faults: countFaults([...undocumented.map((each) => `${each.slot.kind}: ${endOf(each)}`), ...faults]),
    told: claims.map(receiptOf).filter((receipt) => receipt !== null),
    released: sent.filter(({ slot }) => slot.kind === "release").map(({ slot }) => ({ coupon: slot.coupon, userId: slot.userId })),
  };
}

/** How often each operation beside claims was answered what it may be. */
function others(sent: readonly Sent<OperationSlot>[]): Record<string, number> {
  const kinds = (Object.keys(OPERATIONS) as Kind[]).filter((kind) => kind !== "claim");
  return Object.fromEntries(
    kinds.flatMap((kind) => {
      const own = sent.filter(({ slot }) => slot.kind === kind);
      return OPERATIONS[kind].answers.map((words) => [
        `${kind}_${words.replace(" ", "_")}`,
        own.filter((each) => endOf(each) === words).length,
      ]);
    }),
  );
}
