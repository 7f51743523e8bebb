// The checker of recorded histories is checked against a second one that tries every order.

import { expect, test } from "vitest";

import { differential } from "./differential.ts";
import type { History } from "./history.ts";
import { isExplainable } from "./brute-force.ts";
import { corrupted } from "./corruption.ts";
import { violationIn } from "./linearizable.ts";
import { randomHistory } from "./random-history.ts";
import { seeded } from "../random.ts";

function withoutEnd(history: History): History {
  return { ...history, events: history.events.slice(0, -3) };
}

const SCALE = { operationCount: 7, clientCount: 3, userCount: 3, amountMax: 2 };

test("both judge 20,000 random small histories alike, right ones and wrong ones", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  const { dispute, rightCount, wrongCount } = await differential(20_000, seed);
  expect(dispute).toBeNull();
  expect(rightCount).toBeGreaterThan(5_000);
  expect(wrongCount).toBeGreaterThan(5_000);
});

test("a correct coupon's longer histories are right, and a ledger that lost its end is wrong where somebody saw it", () => {
  const random = seeded(1);
  const made = Array.from({ length: 2_000 }, () =>
    randomHistory(random, { operationCount: 40, clientCount: 6, userCount: 5, amountMax: 4 }),
  );
  expect(made.map(violationIn).filter((violation) => violation !== null)).toEqual([]);
  expect(made.map(withoutEnd).filter((history) => violationIn(history) === null).length).toBeLessThan(200);
});

test("the second checker refuses by itself, too", () => {
  const random = seeded(2);
  const made = Array.from({ length: 500 }, () => randomHistory(random, SCALE));
  expect(made.every(isExplainable)).toBe(true);
  expect(made.map((history) => corrupted(random, history)).filter(isExplainable).length).toBeLessThan(400);
});
