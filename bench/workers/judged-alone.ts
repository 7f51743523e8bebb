// A message that is judged without a mailbox, in a transaction of its own.

import type { CouponEngine } from "../../src/engine/coupon-engine.ts";
import { isAnswerTo, type AnswerTo, type Kind, type MessageOf } from "../../src/engine/message.ts";

/** These objects issue no certificate. */
export const NO_LEASE = { leaseUntil: 0, mayCertify: false } as const;

/** Has `engine` judge `message` now, and returns its answer. */
export function judgedAlone<K extends Kind>(engine: CouponEngine, message: MessageOf<K>): AnswerTo<K> {
  const [answer] = engine.apply([{ message, at: Date.now() }], NO_LEASE).answers;
  if (answer === undefined || !isAnswerTo(message, answer)) throw new Error("a message alone has an answer");
  return answer;
}
