// Answers that a history has no words for: a page of claims, metrics, and a change with If-Match.

import type * as messages from "../../src/domain/rpc.ts";
import { left, type Claim, type Coupon } from "../model/coupon.ts";
import { stateAt } from "../model/judge.ts";
import type { Result } from "../model/product-answers.ts";
import type { Pseudonyms } from "../model/pseudonym.ts";
import type { Command } from "./points.ts";

type Shown = { readonly userId: string; readonly key: string | null; readonly attemptId: string };

/** One of these answers. */
export type ExtraAnswer = {
  readonly command: Command;
  readonly result: Result;
  readonly incarnation: number;
  readonly ifMatch: string | null;
  readonly page: { readonly after: messages.Cursor; readonly limit: number } | null;
};

/** What is wrong with an answer, given the coupon at the head that it names; null where nothing is. */
export function extraAnswerFault(
  { command, result, ifMatch, page }: ExtraAnswer,
  coupon: Coupon | null,
  epoch: string,
  names: Pseudonyms,
): string | null {
  // A failure of storage says nothing about the coupon.
  if (coupon === null || ("code" in result && result.code === "unavailable")) return null;
  if (page !== null) return pageFault(page, result, coupon, epoch, names);
  if (command === "metrics" && result.ok && "outcomes" in result) {
    const { granted } = result.outcomes.claims;
    return granted === coupon.lastPosition
      ? null
      : `metrics count ${granted} grants at seq ${result.seq}, and there were ${coupon.lastPosition}`;
  }
  return ifMatch === null || ifMatch === "*" ? null : tagFault(result, ifMatch, coupon, epoch);
}

function pageFault(
  { after, limit }: NonNullable<ExtraAnswer["page"]>,
  result: Result,
  coupon: Coupon,
  epoch: string,
  names: Pseudonyms,
): string | null {
  if (after.epoch !== null && (after.epoch === epoch) !== result.ok && result.seq > 0)
    return `a page of ${result.ok ? "another coupon" : "this coupon"} goes on at seq ${result.seq}`;
  if (!result.ok || !("claims" in result)) return null;
  const due = [...coupon.claims.values()].filter(({ position }) => position > after.position);
  const isSame =
    result.claims.length === Math.min(due.length, limit) &&
    result.claims.every((claim, index) => {
      const other = due[index];
      const isOne = other !== undefined && other.position === claim.position && isSameUser(other, claim, names);
      return isOne && other.claimedAt === claim.claimedAt && other.remaining === claim.remainingAfter;
    });
  if (!isSame) return `a page after ${after.position} of at most ${limit} shows other claims than there were at seq ${result.seq}`;
  const last = result.claims.at(-1);
  if (due.length > limit !== (result.next !== null)) return `a page at seq ${result.seq} is wrong about whether there are more`;
  return result.next === null || (result.next.position === last?.position && result.next.epoch === epoch)
    ? null
    : "a page goes on elsewhere";
}

/** Whether a page names a claim as the tables do: by its user, or by pseudonyms of an erased one. */
function isSameUser({ userId, key, attempt, isHidden }: Claim, shown: Shown, names: Pseudonyms): boolean {
  if (!isHidden) return shown.userId === userId && shown.key === key && shown.attemptId === attempt;
  const hiddenKey = key === null ? null : names.ofKey(userId, key);
  return shown.userId === names.of(userId) && shown.key === hiddenKey && shown.attemptId === names.of(attempt ?? "");
}

/** A tag names an epoch, a head and a state. A change with that tag comes directly behind its head. */
function tagFault(result: ExtraAnswer["result"], tag: string, coupon: Coupon, epoch: string): string | null {
  const [begin, head, state] = tag.replaceAll('"', "").split("-");
  const isOfThis = begin === epoch.slice(0, 8);
  const { seq } = result;
  if (result.ok && !(isOfThis && (Number(head) === seq || Number(head) === seq - 1)))
    return `a change was made at seq ${seq} although its tag was ${tag}`;
  if (result.ok || result.code !== "precondition_failed" || !isOfThis || Number(head) !== seq) return null;
  // Between two events, only time changes the state.
  const { settings } = coupon;
  const edges = [coupon.at, settings.startsAt, settings.endsAt].filter((at) => at !== null && at >= coupon.at) as number[];
  const isAlways = edges.every((at) => stateAt(settings, left(coupon), at) === state);
  return isAlways ? `a change was refused at seq ${seq} although its tag was ${tag}` : null;
}
