// What is read out of an HTTP answer, and the incarnations of a coupon. The simulation reads every kind of
// answer of the real Worker.

import { expect, test } from "vitest";

import type { Call } from "../model/types.ts";
import { eventsOf } from "./harness.ts";
import type { Incarnation } from "./stored.ts";
import { answerOf } from "./wire.ts";

const AT = "2026-11-21T10:00:00.123Z";
const MS = Date.parse(AT);
const claim: Call = { kind: "claim", userId: "ann", key: "k1" };
const receipt = { coupon_name: "A", user_id: "ann", position: 2, claimed_at: AT, remaining_amount: 3 };

function heard(status: number, body: Record<string, unknown>, headers: Record<string, string> = {}) {
  return { status, body, headers: { "coupon-seq": "7", ...headers } };
}

test.for([
  ["a granted claim has its receipt", heard(201, receipt), { is: "claimed", seq: 7, position: 2, claimedAt: MS, remaining: 3 }],
  ["a replayed claim is a replay", heard(201, receipt, { "idempotent-replayed": "true" }), { is: "replayed" }],
  ["a refusal has its receipt", heard(409, { code: "already_claimed", claim: receipt }), { is: "already_claimed", position: 2 }],
  ["a refusal by a certificate is of the edge", heard(400, { code: "out_of_stock" }, { "served-by": "edge" }), { servedByEdge: true }],
  ["an unknown outcome is no answer", heard(503, { code: "outcome_unknown" }), null],
  ["an answer about another coupon can't be right", heard(201, { ...receipt, coupon_name: "B" }), { is: "about_another" }],
  ["an answer about another user can't be right", heard(201, { ...receipt, user_id: "bob" }), { is: "about_another" }],
  ["an answer with the status of another call can't be right", heard(200, receipt), { is: "status_200" }],
  ["an answer without a seq can't be right", { ...heard(201, receipt), headers: {} }, { seq: -1 }],
  ["an answer without a fact can't be right", heard(201, { ...receipt, remaining_amount: undefined }), { remaining: NaN }],
] as const)("%s", ([, answer, due]) => {
  expect({ read: answerOf("A", claim, answer) }).toMatchObject({ read: due });
});

function incarnation(epoch: string, head: number): Incarnation {
  const event = { kind: "given_back", user_id: "ann", position: null, data: null };
  const ledger = Array.from({ length: head }, (_, index) => Object.assign({ seq: index + 1, at: index }, event));
  return { name: "A", epoch, tables: { ledger, claims: [], releases: [], holds: [], released_holds: [] } };
}

const [one, two] = [incarnation("one", 2), incarnation("two", 1)];

test.for([
  ["incarnations follow one another", [{ ...one, at: 9 }], two, [1, 2, "removed", 1]],
  [
    "a deleted coupon ends with its removal",
    [
      { ...one, at: 9 },
      { ...two, at: 9 },
    ],
    null,
    [1, 2, "removed", 1, "removed"],
  ],
  ["a deletion that a kill undid is dropped", [{ ...incarnation("one", 1), at: 9 }], one, [1, 2]],
  [
    "a repeated deletion counts once, as it was last",
    [
      { ...one, at: 8 },
      { ...incarnation("one", 1), at: 9 },
    ],
    two,
    [1, "removed", 1],
  ],
  ["the deletion of another name is ignored", [{ ...one, name: "B", at: 9 }], null, []],
] as const)("%s", ([, removed, alive, due]) => {
  expect(eventsOf(removed, alive, "A").map(({ kind, seq }) => (kind === "removed" ? kind : seq))).toEqual(due);
});

test("a removal is not later than the next creation", () => {
  expect(eventsOf([{ ...incarnation("one", 1), at: 9 }], two, "A").map(({ at }) => at)).toEqual([0, 0, 0]);
});
