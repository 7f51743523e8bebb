// What the pseudonyms of erased users stand for. A check compares ids.

import { isPseudonym, Pseudonyms } from "../model/pseudonym.ts";
import type { Answer } from "../model/types.ts";
import type { Recorded } from "./network.ts";
import type { Storage } from "./storage.ts";

/** By incarnation: its pseudonyms, and what they stand for. */
export function namesOf({ incarnations }: Storage, delivered: readonly Recorded[]): Pseudonyms[] {
  return incarnations.map((database) => {
    const key = database.isDefined ? database.rows("SELECT erasure_key FROM coupon")[0]?.["erasure_key"] : null;
    const names = new Pseudonyms(typeof key === "string" ? key : null);
    if (typeof key !== "string") return names;
    for (const { call, attempt } of delivered) {
      if (attempt !== null) names.of(attempt);
      if ("userId" in call) names.of(call.userId);
      if (call.kind === "claim" && call.key !== null) names.ofKey(call.userId, call.key);
    }
    return names;
  });
}

/** A text with ids in the places of pseudonyms. */
export function named(text: string, names: readonly Pseudonyms[], departed: ReadonlyMap<string, string>): string {
  return text.replaceAll(/erased:[0-9a-f]{32}/g, (alias) => names.reduce((found, one) => one.textOf(found), departed.get(alias) ?? alias));
}

/** An answer with ids in the places of pseudonyms. The order of holders is that of the ids, so theirs changes. */
export function namedAnswer(answer: Answer, names: Pseudonyms | undefined): Answer {
  const { claimants, holders } = answer;
  if (names === undefined || ![...(claimants ?? []), ...(holders ?? [])].some(isPseudonym)) return answer;
  return {
    ...answer,
    ...(claimants === undefined ? {} : { claimants: claimants.map((user) => names.textOf(user)) }),
    ...(holders === undefined ? {} : { holders: holders.map((user) => names.textOf(user)).toSorted() }),
  };
}
