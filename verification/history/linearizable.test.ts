// Wrong histories are planted, and each is rejected for its fault; beside each stands a right history that is close to it.

import { expect, test } from "vitest";

import type { LedgerEvent } from "../model/types.ts";
import {
  asked,
  atEdge,
  change,
  changed,
  claim,
  claimed,
  created,
  event,
  giveBack,
  granted,
  held,
  history,
  hold,
  read,
  refused,
  release,
  settings,
  verdictOn,
} from "./by-hand.fixture.ts";
import type { History, Operation } from "./history.ts";

/** A name, what the verdict contains, and the history. */
type Row = readonly [name: string, verdict: string, history: History];

/** All clocks show 15 ms, so that only the order of requests tells them apart. */
const AT_15 = { clockFrom: 15, clockUntil: 15 };
const UNSTEADY = { isClockSteady: false } as const;
const CLIENT = { seenFrom: "client" } as const;

const ann = asked(10, 20, claim("ann", "k1"), granted(2, 1, 15, 0), { attempt: "a" });
const annsClaim = claimed(2, 15, "ann", 1, { key: "k1", attempt: "a" });
const annOfTwo = asked(10, 20, claim("ann"), granted(2, 1, 15, 1));
const annsOfTwo = claimed(2, 15, "ann", 1);
const replay = { is: "replayed", seq: 2, position: 1, claimedAt: 15, remaining: 0 } as const;

const CLAIMS: readonly Row[] = [
  [
    "a sale that ends with a refusal is right",
    "right",
    history(1, [ann, asked(30, 31, claim("cid"), refused("out_of_stock", 2))], [annsClaim]),
  ],
  [
    "an oversell is rejected",
    "event 3 claimed bob #2: what was asked for is to be answered out_of_stock",
    history(1, [ann, asked(12, 22, claim("bob"), granted(3, 2, 16, 0))], [annsClaim, claimed(3, 16, "bob", 2)]),
  ],
  [
    "an oversell that the ledger hides is rejected",
    "answered claimed",
    history(1, [ann, asked(30, 40, claim("bob"), granted(2, 1, 15, 0))], [annsClaim]),
  ],
  ["an acknowledged claim that the ledger lost is rejected", "answered at seq 2, which the ledger never reached", history(1, [ann], [])],
  [
    "an acknowledged claim that another took the place of is rejected",
    "answered claimed, and out_of_stock is right",
    history(1, [ann, asked(10, null, claim("cid"), null)], [claimed(2, 15, "cid", 1)]),
  ],
  [
    "a second claim of a winner is rejected",
    "to be answered already_claimed",
    history(2, [annOfTwo, asked(30, 40, claim("ann"), granted(3, 2, 35, 0))], [annsOfTwo, claimed(3, 35, "ann", 2)]),
  ],
  [
    "a refused winner is rejected",
    "answered out_of_stock, and already_claimed is right",
    history(1, [ann, asked(30, 40, claim("ann"), refused("out_of_stock", 2))], [annsClaim]),
  ],
  [
    "an event that no request caused is rejected",
    "no request can have caused it",
    history(2, [annOfTwo], [annsOfTwo, claimed(3, 16, "bob", 2)]),
  ],
  ["a gap in the ledger is rejected", "not dense", history(2, [annOfTwo], [claimed(3, 15, "ann", 1)])],
  ["the same key gets the same receipt", "right", history(1, [ann, asked(30, 40, claim("ann", "k1"), replay)], [annsClaim])],
  [
    "a replay with another position is rejected",
    "answered position 2, and 1 is right",
    history(1, [ann, asked(30, 40, claim("ann", "k1"), { ...replay, position: 2 })], [annsClaim]),
  ],
  [
    "a claim that is stored under another key is rejected",
    "no request can have caused it",
    history(1, [ann], [claimed(2, 15, "ann", 1, { key: "k2", attempt: "a" })]),
  ],
];

const late = { ...ann, endedAt: 50, clockUntil: 50, answer: granted(3, 1, 15, 0) };
const raise = asked(25, 35, change({ amount: 3 }), { is: "changed", seq: 3, amount: 3 });
const raised = [annsClaim, changed(3, 30, settings(3))];
const twice = asked(10, 40, change({ amount: 3 }), { is: "changed", seq: 4, amount: 3 });
const between = asked(20, 25, change({ amount: 2 }), { is: "changed", seq: 3, amount: 2 });
const threeChanges = [changed(2, 15, settings(3)), changed(3, 22, settings(2)), changed(4, 35, settings(3))];

/** What only a history of clients can have: the Worker delivers a call again by itself. */
const RETRIES: readonly Row[] = [
  ["a claim that the Worker's retry found is new to its client", "right", history(1, [late, raise], raised, CLIENT)],
  ["a claim that a retry found is a replay to the object", "no request can have caused it", history(1, [late, raise], raised)],
  [
    "a replay that the client did not send twice is rejected",
    "answered replayed, and claimed is right",
    history(1, [{ ...late, answer: { ...replay, seq: 3 } }, raise], raised, CLIENT),
  ],
  ["a change that the Worker delivers twice is right", "right", history(2, [twice, between], threeChanges, CLIENT)],
  ["a change that the object answers twice is rejected", "event 2 changed: no request", history(2, [twice, between], threeChanges)],
  [
    "a delivery before its request is rejected",
    "event 2 changed: no request",
    history(2, [{ ...twice, clockFrom: 16 }, between], threeChanges, CLIENT),
  ],
  [
    "a delivery after the answer is rejected",
    "event 6 changed: no request",
    history(
      2,
      [twice, between, asked(45, 55, change({ amount: 2 }), { is: "changed", seq: 5, amount: 2 })],
      [...threeChanges, changed(5, 50, settings(2)), changed(6, 60, settings(3))],
      CLIENT,
    ),
  ],
  [
    "a release of a hold that is delivered twice is rejected",
    "event 3 given_back ann: no request",
    history(
      2,
      [
        asked(10, 12, hold("ann", 1000), null),
        asked(10, 12, hold("ann", 1000), null),
        asked(10, 40, giveBack("ann"), refused("given_back", 5)),
      ],
      [
        event(2, 12, "held", "ann", { expiresAt: 1012 }),
        event(3, 15, "given_back", "ann"),
        event(4, 20, "held", "ann", { expiresAt: 1020 }),
        event(5, 30, "given_back", "ann"),
      ],
      CLIENT,
    ),
  ],
];

const bobFirst = asked(30, 40, claim("bob"), granted(2, 1, 15, 1), AT_15);
const annSecond = asked(10, 20, claim("ann"), granted(3, 2, 15, 0), AT_15);
const bobAnn = [claimed(2, 15, "bob", 1), claimed(3, 15, "ann", 2)];

/** The order of requests alone decides. */
const ORDER: readonly Row[] = [
  ["a ledger in the order of requests is right", "right", history(2, [bobFirst, { ...annSecond, startedAt: 35, endedAt: 45 }], bobAnn)],
  ["a ledger that swaps two requests is rejected", "no request can have caused it", history(2, [bobFirst, annSecond], bobAnn)],
  [
    "a stale read is rejected",
    "the other way round",
    history(2, [{ ...annOfTwo, ...AT_15 }, asked(30, 40, read, { is: "found", seq: 1, remaining: 2 }, AT_15)], [annsOfTwo]),
  ],
  [
    "two reads in the order opposite to the ledger are rejected",
    "the other way round",
    history(
      2,
      [{ ...annOfTwo, answer: null }, asked(30, 31, read, refused("found", 2), AT_15), asked(40, 41, read, refused("found", 1), AT_15)],
      [annsOfTwo],
    ),
  ],
  [
    "an event that was read before its request began is rejected",
    "no request can have caused it",
    history(1, [asked(31, null, claim("ann"), null, AT_15), asked(20, 30, read, refused("found", 2), AT_15)], [annsOfTwo]),
  ],
];

const lost = asked(10, null, claim("ann", "k1"), null);
const [holdOne, holdTwo] = [hold, hold].map((of, index) => asked(10, null, of("ann", 100), null, { attempt: `a${index + 1}` }));
const heldEvent = event(2, 15, "held", "ann", { expiresAt: 115 });
const answeredHold = (is: "held" | "held_already", attempt: string): Operation =>
  asked(30, 32, hold("ann", 100), { ...held(2, 15, 115, 1), is }, { attempt });
const both = [holdOne, holdTwo].filter((one) => one !== undefined);

const UNKNOWN: readonly Row[] = [
  ["a request without an answer may have happened", "right", history(1, [lost, asked(30, 40, claim("ann", "k1"), replay)], [annsClaim])],
  ["a request without an answer may happen at the end", "right", history(1, [lost], [claimed(2, 99, "ann", 1)])],
  ["a request that happens before it is sent is rejected", "no request", history(1, [{ ...lost, clockFrom: 16 }], [annsOfTwo])],
  [
    "a request that happens twice is rejected",
    "event 4 changed: no request",
    history(2, [asked(10, null, change({ amount: 3 }), null), between], [...threeChanges]),
  ],
  [
    "a request that was answered unavailable and happens is rejected",
    "no request",
    history(1, [{ ...lost, endedAt: 20, answer: refused("unavailable", 1) }], [annsOfTwo]),
  ],
  ["the attempt that is answered held made the hold", "right", history(2, [...both, answeredHold("held", "a2")], [heldEvent])],
  [
    "the attempt that is answered held_already did not make the hold",
    "right",
    history(2, [...both, answeredHold("held_already", "a1")], [heldEvent]),
  ],
  [
    "a hold that no named attempt made is rejected",
    "event 2 held ann: no request",
    history(2, [...both, answeredHold("held", "a3")], [heldEvent]),
  ],
  [
    "a hold that two attempts made is rejected",
    "answered held, and held_already is right",
    history(2, [...both, answeredHold("held", "a1"), answeredHold("held", "a2")], [heldEvent]),
  ],
  [
    "of two incarnations, an answer is about the one with its hold",
    "right",
    history(
      2,
      [
        ...both,
        answeredHold("held", "a2"),
        asked(50, 52, { kind: "remove" }, refused("removed", 0)),
        asked(60, 62, { kind: "create", amount: 2, startsAt: null, endsAt: null }, { is: "created", seq: 1, createdAt: 60 }),
      ],
      [heldEvent, event(0, 50, "removed"), created(60, settings(2))],
    ),
  ],
];

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
  ["two refusals in the opposite order are rejected", "certificate of seq 1", history(1, [...pausing, pausedAt(22), endedAt(20)], pauses)],
];

const taken = { is: "released", seq: 3, position: 1, claimedAt: 15, releasedAt: 25, remaining: 1 } as const;
const revoked = [ann, asked(22, 28, release("ann"), taken)];
const revokedEvents = [annsClaim, event(3, 25, "released", "ann", { position: 1 })];
const gone = asked(30, 40, { kind: "remove" }, refused("removed", 0));
const again = asked(50, 60, { kind: "create", amount: 1, startsAt: null, endsAt: null }, { is: "created", seq: 1, createdAt: 55 });
const twoCoupons = [annsClaim, event(0, 35, "removed"), created(55, settings(1))];

const RETURNS: readonly Row[] = [
  ["a repeated revoke returns its unit once", "right", history(1, [...revoked, asked(30, 40, release("ann", 1), taken)], revokedEvents)],
  [
    "a unit that returns twice is rejected",
    "answered remaining 2, and 1 is right",
    history(1, [...revoked, asked(30, 40, release("ann"), { ...taken, remaining: 2 })], revokedEvents),
  ],
  [
    "a deleted coupon that remembers its claims is rejected",
    "which the ledger never reached",
    history(1, [ann, gone, again, asked(70, 80, claim("ann"), { is: "already_claimed", seq: 2, position: 1 })], twoCoupons),
  ],
  [
    "a certificate of a deleted coupon is rejected",
    "which the ledger never reached",
    history(1, [ann, gone, again, atEdge(41, 49, "bob", 2)], twoCoupons),
  ],
];

test.for([...CLAIMS, ...RETRIES, ...ORDER, ...UNKNOWN, ...TIME, ...END_OF_HOLDS, ...EDGE, ...RETURNS])("%s", ([, verdict, recorded]) => {
  expect(verdictOn(recorded)).toContain(verdict);
});
