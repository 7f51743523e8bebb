// Holds in recorded histories: their limits, what a released hold means for its request, and the end of all holds at once.

import { describe, test } from "vitest";

import type { Answer, LedgerEvent } from "../model/types.ts";
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
  settings,
} from "./by-hand.fixture.ts";

const MINUTE_MS = 60_000;

/** A hold of one minute that `userId` asks for and gets `at` an instant, and its event. */
function holding(
  seq: number,
  at: number,
  userId: string,
  remaining: number,
): { readonly operation: Operation; readonly event: LedgerEvent } {
  const expiresAt = at + MINUTE_MS;
  const answer: Answer = { is: "held", seq, heldAt: at, expiresAt, remaining };
  return {
    operation: asked(at - 1, at + 1, hold(userId, MINUTE_MS), answer, { attempt: `hold ${userId}` }),
    event: event(seq, at, "held", userId, { expiresAt }),
  };
}

/** The request that made ann's hold, delivered once more. */
function duplicate(answer: Answer): Operation {
  return asked(20, 21, hold("ann", MINUTE_MS), answer, { attempt: "hold ann" });
}

function list(holders: readonly string[]): Operation {
  return asked(20, 21, { kind: "holds" }, { is: "listed", seq: 3, holders });
}

describe("limits of holds", () => {
  const ann = holding(2, 10, "ann", 2);

  test("a hold that is too long is refused with the longest", () => {
    const limited = settings(3, { holdSecondsMax: 59 });
    const tooLong: Answer = { is: "hold_too_long", seq: 1, ttlSecondsMax: 59 };
    expectRight(history(limited, [asked(10, 11, hold("bob", MINUTE_MS), tooLong)], []));
    expectWrong(
      history(limited, [asked(10, 11, hold("bob", MINUTE_MS), { ...tooLong, ttlSecondsMax: 60 })], []),
      "answered ttlSecondsMax 60, and 59 is right",
    );
    expectWrong(history(limited, [ann.operation], [ann.event]), "to be answered hold_too_long");
  });

  test("a hold beyond the limit is refused, also after the limit was lowered", () => {
    const limited = settings(3, { holdsMax: 1 });
    const second = asked(20, 21, hold("bob", MINUTE_MS), refused("hold_limit_reached", 2));
    expectRight(history(limited, [ann.operation, second], [ann.event]));
    expectWrong(history(3, [ann.operation, second], [ann.event]), "answered hold_limit_reached, and held is right");
    const lower = asked(15, 17, { kind: "change", holdsMax: 1 }, { is: "changed", seq: 3, holdsMax: 1 });
    const lowered = event(3, 16, "changed", null, { settings: limited });
    expectRight(history(3, [ann.operation, lower, { ...second, answer: refused("hold_limit_reached", 3) }], [ann.event, lowered]));
  });

  test("a closed sale comes before a released hold, and that before the limits", () => {
    const released = event(3, 15, "given_back", "ann");
    const back = asked(14, 16, { kind: "give_back", userId: "ann" }, { is: "given_back", seq: 3 });
    const events = [ann.event, released];
    expectRight(history(3, [ann.operation, back, duplicate(refused("hold_released", 3))], events));
    const shorter = event(4, 18, "changed", null, { settings: settings(3, { holdSecondsMax: 1 }) });
    const shorten = asked(17, 19, { kind: "change", holdSecondsMax: 1 }, { is: "changed", seq: 4 });
    expectRight(history(3, [ann.operation, back, shorten, duplicate(refused("hold_released", 4))], [...events, shorter]));
    const paused = event(4, 18, "changed", null, { settings: settings(3, { paused: true }) });
    const pause = asked(17, 19, { kind: "change", paused: true }, { is: "changed", seq: 4 });
    expectRight(history(3, [ann.operation, back, pause, duplicate(refused("sale_paused", 4))], [...events, paused]));
    expectWrong(
      history(3, [ann.operation, back, pause, duplicate(refused("hold_released", 4))], [...events, paused]),
      "sale_paused is right",
    );
  });

  test("after a release, the same request holds nothing and another request holds again", () => {
    const events = [ann.event, event(3, 15, "given_back", "ann"), event(4, 20, "held", "ann", { expiresAt: 20 + MINUTE_MS })];
    const back = asked(14, 16, { kind: "give_back", userId: "ann" }, { is: "given_back", seq: 3 });
    const again: Answer = { is: "held", seq: 4, heldAt: 20, expiresAt: 20 + MINUTE_MS, remaining: 2 };
    const by = (attempt: string) => asked(19, 21, hold("ann", MINUTE_MS), again, { attempt });
    expectRight(history(3, [ann.operation, back, by("another")], events));
    expectWrong(history(3, [ann.operation, back, by("hold ann")], events), "to be answered hold_released");
  });

  test("the holders are listed in the order of their ids", () => {
    const bob = holding(3, 12, "bob", 1);
    const both = [bob.operation, ann.operation];
    expectRight(history(3, [...both, list(["ann", "bob"])], [ann.event, bob.event]));
    expectWrong(history(3, [...both, list(["ann"])], [ann.event, bob.event]), "answered holders [ann], and [ann, bob] is right");
    expectRight(history(3, [...both, asked(20, 21, read, { is: "found", seq: 3, held: 2 })], [ann.event, bob.event]));
  });
});

describe("an end of all holds", () => {
  const held = [holding(2, 10, "ann", 2), holding(3, 12, "bob", 1)];
  const operations = held.map(({ operation }) => operation);
  const events = [...held.map((one) => one.event), event(4, 25, "given_back", "ann"), event(5, 25, "given_back", "bob")];
  const end = asked(20, 30, { kind: "end_holds" }, { is: "ended", seq: 5, count: 2, remaining: 3 });

  test("returns every unit with one event each", () => {
    expectRight(history(3, [...operations, end], events));
    expectRight(history(3, [...operations, { ...end, answer: null }], events));
    expectRight(history(3, [...operations, { ...end, answer: null }], events.slice(0, 2)));
  });

  test("that says another number, or leaves one, is rejected", () => {
    const answered = (count: number) => ({ ...end, answer: { is: "ended", seq: 5, count } as const });
    expectWrong(history(3, [...operations, answered(3)], events), "no request can have caused it");
    expectWrong(history(3, [...operations, answered(1)], events), "event 4 given_back ann: no request can have caused it");
    expectWrong(history(3, [...operations, { ...end, answer: null }], events.slice(0, 3)), "event 4 given_back ann");
  });

  test("is one instant: nothing is seen or done between its events", () => {
    const between = asked(20, 30, read, { is: "found", seq: 4, held: 1 }, { clockFrom: 25, clockUntil: 25 });
    expectWrong(history(3, [...operations, end, between], events), "some holds were ended, and others were not yet");
    const claims = [...events.slice(0, 3), claimed(5, 25, "cid", 1), event(6, 25, "given_back", "bob")];
    const cid = asked(20, 30, claim("cid"), granted(5, 1, 25, 1));
    expectWrong(history(3, [...operations, cid, { ...end, answer: null }], claims), "no request can have caused it");
  });

  test("that began after another user was answered about it is rejected", () => {
    const steady = { clockFrom: 25, clockUntil: 25 };
    const seen = asked(26, 27, read, { is: "found", seq: 5, held: 0 }, steady);
    expectRight(history(3, [...operations, { ...end, ...steady }, seen], events));
    expectWrong(history(3, [...operations, { ...end, ...steady, startedAt: 28 }, seen], events), "the other way round");
  });

  test("finds nothing where no hold runs, or where users released them all", () => {
    expectRight(
      history(3, [asked(5, 6, { kind: "end_holds" }, { is: "ended", seq: 1, count: 0, remaining: 3 }), ...operations], events.slice(0, 2)),
    );
    const backs = ["ann", "bob"].map((userId, index) => asked(20, 30, { kind: "give_back", userId }, { is: "given_back", seq: 4 + index }));
    const found = asked(20, 30, { kind: "end_holds" }, { is: "ended", seq: 5, count: 0, remaining: 3 });
    expectRight(history(3, [...operations, ...backs, found], events));
    expectWrong(history(3, [...operations, found], events), "event 4 given_back ann: no request can have caused it");
  });
});
