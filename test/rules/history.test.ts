// A page of history has the events before it, whether its batch has stored them or not.

import { expect, test } from "vitest";

import { isExclusive, type Kind } from "../../src/engine/message.ts";
import { asks, holdOf, opened, T0 } from "./coupon.ts";

test("a page of history that shares a batch has the events of the messages before it", () => {
  const { engine } = opened(5);
  engine.hold(holdOf("ann", 10), T0);
  const page = { kind: "history", after: 1, limit: 5 } as const;
  const [, , , , inBatch] = engine.batch<Kind>(
    [
      { kind: "claim", request: asks("bob") },
      { kind: "hold", request: holdOf("cid", 10_000) },
      { kind: "change", change: { amount: 9, endsAt: T0 + 100 }, precondition: null, actor: "alice" },
      { kind: "revoke", request: { userId: "bob", position: null }, actor: "dora" },
      page,
      { kind: "claim", request: asks("eve") },
    ],
    T0 + 10,
  );
  expect(inBatch).toMatchObject({ ok: true, seq: 7, next: 6 });
  expect(inBatch).toHaveProperty("events.length", 5);
  expect(inBatch).toEqual({ ...engine.one(page, T0 + 11), seq: 7 });
  expect([page, { ...page, limit: 101 }].map(isExclusive)).toEqual([false, true]);
});
