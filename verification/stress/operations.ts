// The operations of mixed-workload, drawn from a seed, and the documented answers of each.

import { seeded } from "../random.ts";
import type { Answer, CouponClient } from "../client/coupon-client.ts";
import { receiptIn, wordsOf } from "./outcomes.ts";

/** Every operation: its share of a hundred, and all answers of a coupon without a window. */
export const OPERATIONS = {
  create: { share: 20, answers: ["201", "409 coupon_exists"] },
  claim: {
    share: 50,
    answers: ["201", "400 out_of_stock", "404 coupon_not_found", "409 already_claimed", "429 rate_limited"],
  },
  read: { share: 8, answers: ["200", "404 coupon_not_found"] },
  status: { share: 8, answers: ["200", "404 coupon_not_found"] },
  user_claim: { share: 4, answers: ["200", "404 coupon_not_found", "404 claim_not_found"] },
  hold: {
    share: 5,
    answers: ["201", "200", "400 out_of_stock", "404 coupon_not_found", "409 already_claimed", "429 rate_limited"],
  },
  release_hold: { share: 2, answers: ["204", "404 coupon_not_found", "404 claim_not_found"] },
  revoke: { share: 3, answers: ["200", "404 coupon_not_found", "404 claim_not_found"] },
} as const;

export type Kind = keyof typeof OPERATIONS;

export type Operation = { readonly kind: Kind; readonly coupon: string; readonly userId: string; readonly amount: number };

export type Draw = {
  readonly seed: number;
  readonly count: number;
  readonly coupons: readonly string[];
  readonly userCount: number;
  readonly amountMax: number;
};

/** The default bound of a coupon, and longer than any run, so that no hold expires while it is verified. */
const HOLD_SECONDS = 900;

const DECK: readonly Kind[] = (Object.keys(OPERATIONS) as Kind[]).flatMap((kind) =>
  Array.from({ length: OPERATIONS[kind].share }, () => kind),
);

/** The same operations for the same seed. */
export function drawOperations({ seed, count, coupons, userCount, amountMax }: Draw): Operation[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => ({
    kind: random.pick(DECK),
    coupon: random.pick(coupons),
    userId: `user-${1 + random.below(userCount)}`,
    amount: 1 + random.below(amountMax),
  }));
}

type Send = (client: CouponClient, operation: Operation) => Promise<Answer>;

const SEND = {
  create: (client, { coupon, amount }) => client.create(coupon, amount),
  claim: (client, { coupon, userId }) => client.claim(coupon, userId),
  read: (client, { coupon }) => client.read(coupon),
  status: (client, { coupon }) => client.status(coupon),
  user_claim: (client, { coupon, userId }) => client.userClaim(coupon, userId),
  hold: (client, { coupon, userId }) => client.hold(coupon, userId, HOLD_SECONDS),
  release_hold: (client, { coupon, userId }) => client.releaseHold(coupon, userId),
  revoke: (client, { coupon, userId }) => client.revoke(coupon, userId),
} as const satisfies Record<Kind, Send>;

/** Sends one operation. */
export function perform(client: CouponClient, operation: Operation): Promise<Answer> {
  return SEND[operation.kind](client, operation);
}

/** Whether the answer is documented for the operation. */
export function isDocumented({ kind }: Pick<Operation, "kind">, answer: Answer): boolean {
  return (OPERATIONS[kind].answers as readonly string[]).includes(wordsOf(answer));
}

/** What is wrong with the numbers of a documented answer, or null. */
export function answerFault({ kind, coupon, userId }: Omit<Operation, "amount">, { status, body }: Answer): string | null {
  if (status >= 400 || status === 204) return null;
  if (kind === "claim" && receiptIn(body, { coupon, userId }) === null) return "no receipt of this coupon and user";
  const { amount, remaining_amount: remaining, claimed_by: claimants } = body;
  if (kind !== "user_claim" && !(typeof remaining === "number" && remaining >= 0)) return "a negative amount remains";
  if (typeof amount === "number" && Number(remaining) > amount) return "more remains than the amount";
  if (!Array.isArray(claimants)) return null;
  if (new Set(claimants).size !== claimants.length) return "a user has two claims";
  return claimants.length + Number(remaining) <= Number(amount) ? null : "claimed and remaining exceed the amount";
}
