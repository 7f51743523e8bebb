// What the checker of recorded histories takes and refuses: time, holds, certificates, releases, and names that are used again.

import { describe, test } from "vitest";

import type { Answer } from "../model/types.ts";
import type { Operation } from "./history.ts";
import {
  asked,
  claim,
  claimed,
  event,
  expectRight,
  expectWrong,
  granted,
  history,
  hold,
  read,
  refused,
  release,
  settings,
} from "./by-hand.fixture.ts";

describe("time", () => {
  const window = settings(1, { startsAt: 100, endsAt: 200 });
  const early: Answer = { is: "sale_not_started", seq: 1, startsAt: 100 };

  test("a sale begins and ends at its instants", () => {
    const ann = asked(95, 105, claim("ann"), granted(2, 1, 100, 0));
    const events = [claimed(2, 100, "ann", 1)];
    expectRight(
      history(window, [asked(95, 99, claim("bob"), early), ann, asked(195, 205, claim("bob"), refused("sale_ended", 2))], events),
    );
    const lost = asked(95, null, claim("ann"), null);
    expectWrong(history(window, [lost], [claimed(2, 99, "ann", 1)]), "is to be answered sale_not_started");
    expectRight(history(window, [lost], [claimed(2, 100, "ann", 1)]));
    expectWrong(
      history(window, [asked(190, 199, claim("bob"), refused("sale_ended", 1))], []),
      "answered sale_ended, and claimed is right",
    );
    expectWrong(history(window, [asked(100, 110, claim("bob"), early)], []), "answered sale_not_started, and claimed is right");
  });

  test("a paused sale", () => {
    const paused = [event(2, 5, "changed", null, { settings: settings(1, { paused: true }) })];
    const pause = asked(4, 6, { kind: "change", paused: true }, { is: "changed", seq: 2, paused: true, state: "paused" });
    expectRight(history(1, [pause, asked(10, 20, claim("ann"), refused("sale_paused", 2))], paused));
    expectWrong(
      history(1, [pause, asked(10, 20, claim("ann"), granted(3, 1, 15, 0))], [...paused, claimed(3, 15, "ann", 1)]),
      "sale_paused",
    );
  });

  test("a clock that was set back keeps a coupon at the latest instant that it saw", () => {
    const ended = settings(1, { endsAt: 200 });
    const operations = [asked(10, 20, read, { is: "found", seq: 1, state: "ended" }, { clockFrom: 205, clockUntil: 206 })];
    const refusedLater = asked(30, 40, claim("ann"), refused("sale_ended", 1), { clockFrom: 150, clockUntil: 160 });
    expectRight(history(ended, [...operations, refusedLater], [], { isClockSteady: false }));
    expectWrong(history(ended, [...operations, refusedLater], []), "answered sale_ended, and claimed is right");
  });
});

function refusedAt(startedAt: number): Operation {
  return asked(startedAt, startedAt + 2, claim("bob"), refused("out_of_stock", 2));
}

describe("holds", () => {
  const held = asked(10, 12, hold("ann", 50), { is: "held", seq: 2, heldAt: 11, expiresAt: 61, remaining: 0 });
  const events = [event(2, 11, "held", "ann", { expiresAt: 61 })];

  test("a held unit is nobody else's, and becomes the holder's claim", () => {
    const operations = [held, refusedAt(20), asked(30, 32, claim("ann"), granted(3, 1, 31, 0))];
    expectRight(history(1, operations, [...events, claimed(3, 31, "ann", 1)]));
  });

  test("an early expiry", () => {
    const expired = [...events, event(3, 60, "expired", "ann")];
    expectWrong(history(1, [held], expired), "event 3 expired ann: it ended 1 ms early");
    expectRight(history(1, [held], [...events, event(3, 61, "expired", "ann")]));
  });

  test("a late expiry", () => {
    expectRight(history(1, [held, refusedAt(59)], events));
    expectWrong(history(1, [held, refusedAt(61)], events), "there is no instant");
    const tooLate = [...events, event(3, 70, "changed", null, { settings: settings(2) }), event(4, 70, "expired", "ann")];
    const change = asked(69, 71, { kind: "change", amount: 2 }, { is: "changed", seq: 3 });
    expectWrong(history(1, [held, change], tooLate), "a hold was over and not given up");
  });

  test("a hold that is made longer by asking again", () => {
    const again = asked(20, 22, hold("ann", 50), { is: "held_already", seq: 2, heldAt: 11, expiresAt: 71 });
    expectWrong(history(1, [held, again], events), "answered expiresAt 71, and 61 is right");
  });

  test("holds that end in another order than their own", () => {
    const later = asked(13, 15, hold("bob", 50), { is: "held", seq: 3, heldAt: 14, expiresAt: 64, remaining: 0 });
    const first = asked(10, 12, hold("ann", 50), { is: "held", seq: 2, heldAt: 11, expiresAt: 61, remaining: 1 });
    const both = [...events, event(3, 14, "held", "bob", { expiresAt: 64 })];
    expectWrong(
      history(2, [first, later], [...both, event(4, 70, "expired", "bob"), event(5, 70, "expired", "ann")]),
      "another hold was over",
    );
    expectRight(history(2, [first, later], [...both, event(4, 70, "expired", "ann"), event(5, 70, "expired", "bob")]));
  });
});

describe("releases", () => {
  const ann = asked(10, 20, claim("ann", "k1"), granted(2, 1, 15, 0));
  const taken: Answer = { is: "released", seq: 3, position: 1, claimedAt: 15, releasedAt: 25, remaining: 1 };
  const events = [claimed(2, 15, "ann", 1, { key: "k1" }), event(3, 25, "released", "ann", { position: 1 })];
  const first = asked(22, 28, release("ann"), taken);

  test("the unit returns once, however often that is asked", () => {
    expectRight(history(1, [ann, first, asked(30, 40, release("ann"), taken), asked(32, 40, release("ann", 1), taken)], events));
  });

  test("the unit returns twice", () => {
    expectWrong(
      history(1, [ann, first, asked(30, 40, release("ann"), { ...taken, remaining: 2 })], events),
      "answered remaining 2, and 1 is right",
    );
    const twice = [...events, event(4, 35, "released", "ann", { position: 1 })];
    const again = asked(30, 40, release("ann"), { ...taken, seq: 4, releasedAt: 35 });
    expectWrong(history(1, [ann, first, again], twice), "event 4 released ann #1: what was asked for is to be answered released");
  });

  test("a late duplicate of the claim that was released", () => {
    const late = asked(30, 40, claim("ann", "k1"), { is: "claim_released", seq: 3, position: 1 });
    expectRight(history(1, [ann, first, late], events));
    expectWrong(history(1, [ann, first, { ...late, answer: { is: "replayed", seq: 3, position: 1 } }], events), "claim_released is right");
  });

  test("a release by position takes no later claim of the same user", () => {
    const again = [...events, claimed(4, 35, "ann", 2)];
    const operations = [ann, first, asked(30, 40, claim("ann"), granted(4, 2, 35, 0))];
    const guarded = asked(50, 60, release("ann", 1), { is: "position_mismatch", seq: 4, position: 2 });
    expectRight(history(1, [...operations, guarded], again));
    const taking = [...again, event(5, 55, "released", "ann", { position: 2 })];
    expectWrong(
      history(1, [...operations, { ...guarded, answer: { ...taken, seq: 5, position: 2, releasedAt: 55 } }], taking),
      "no request can have caused it",
    );
  });
});

describe("several incarnations of one name", () => {
  const ann = asked(10, 20, claim("ann"), granted(2, 1, 15, 0));
  const gone = asked(30, 40, { kind: "remove" }, { is: "removed", seq: 0 });
  const again = asked(50, 60, { kind: "create", amount: 1, startsAt: null, endsAt: null }, { is: "created", seq: 1, createdAt: 55 });
  const removed = event(0, 35, "removed");
  const events = [claimed(2, 15, "ann", 1), removed, event(1, 55, "created", null, { settings: settings(1) })];

  test("what was before is over", () => {
    const operations = [ann, gone, asked(42, 44, claim("bob"), refused("coupon_not_found", 0)), again];
    expectRight(history(1, [...operations, asked(70, 80, claim("bob"), granted(2, 1, 75, 0))], [...events, claimed(2, 75, "bob", 1)]));
  });

  test("what was before is remembered", () => {
    const answered = asked(70, 80, claim("ann"), { is: "already_claimed", seq: 2, position: 1 });
    expectWrong(history(1, [ann, gone, again, answered], events), "which the ledger never reached while it ran");
    const first = asked(70, 80, read, { is: "found", seq: 1, remaining: 0, claimants: ["ann"] });
    expectWrong(history(1, [ann, gone, again, first], events), "answered remaining 0, and 1 is right");
  });

  test("a coupon that is found after it was removed", () => {
    expectWrong(
      history(1, [ann, gone, asked(42, 44, read, { is: "found", seq: 2, remaining: 0 })], events.slice(0, 2)),
      "there is no instant",
    );
    expectWrong(
      history(1, [ann, asked(12, 14, read, refused("coupon_not_found", 0))], events.slice(0, 1)),
      "which the ledger never reached",
    );
  });

  test("a removal that nobody asked for", () => {
    expectWrong(history(1, [ann], events.slice(0, 2)), "event removed: no request can have caused it");
  });
});
