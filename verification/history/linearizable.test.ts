// Wrong histories are planted, and each is rejected for its fault; beside each stands a right history that is
// close to it.

import { test } from "vitest";

import {
  AT_15,
  ann,
  annsClaim,
  asked,
  atEdge,
  change,
  changed,
  claim,
  claimed,
  created,
  event,
  expectVerdict,
  giveBack,
  granted,
  held,
  history,
  hold,
  read,
  refused,
  release,
  settings,
  type Row,
} from "./by-hand.fixture.ts";
import type { Operation } from "./history.ts";

const CLIENT = { seenFrom: "client" } as const;

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
    "a repeated revoke with another instant is rejected",
    "answered releasedAt 30, and 25 is right",
    history(1, [...revoked, asked(30, 40, release("ann"), { ...taken, releasedAt: 30 })], revokedEvents),
  ],
  [
    "a read without a claimant is rejected",
    "answered claimants [], and [ann] is right",
    history(1, [ann, asked(30, 31, read, { is: "found", seq: 2, claimants: [] })], [annsClaim]),
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

test.for([...CLAIMS, ...RETRIES, ...ORDER, ...UNKNOWN, ...RETURNS])("%s", ([, verdict, recorded]) => {
  expectVerdict(recorded, verdict);
});
