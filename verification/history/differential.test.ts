// Two checkers judge random histories: they agree, and each of them finds what is wrong.

import { expect, test } from "vitest";

import { seeded } from "../random.ts";
import { isExplainable } from "./brute-force.ts";
import { corrupted } from "./corruption.ts";
import { differential, SCALE } from "./differential.ts";
import type { History } from "./history.ts";
import { violationIn } from "./linearizable.ts";
import { randomHistory } from "./random-history.ts";

function withoutEnd(history: History): History {
  return { ...history, events: history.events.slice(0, -3) };
}

test("two checkers judge 20,000 random histories alike, right ones and wrong ones", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { dispute, rightCount, wrongCount } = await differential(20_000, seed);
  expect(dispute === null ? null : `seed ${seed}: ${dispute}`).toBeNull();
  expect(rightCount).toBeGreaterThan(5_000);
  expect(wrongCount).toBeGreaterThan(5_000);
});

test("long histories of a correct coupon are right, and wrong once their ledger loses its end", () => {
  const random = seeded(1);
  const made = Array.from({ length: 2_000 }, () =>
    randomHistory(random, { operationCount: 40, clientCount: 6, userCount: 5, amountMax: 4 }),
  );
  expect(made.map(violationIn).filter((violation) => violation !== null)).toEqual([]);
  expect(made.map(withoutEnd).filter((history) => violationIn(history) === null).length).toBeLessThan(200);
  const edgeCount = made.flatMap(({ operations }) => operations.filter(({ answer }) => answer?.servedByEdge === true)).length;
  expect(edgeCount).toBeGreaterThan(1_000);
});

test("the second checker rejects corrupted histories by itself", () => {
  const random = seeded(2);
  const made = Array.from({ length: 500 }, () => randomHistory(random, SCALE));
  expect(made.every(isExplainable)).toBe(true);
  expect(made.map((history) => corrupted(random, history)).filter(isExplainable).length).toBeLessThan(400);
});
