// A replay of the ledger finds the events that can't have happened. damages.fixture.ts has more of them.

import { expect, test } from "vitest";

import { remaining, replay } from "./replay.ts";
import type { EventRow } from "./tables.ts";

/** An event: its kind, its user, and other fields. It happens at 10 unless `more` says otherwise. */
type Event = readonly [kind: string, user?: string | null | undefined, more?: Partial<EventRow> | undefined];

const CREATED: Event = ["created", null, { data: '{"amount":2,"starts_at":5,"ends_at":100}' }];
const HELD: Event = ["held", "a", { data: '{"expires_at":50}' }];
const HELD_BY_B: Event = ["held", "b", { data: '{"expires_at":50}' }];

/** Events with a dense seq, at 10, and claims at the position of the same number. */
function ledgerOf(events: readonly Event[]): EventRow[] {
  return events.map(([kind, user = null, more = {}], index) =>
    Object.assign({ seq: index + 1, at: 10, kind, userId: user, position: null, data: null }, more),
  );
}

function claimed(user: string, position: number, more: Partial<EventRow> = {}): Event {
  return ["claimed", user, { position, ...more }];
}

test.for<readonly [what: string, events: readonly Event[], left: number]>([
  ["claims of all units", [CREATED, claimed("a", 1), claimed("b", 2)], 0],
  ["a hold that became a claim after the end", [CREATED, ["held", "a", { data: '{"expires_at":200}' }], claimed("a", 1, { at: 150 })], 1],
  ["a hold that was released and made again", [CREATED, HELD, ["given_back", "a"], HELD], 1],
  ["a hold that expired at its instant", [CREATED, HELD, ["expired", "a", { at: 50 }]], 2],
  ["a pause after a claim", [CREATED, claimed("a", 1), ["changed", null, { data: '{"amount":2,"paused":1}' }]], 1],
  ["a revoke after the archive", [CREATED, claimed("a", 1), HELD_BY_B, ["archived"], ["released", "a", { position: 1 }]], 2],
  ["an erasure of earlier events", [CREATED, claimed("erased:a", 1), ["erased", "erased:a", { data: '{"seqs":[2]}' }]], 1],
  ["a claim at the first instant of the sale", [CREATED, claimed("a", 1)].map(([kind, user, more]) => [kind, user, { at: 5, ...more }]), 1],
])("a replay accepts %s", ([, events, left]) => {
  const replayed = replay(ledgerOf(events));
  expect([replayed.faults, remaining(replayed), replayed.seq]).toEqual([[], left, events.length]);
});

test.for<readonly [fault: string, events: readonly Event[]]>([
  ['event 2 (claimed "a") is given position 2 after 0', [CREATED, claimed("a", 2)]],
  ['event 2 (claimed "a") is given position null after 0', [CREATED, ["claimed", "a"]]],
  ['event 4 (claimed "c") comes when nothing is left and leaves -1 units', [CREATED, HELD, HELD_BY_B, claimed("c", 1)]],
  ['event 2 (claimed "a") comes before the sale', [["created", null, { ...CREATED[2], at: 1 }], claimed("a", 1, { at: 4 })]],
  ['event 3 (claimed "a") has a hold that was over', [CREATED, HELD, claimed("a", 1, { at: 50 })]],
  ['event 3 (held "a") has a hold already', [CREATED, HELD, HELD]],
  ['event 3 (claimed "a") has a claim already', [CREATED, claimed("a", 1), claimed("a", 2)]],
  ['event 4 (released "b") has no claim at position 1', [CREATED, claimed("a", 1), claimed("b", 2), ["released", "b", { position: 1 }]]],
  ['event 3 (held "a") has a claim', [CREATED, claimed("a", 1), HELD]],
  ['event 2 (held "a") is over when it begins', [CREATED, ["held", "a", { data: '{"expires_at":10}' }]]],
  ['event 2 (held "a") has no expires_at', [CREATED, ["held", "a"]]],
  ['event 2 (held "a") comes after the end of the sale', [CREATED, ["held", "a", { at: 100, data: '{"expires_at":150}' }]]],
  ['event 2 (given_back "a") has no hold', [CREATED, ["given_back", "a"]]],
  ['event 2 (expired "a") has no hold', [CREATED, ["expired", "a"]]],
  ['event 3 (expired "a") has a hold that was not over', [CREATED, HELD, ["expired", "a", { at: 49 }]]],
  ['event 2 (released "a") has no claim at position 1', [CREATED, ["released", "a", { position: 1 }]]],
  ['event 3 (released "a") has no claim at position 2', [CREATED, claimed("a", 1), ["released", "a", { position: 2 }]]],
  ["event 4 (changed) leaves -1 units", [CREATED, claimed("a", 1), claimed("b", 2), ["changed", null, { data: '{"amount":1}' }]]],
  ['event 4 (claimed "a") comes after the archive', [CREATED, HELD, ["archived"], claimed("a", 1)]],
  ['event 3 (held "a") comes after the archive', [CREATED, ["archived"], HELD]],
  ["event 3 (changed) comes after the archive", [CREATED, ["archived"], ["changed", null, CREATED[2]]]],
  ["event 3 (archived) comes after the archive", [CREATED, ["archived"], ["archived"]]],
  ['event 2 (erased "a") has no pseudonym and lists no earlier events', [CREATED, ["erased", "a"]]],
  ['event 2 (erased "erased:a") lists no earlier events', [CREATED, ["erased", "erased:a", { data: '{"seqs":[2]}' }]]],
  ["event 2 (created) is not the first", [CREATED, CREATED]],
  ["event 1 (changed) is the first", [["changed", null, CREATED[2]]]],
  ["event 1 (changed) comes after event 1 and is the first", [CREATED, ["changed", null, { seq: 1, data: '{"amount":2}' }]]],
])("a replay finds that %s", ([fault, events]) => {
  expect(replay(ledgerOf(events)).faults).toEqual([fault]);
});

test("a replay stops after the event `until`", () => {
  const replayed = replay(ledgerOf([CREATED, claimed("a", 1), claimed("b", 2)]), 2);
  expect([replayed.seq, [...replayed.claims.keys()], remaining(replayed)]).toEqual([2, [1], 1]);
});
