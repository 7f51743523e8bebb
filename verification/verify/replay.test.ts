// A ledger is told over by its events alone, and what can't have happened as they say is found.

import { describe, expect, test } from "vitest";

import { remaining, retold } from "./replay.ts";
import type { EventRow } from "./tables.ts";

/** An event of the table below: what happened, to whom, and when if not at 10. */
type Told = readonly [kind: string, user?: string | null | undefined, more?: Partial<EventRow> | undefined];

const CREATED: Told = ["created", null, { data: '{"amount":2,"starts_at":5,"ends_at":100}' }];
const HELD: Told = ["held", "a", { data: '{"expires_at":50}' }];
const HELD_BY_B: Told = ["held", "b", { data: '{"expires_at":50}' }];

/** Events with a dense seq, at 10, and claims at the position of the same number. */
function ledgerOf(events: readonly Told[]): EventRow[] {
  return events.map(([kind, user = null, more = {}], index) =>
    Object.assign({ seq: index + 1, at: 10, kind, userId: user, position: null, data: null }, more),
  );
}

function claimed(user: string, position: number, more: Partial<EventRow> = {}): Told {
  return ["claimed", user, { position, ...more }];
}

describe("nothing is wrong where", () => {
  test.for<readonly [what: string, events: readonly Told[], left: number]>([
    ["nothing happened", [CREATED], 2],
    ["all were claimed", [CREATED, claimed("a", 1), claimed("b", 2)], 0],
    ["a hold became a claim", [CREATED, HELD, claimed("b", 1), claimed("a", 2)], 0],
    ["a hold became a claim after the end", [CREATED, ["held", "a", { data: '{"expires_at":200}' }], claimed("a", 1, { at: 150 })], 1],
    ["a hold was given back", [CREATED, HELD, ["given_back", "a"], HELD], 1],
    ["a hold expired on the instant", [CREATED, HELD, ["expired", "a", { at: 50 }]], 2],
    ["a claim was released and made again", [CREATED, claimed("a", 1), ["released", "a", { position: 1 }], claimed("a", 2)], 1],
    ["the sale was paused after a claim", [CREATED, claimed("a", 1), ["changed", null, { data: '{"amount":2,"paused":1}' }]], 1],
    [
      "the first claim came on the first instant",
      [CREATED, claimed("a", 1)].map(([kind, user, more]) => [kind, user, { at: 5, ...more }]),
      1,
    ],
  ])("%s", ([, events, left]) => {
    const told = retold(ledgerOf(events));
    expect([told.faults, remaining(told), told.seq]).toEqual([[], left, events.length]);
  });
});

describe("it is found that", () => {
  test.for<readonly [fault: string, events: readonly Told[]]>([
    ['event 2 (claimed "a") is given position 2 after 0', [CREATED, claimed("a", 2)]],
    ['event 2 (claimed "a") is given position null after 0', [CREATED, ["claimed", "a"]]],
    ['event 3 (claimed "a") has a claim already', [CREATED, claimed("a", 1), claimed("a", 2)]],
    ['event 4 (claimed "c") comes when nothing is left and leaves -1 units', [CREATED, claimed("a", 1), claimed("b", 2), claimed("c", 3)]],
    ['event 4 (claimed "c") comes when nothing is left and leaves -1 units', [CREATED, HELD, HELD_BY_B, claimed("c", 1)]],
    ['event 2 (claimed "a") comes before the sale', [["created", null, { ...CREATED[2], at: 1 }], claimed("a", 1, { at: 4 })]],
    ['event 2 (claimed "a") comes after the end of the sale', [CREATED, claimed("a", 1, { at: 100 })]],
    [
      'event 3 (claimed "a") comes while the sale is paused',
      [CREATED, ["changed", null, { data: '{"amount":2,"paused":1}' }], claimed("a", 1)],
    ],
    ['event 3 (claimed "a") has a hold that was over', [CREATED, HELD, claimed("a", 1, { at: 50 })]],
    ['event 3 (held "a") has a hold already', [CREATED, HELD, HELD]],
    ['event 3 (held "a") has a claim', [CREATED, claimed("a", 1), HELD]],
    ['event 2 (held "a") is over when it begins', [CREATED, ["held", "a", { data: '{"expires_at":10}' }]]],
    ['event 2 (held "a") has no expires_at', [CREATED, ["held", "a"]]],
    ['event 2 (held "a") comes after the end of the sale', [CREATED, ["held", "a", { at: 100, data: '{"expires_at":150}' }]]],
    ['event 2 (given_back "a") has no hold', [CREATED, ["given_back", "a"]]],
    ['event 2 (expired "a") has no hold', [CREATED, ["expired", "a"]]],
    ['event 3 (expired "a") has a hold that was not over', [CREATED, HELD, ["expired", "a", { at: 49 }]]],
    ['event 2 (released "a") has no claim', [CREATED, ["released", "a", { position: 1 }]]],
    ['event 3 (released "a") is at position 1 and not 2', [CREATED, claimed("a", 1), ["released", "a", { position: 2 }]]],
    ["event 4 (changed) leaves -1 units", [CREATED, claimed("a", 1), claimed("b", 2), ["changed", null, { data: '{"amount":1}' }]]],
    ["event 2 (created) is not the first", [CREATED, CREATED]],
    ["event 1 (changed) is the first", [["changed", null, CREATED[2]]]],
    ["event 2 (given) is of a kind that is not known", [CREATED, ["given"]]],
    ["event 2 (changed) has data that is no JSON object", [CREATED, ["changed", null, { data: "7" }]]],
    ["event 2 (changed) is earlier than the one before", [CREATED, ["changed", null, { at: 9, data: '{"amount":2}' }]]],
    ["event 3 (changed) comes after event 1", [CREATED, ["changed", null, { seq: 3, data: '{"amount":2}' }]]],
    ["event 1 (changed) comes after event 1 and is the first", [CREATED, ["changed", null, { seq: 1, data: '{"amount":2}' }]]],
  ])("%s", ([fault, events]) => {
    expect(retold(ledgerOf(events)).faults).toEqual([fault]);
  });
});

test("it is told up to an event, and no further", () => {
  const ledger = ledgerOf([CREATED, claimed("a", 1), claimed("b", 2)]);
  const told = retold(ledger, 2);
  expect([told.seq, [...told.claims.keys()], remaining(told)]).toEqual([2, ["a"], 1]);
});
