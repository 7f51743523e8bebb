// What the checker of recorded histories takes and refuses: claims, replays, reads, and outcomes that nobody heard of.

import { describe, expect, test } from "vitest";

import type { Answer, Call, LedgerEvent } from "../model/types.ts";
import type { Operation } from "./history.ts";
import { violationIn } from "./linearizable.ts";
import { historyText } from "./history-text.ts";
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
  settings,
} from "./by-hand.fixture.ts";

describe("claims", () => {
  const ann = asked(10, 20, claim("ann", "k1"), granted(2, 1, 15, 1));
  const bob = asked(12, 22, claim("bob"), granted(3, 2, 16, 0));
  const events = [claimed(2, 15, "ann", 1), claimed(3, 16, "bob", 2)];

  test("two units to two users, and a third who is too late", () => {
    expectRight(history(2, [ann, bob, asked(30, 31, claim("cid"), refused("out_of_stock", 3))], events));
  });

  test("an oversell", () => {
    const last = { ...ann, answer: granted(2, 1, 15, 0) };
    expectWrong(history(1, [last, bob], events), "event 3 claimed bob #2: what was asked for is to be answered out_of_stock");
  });

  test("an oversell that the ledger hides", () => {
    const alone = asked(10, 20, claim("ann"), granted(2, 1, 15, 0));
    expectWrong(history(1, [alone, asked(30, 40, claim("bob"), granted(2, 1, 15, 0))], [claimed(2, 15, "ann", 1)]), "answered claimed");
  });

  test("a lost acknowledgement: the ledger ends before what somebody was answered", () => {
    expectWrong(history(2, [ann, bob], events.slice(0, 1)), "answered at seq 3, which the ledger never reached");
  });

  test("a lost acknowledgement, with another's claim in its place", () => {
    const other = [claimed(2, 15, "cid", 1)];
    expectWrong(history(2, [ann, asked(10, null, claim("cid"), null)], other), "answered claimed, and the ledger has no such event of it");
  });

  test("a double grant", () => {
    const again = asked(30, 40, claim("ann"), granted(3, 2, 35, 0));
    expectWrong(history(2, [ann, again], [claimed(2, 15, "ann", 1), claimed(3, 35, "ann", 2)]), "to be answered already_claimed");
  });

  test("a reordered ledger: who began after another's answer stands before it", () => {
    const late = asked(30, 40, claim("bob"), granted(2, 1, 35, 1));
    const early = asked(10, 20, claim("ann"), granted(3, 2, 15, 0));
    expectWrong(history(2, [late, early], [claimed(2, 35, "bob", 1), claimed(3, 15, "ann", 2)]), "no request can have caused it");
    // The same at instants that nobody could log apart.
    const sameTime = { clockFrom: 15, clockUntil: 15 };
    const swapped = [
      { ...late, ...sameTime, answer: granted(2, 1, 15, 1) },
      { ...early, ...sameTime },
    ];
    expectWrong(history(2, swapped, [claimed(2, 15, "bob", 1), claimed(3, 15, "ann", 2)]), "no request can have caused it");
    const inTurn = [swapped[0], { ...early, ...sameTime, startedAt: 35, endedAt: 45 }] as Operation[];
    expectRight(history(2, inTurn, [claimed(2, 15, "bob", 1), claimed(3, 15, "ann", 2)]));
  });

  test("a refused winner", () => {
    const winner = asked(10, 20, claim("ann", "k1"), granted(2, 1, 15, 0));
    const again = asked(30, 40, claim("ann"), refused("out_of_stock", 2));
    expectWrong(history(1, [winner, again], [claimed(2, 15, "ann", 1)]), "answered out_of_stock, and already_claimed is right");
  });

  test("a position that was given before", () => {
    const second = asked(12, 22, claim("bob"), granted(3, 1, 16, 0));
    expectWrong(history(2, [ann, second], [claimed(2, 15, "ann", 1), claimed(3, 16, "bob", 1)]), "event 3 claimed bob #1");
  });

  test("a claim that nobody asked for", () => {
    expectWrong(history(2, [ann], events), "event 3 claimed bob #2: no request can have caused it");
  });

  test("a claim refused while there are units", () => {
    expectWrong(history(2, [asked(10, 20, claim("ann"), refused("out_of_stock", 1))], []), "answered out_of_stock, and claimed is right");
  });

  test("a gap in the ledger", () => {
    expectWrong(history(2, [ann], [{ ...claimed(3, 15, "ann", 1) }]), "not dense");
  });

  test("more left than there is", () => {
    const generous = asked(10, 20, claim("ann"), granted(2, 1, 15, 2));
    expectWrong(history(2, [generous], [claimed(2, 15, "ann", 1)]), "answered remaining 2, and 1 is right");
  });
});

function asksAgain(answer: Answer, key = "k1"): Operation {
  return asked(30, 40, claim("ann", key), answer);
}

describe("replays", () => {
  const ann = asked(10, 20, claim("ann", "k1"), granted(2, 1, 15, 0), { attempt: "a" });
  const events = [claimed(2, 15, "ann", 1, { key: "k1", attempt: "a" })];
  const replay: Answer = { is: "replayed", seq: 2, position: 1, claimedAt: 15, remaining: 0 };

  test("the same key gets the same receipt", () => {
    expectRight(history(1, [ann, asksAgain(replay)], events));
  });

  test("a wrong replay: another position, another instant, another rest", () => {
    expectWrong(history(1, [ann, asksAgain({ ...replay, position: 2 })], events), "answered position 2, and 1 is right");
    expectWrong(history(1, [ann, asksAgain({ ...replay, claimedAt: 35 })], events), "answered claimedAt 35, and 15 is right");
    expectWrong(history(1, [ann, asksAgain({ ...replay, remaining: 1 })], events), "answered remaining 1, and 0 is right");
  });

  test("a replay for another key, and none for the same", () => {
    expectWrong(history(1, [ann, asksAgain(replay, "k2")], events), "answered replayed, and already_claimed is right");
    expectWrong(history(1, [ann, asksAgain(refused("already_claimed", 2))], events), "answered already_claimed, and replayed is right");
  });

  test("a key of another user's claim", () => {
    expectRight(history(1, [ann, asked(30, 40, claim("bob", "k1"), refused("idempotency_key_reused", 2))], events));
    expectWrong(
      history(1, [ann, asked(30, 40, claim("bob", "k1"), refused("out_of_stock", 2))], events),
      "idempotency_key_reused is right",
    );
  });

  test("a claim stored under another key than it was sent with", () => {
    expectWrong(history(1, [ann], [claimed(2, 15, "ann", 1, { key: "k2", attempt: "a" })]), "no request can have caused it");
  });

  test("the Worker's own retry is no replay to its client, and is one where the object is asked", () => {
    const late = { ...ann, endedAt: 50, clockUntil: 50, answer: granted(3, 1, 15, 1) };
    const changed = event(3, 30, "changed", null, { settings: settings(3) });
    const change = asked(25, 35, { kind: "change", amount: 3 }, { is: "changed", seq: 3, amount: 3 });
    expectRight(history(2, [late, change], [...events, changed], { seenFrom: "client" }));
    expectWrong(history(2, [late, change], [...events, changed]), "no request can have caused it");
    const twice: Operation = { ...late, answer: { ...granted(3, 1, 15, 1), is: "replayed" } };
    expectWrong(history(2, [twice, change], [...events, changed], { seenFrom: "client" }), "answered replayed, and claimed is right");
  });
});

describe("reads", () => {
  const ann = asked(10, 20, claim("ann"), granted(2, 1, 15, 1));
  const events = [claimed(2, 15, "ann", 1)];

  test("a read beside a claim may see it or not", () => {
    expectRight(history(2, [ann, asked(12, 30, read, { is: "found", seq: 1, remaining: 2, claimants: [] })], events));
    expectRight(history(2, [ann, asked(12, 30, read, { is: "found", seq: 2, remaining: 1, claimants: ["ann"] })], events));
  });

  test("a stale read", () => {
    const stale = asked(30, 40, read, { is: "found", seq: 1, remaining: 2 }, { clockFrom: 15, clockUntil: 15 });
    expectWrong(history(2, [{ ...ann, clockFrom: 15, clockUntil: 15 }, stale], events), "the other way round");
    // With clocks that log them apart it is no longer a question of order.
    expectWrong(history(2, [ann, asked(30, 40, read, { is: "found", seq: 1, remaining: 2 })], events), "there is no instant");
  });

  test("two reads that see time go back", () => {
    const first = asked(30, 31, read, { is: "found", seq: 2 });
    const second = asked(40, 41, read, { is: "found", seq: 1 });
    const steady = { clockFrom: 15, clockUntil: 15 };
    expectWrong(
      history(
        2,
        [
          { ...ann, answer: null },
          { ...first, ...steady },
          { ...second, ...steady },
        ],
        events,
      ),
      "the other way round",
    );
  });

  test("a claimant who is missing, or stands elsewhere", () => {
    const both = [...events, claimed(3, 25, "bob", 2)];
    const operations = [ann, asked(20, 30, claim("bob"), granted(3, 2, 25, 0))];
    expectRight(history(2, [...operations, asked(40, 41, read, { is: "found", seq: 3, claimants: ["ann", "bob"] })], both));
    const wrong = asked(40, 41, read, { is: "found", seq: 3, claimants: ["bob", "ann"] });
    expectWrong(history(2, [...operations, wrong], both), "answered claimants [bob, ann], and [ann, bob] is right");
  });

  test("one's own claim", () => {
    const own: Call = { kind: "own", userId: "ann" };
    expectRight(history(2, [ann, asked(30, 31, own, { is: "has_claim", seq: 2, position: 1, claimedAt: 15 })], events));
    expectWrong(history(2, [ann, asked(30, 31, own, refused("claim_not_found", 2))], events), "has_claim is right");
  });
});

function amountIs(seq: number, at: number, amount: number): LedgerEvent {
  return event(seq, at, "changed", null, { settings: settings(amount) });
}

function heldByAnn(seq: number, at: number): LedgerEvent {
  return event(seq, at, "held", "ann", { expiresAt: at + 1000 });
}

function answeredHold(is: Answer["is"], attempt: string): Operation {
  return asked(30, 32, hold("ann", 100), { is, seq: 2, heldAt: 15, expiresAt: 115, remaining: 1 }, { attempt });
}

describe("unknown outcomes", () => {
  const lost = asked(10, null, claim("ann", "k1"), null);
  const retry = asked(30, 40, claim("ann", "k1"), { is: "replayed", seq: 2, position: 1, claimedAt: 15, remaining: 0 });

  test("it happened, and a retry was answered so", () => {
    expectRight(history(1, [lost, retry], [claimed(2, 15, "ann", 1, { key: "k1" })]));
  });

  test("it did not happen, or happens after all that was heard", () => {
    expectRight(history(1, [lost], []));
    expectRight(history(1, [lost, asked(30, 40, read, { is: "found", seq: 1, remaining: 1 })], [claimed(2, 99, "ann", 1)]));
  });

  test("it happened before it was sent", () => {
    expectWrong(history(1, [{ ...lost, clockFrom: 16 }], [claimed(2, 15, "ann", 1)]), "no request can have caused it");
  });

  test("a request that happened twice", () => {
    const events = [event(2, 15, "changed", null, { settings: settings(3) }), event(3, 20, "changed", null, { settings: settings(2) })];
    const up = asked(10, null, { kind: "change", amount: 3 }, null);
    const down = asked(10, null, { kind: "change", amount: 2 }, null);
    expectRight(history(2, [up, down], events));
    const upAgain = event(4, 25, "changed", null, { settings: settings(3) });
    expectWrong(history(2, [up, down], [...events, upAgain]), "no request can have caused it");
    expectRight(history(2, [up, down, up], [...events, upAgain]));
  });

  test("what was called unavailable happened all the same", () => {
    expectWrong(
      history(1, [{ ...lost, endedAt: 20, answer: refused("unavailable", 1) }], [claimed(2, 15, "ann", 1)]),
      "no request can have caused it",
    );
  });

  test("the Worker may deliver a change twice before it is answered, and a give-back once", () => {
    const twice = asked(10, 40, { kind: "change", amount: 3 }, { is: "changed", seq: 4, amount: 3 });
    const between = asked(20, 25, { kind: "change", amount: 2 }, { is: "changed", seq: 3, amount: 2 });
    const events = [amountIs(2, 15, 3), amountIs(3, 22, 2), amountIs(4, 35, 3)];
    expectRight(history(2, [twice, between], events, { seenFrom: "client" }));
    expectWrong(history(2, [twice, between], events), "event 2 changed: no request can have caused it");
    // Not before it was sent, nor after its answer.
    expectWrong(history(2, [{ ...twice, clockFrom: 16 }, between], events, { seenFrom: "client" }), "event 2 changed");
    const last = [...events, amountIs(5, 50, 2), amountIs(6, 60, 3)];
    const back = asked(45, 55, { kind: "change", amount: 2 }, { is: "changed", seq: 5, amount: 2 });
    expectWrong(history(2, [twice, between, back], last, { seenFrom: "client" }), "event 6 changed: no request can have caused it");

    const holds = [asked(10, 12, hold("ann", 1000), null), asked(10, 12, hold("ann", 1000), null)];
    const given = asked(10, 40, { kind: "give_back", userId: "ann" }, { is: "given_back", seq: 5 });
    const backTwice = [heldByAnn(2, 12), event(3, 15, "given_back", "ann"), heldByAnn(4, 20), event(5, 30, "given_back", "ann")];
    expectWrong(history(2, [...holds, given], backTwice, { seenFrom: "client" }), "event 3 given_back ann: no request can have caused it");
  });

  test("of two requests that can have caused an event, one must have begun in time", () => {
    const events = [claimed(2, 15, "ann", 1)];
    const seen = asked(20, 30, read, { is: "found", seq: 2 }, { clockFrom: 15, clockUntil: 15 });
    const late = { ...lost, startedAt: 31, clockFrom: 15 };
    expectWrong(history(1, [late, seen], events), "no request can have caused it");
    expectRight(history(1, [late, lost, seen], events));
  });

  test("of two requests that can have made a hold, it was the one that was answered so", () => {
    const [first, second] = ["a1", "a2"].map((attempt) => asked(10, null, hold("ann", 100), null, { attempt }));
    const events = [event(2, 15, "held", "ann", { expiresAt: 115 })];
    for (const sent of [
      [first, second],
      [second, first],
    ] as Operation[][]) {
      for (const attempt of ["a1", "a2"]) {
        expectRight(history(2, [...sent, answeredHold("held", attempt)], events));
        expectRight(history(2, [...sent, answeredHold("held_already", attempt)], events));
      }
      expectWrong(history(2, [...sent, answeredHold("held", "a3")], events), "event 2 held ann: no request can have caused it");
      const both = [answeredHold("held", "a1"), answeredHold("held", "a2")];
      expectWrong(history(2, [...sent, ...both], events), "it was answered held, and held_already is right");
    }
    const own = answeredHold("held_already", "a1");
    expectWrong(history(2, [first as Operation, own], events), "event 2 held ann: no request can have caused it");
  });

  test("of two requests that can have made a hold, it was the one with a name where a name was answered so", () => {
    const named = asked(10, null, hold("ann", 100), null, { attempt: "a1" });
    const events = [event(2, 15, "held", "ann", { expiresAt: 115 })];
    expectRight(history(2, [{ ...named, attempt: null }, named, answeredHold("held", "a1")], events));
    expectRight(history(2, [named, { ...named, attempt: null }, answeredHold("held", "a1")], events));
  });

  test("of two incarnations of a coupon, it is answered of the one with a hold like that", () => {
    const sent = ["a1", "a2"].map((attempt) => asked(10, null, hold("ann", 100), null, { attempt }));
    const again = asked(60, 62, { kind: "create", amount: 2, startsAt: null, endsAt: null }, { is: "created", seq: 1, createdAt: 60 });
    const removed = asked(50, 52, { kind: "remove" }, { is: "removed", seq: 0 });
    const events = [
      event(2, 15, "held", "ann", { expiresAt: 115 }),
      event(0, 50, "removed"),
      event(1, 60, "created", null, { settings: settings(2) }),
    ];
    for (const answered of [answeredHold("held_already", "a1"), answeredHold("held", "a2")]) {
      expectRight(history(2, [...sent, answered, removed, again], events));
    }
  });
});

test("a violation is answered with the ledger and every operation, those that it is about marked", () => {
  const recorded = history(
    1,
    [asked(10, 20, claim("ann"), granted(2, 1, 15, 0)), asked(30, 40, claim("bob", "k1"), refused("sale_paused", 2))],
    [claimed(2, 15, "ann", 1)],
  );
  const answered = historyText(recorded, violationIn(recorded));
  expect(answered).toContain("violation: at seq 2: it was answered sale_paused, and out_of_stock is right");
  expect(answered).toContain("  2      15 ms claimed ann #1");
  expect(answered).toContain("→            30…40 somebody: claim userId=bob key=k1 → sale_paused seq 2");
  expect(answered.match(/^→/gm)).toHaveLength(1);
});
