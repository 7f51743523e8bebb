// Wrong histories about time, holds and certificates are planted, and each is rejected for its fault.

import { test } from "vitest";

import type { LedgerEvent } from "../model/types.ts";
import {
  AT_15,
  ann,
  annsClaim,
  asked,
  atEdge,
  change,
  changed,
  claim,
  event,
  expectVerdict,
  held,
  history,
  hold,
  read,
  refused,
  settings,
  type Row,
} from "./by-hand.fixture.ts";
import type { Operation } from "./history.ts";

const UNSTEADY = { isClockSteady: false } as const;

const ends = settings(1, { endsAt: 200 });
const seenEnded = asked(10, 20, read, { is: "found", seq: 1, state: "ended" }, { clockFrom: 205, clockUntil: 206 });
const refusedEarly = asked(30, 40, claim("ann"), refused("sale_ended", 1), { clockFrom: 150, clockUntil: 160 });
const annsHold = asked(10, 12, hold("ann", 50), held(2, 11, 61, 0));
const annsHeld = event(2, 11, "held", "ann", { expiresAt: 61 });
const soldOutAt = (at: number): Operation => asked(at, at + 2, claim("bob"), refused("out_of_stock", 2));

const TIME: readonly Row[] = [
  ["a coupon stays at its latest instant when the clock is set back", "right", history(ends, [seenEnded, refusedEarly], [], UNSTEADY)],
  ["a sale that ends before its end is rejected", "and claimed is right", history(ends, [seenEnded, refusedEarly], [])],
  [
    "a hold that expires at its instant is right",
    "right",
    history(1, [annsHold, soldOutAt(59)], [annsHeld, event(3, 61, "expired", "ann")]),
  ],
  ["a hold that expires early is rejected", "it ended 1 ms early", history(1, [annsHold], [annsHeld, event(3, 60, "expired", "ann")])],
  [
    "two holds that expire in the wrong order are rejected",
    "another hold was over",
    history(
      2,
      [{ ...annsHold, answer: held(2, 11, 61, 1) }, asked(13, 15, hold("bob", 50), held(3, 14, 64, 0))],
      [annsHeld, event(3, 14, "held", "bob", { expiresAt: 64 }), event(4, 70, "expired", "bob"), event(5, 70, "expired", "ann")],
    ),
  ],
  ["a hold that keeps its unit too long is rejected", "there is no instant", history(1, [annsHold, soldOutAt(61)], [annsHeld])],
];

const minute = (seq: number, at: number, userId: string, remaining: number): readonly [Operation, LedgerEvent] => [
  asked(at - 1, at + 1, hold(userId, 60_000), held(seq, at, at + 60_000, remaining)),
  event(seq, at, "held", userId, { expiresAt: at + 60_000 }),
];
const [annsMinute, bobsMinute] = [minute(2, 10, "ann", 2), minute(3, 12, "bob", 1)];
const holders = [annsMinute[0], bobsMinute[0]];
const ended = [annsMinute[1], bobsMinute[1], event(4, 25, "given_back", "ann"), event(5, 25, "given_back", "bob")];
const end = asked(20, 30, { kind: "end_holds" }, { is: "ended", seq: 5, count: 2, remaining: 3 });
const seenEnd = asked(26, 27, read, { is: "found", seq: 5, held: 0 }, { clockFrom: 25, clockUntil: 25 });

const END_OF_HOLDS: readonly Row[] = [
  ["an end of all holds has one event for each hold", "right", history(3, [...holders, end], ended)],
  ["an end of all holds without an answer may have happened", "right", history(3, [...holders, { ...end, answer: null }], ended)],
  [
    "an end of all holds that leaves one is rejected",
    "event 4 given_back ann",
    history(3, [...holders, { ...end, answer: null }], ended.slice(0, 3)),
  ],
  [
    "an end of all holds with another count is rejected",
    "event 4 given_back ann",
    history(3, [...holders, { ...end, answer: { is: "ended", seq: 5, count: 1 } }], ended),
  ],
  [
    "an end of all holds with another remaining amount is rejected",
    "answered remaining 2, and 3 is right",
    history(3, [...holders, { ...end, answer: { is: "ended", seq: 5, count: 2, remaining: 2 } }], ended),
  ],
  [
    "an end of all holds that was answered before they were seen is rejected",
    "the other way round",
    history(3, [...holders, end, asked(40, 41, read, { is: "found", seq: 3, held: 2 }, { clockFrom: 20, clockUntil: 20 })], ended),
  ],
  [
    "an end of all holds that is seen half done is rejected",
    "some holds were ended, and others were not yet",
    history(3, [...holders, end, asked(20, 30, read, { is: "found", seq: 4, held: 1 }, { clockFrom: 25, clockUntil: 25 })], ended),
  ],
  [
    "an end of all holds that began after it was seen is rejected",
    "the other way round",
    history(3, [...holders, { ...end, clockFrom: 25, clockUntil: 25, startedAt: 28 }, seenEnd], ended),
  ],
];

const restock = asked(100, 110, change({ amount: 2 }), { is: "changed", seq: 3, amount: 2 });
const restocked = [annsClaim, changed(3, 105, settings(2))];
const clock = { clockFrom: 105, clockUntil: 105 };
const seenRestock = [ann, { ...restock, answer: null }, asked(106, 107, read, { is: "found", seq: 3, amount: 2 })];
const pauses = [changed(2, 15, settings(1, { paused: true })), changed(3, 15, settings(1, { endsAt: 15 }))];
const pausing = [asked(5, 90, change({ paused: true }), null), asked(5, 90, change({ paused: false, endsAt: 15 }), null)];
const pausedAt = (at: number): Operation => ({ ...atEdge(at, at + 1, "bob", 1, "sale_paused"), ...AT_15 });
const endedAt = (at: number): Operation => ({ ...atEdge(at, at + 1, "bob", 1, "sale_ended"), ...AT_15 });

const AT_10 = { clockFrom: 10, clockUntil: 10 };

const EDGE: readonly Row[] = [
  ["a refusal at the edge is right while its certificate is true", "right", history(1, [ann, atEdge(900, 901, "bob", 2)], [annsClaim])],
  [
    "a winner who is refused at the edge is rejected",
    "and already_claimed is right",
    history(1, [ann, atEdge(30, 31, "ann", 2)], [annsClaim]),
  ],
  ["a refusal before the last unit is taken is rejected", "and claimed is right", history(1, [ann, atEdge(5, 6, "bob", 1)], [annsClaim])],
  ["a certificate of a seq that never was is rejected", "never reached", history(1, [ann, atEdge(30, 31, "bob", 3)], [annsClaim])],
  ["a refusal that overlaps a restock is right", "right", history(1, [ann, restock, atEdge(104, 200, "bob", 2)], restocked)],
  [
    "a refusal after an acknowledged restock is rejected",
    "and claimed is right",
    history(1, [ann, restock, atEdge(111, 112, "bob", 2)], restocked),
  ],
  [
    "a refusal after an acknowledged restock is rejected by order alone",
    "and claimed is right",
    history(1, [ann, { ...restock, ...clock }, { ...atEdge(113, 115, "bob", 2), ...clock }], restocked),
  ],
  [
    "a refusal after another user read the restock is rejected",
    "and claimed is right",
    history(1, [...seenRestock, atEdge(108, 109, "bob", 2)], restocked, UNSTEADY),
  ],
  [
    "a code that no certificate has is rejected",
    "may not say",
    history(1, [ann, atEdge(30, 31, "ann", 2, "already_claimed")], [annsClaim]),
  ],
  ["a hold that expired unseen ends a certificate", "and claimed is right", history(1, [annsHold, atEdge(61, 62, "bob", 2)], [annsHeld])],
  ["two refusals in the order of the ledger are right", "right", history(1, [...pausing, pausedAt(20), endedAt(22)], pauses)],
  [
    "a read that began after a refusal at the edge and stands before it is rejected",
    "the other way round",
    history(
      1,
      [{ ...ann, answer: null }, atEdge(21, 22, "bob", 2), asked(40, 41, read, { is: "found", seq: 1, remaining: 1 }, AT_10)],
      [annsClaim],
    ),
  ],
  ["two refusals in the opposite order are rejected", "certificate of seq 1", history(1, [...pausing, pausedAt(22), endedAt(20)], pauses)],
];

test.for([...TIME, ...END_OF_HOLDS, ...EDGE])("%s", ([, verdict, recorded]) => {
  expectVerdict(recorded, verdict);
});
