// Creates, claims and reads of several coupons, at once and in random order.

import { expect, test } from "vitest";

import { claim, countOutcomes, create, created, freshName, read, users, type Answer } from "../support/api.ts";
import { expectConserved } from "../support/conserved.ts";
import { printedSeed, seeded, type Random } from "../support/random.ts";

const DOCUMENTED = new Set(["200", "201", "400 out_of_stock", "404 coupon_not_found", "409 coupon_exists", "409 already_claimed"]);

/** 20 % creates, 50 % claims, 30 % reads. */
function operation(random: Random, names: readonly string[]): Promise<Answer> {
  const [dice, name] = [random.below(10), random.pick(names)];
  if (dice < 2) return create(name, 1 + random.below(10));
  return dice < 7 ? claim(name, `user-${random.below(60)}`) : read(name);
}

test.for([50, 500])("%i random operations on eight coupons leave every coupon conserved", async (operationCount) => {
  const random = seeded(printedSeed());
  const names = Array.from({ length: 8 }, () => freshName("mixed"));
  const answers = await Promise.all(Array.from({ length: operationCount }, () => operation(random, names)));

  expect(Object.keys(countOutcomes(answers)).filter((outcome) => !DOCUMENTED.has(outcome))).toEqual([]);
  const states = await Promise.all(names.map(read));
  const existing = names.filter((_, index) => states[index]?.status === 200);
  for (const name of existing) await expectConserved(name, answers);

  const granted = answers.flatMap(({ body }) => (typeof body["coupon_name"] === "string" ? [body["coupon_name"]] : []));
  expect(granted.filter((name) => !existing.includes(name))).toEqual([]);
});

test("claims that race a create get 404 or 201, and after it all get 201", async () => {
  const name = freshName("raced");
  const send = (from: number, to: number) =>
    Promise.all(
      users(29)
        .slice(from, to)
        .map((user) => claim(name, user)),
    );
  const [early, creation, late] = await Promise.all([send(0, 10), create(name, 100), send(10, 29)]);
  expect(creation.status).toBe(201);
  const answers = [...early, ...late];
  const { 201: granted = 0, "404 coupon_not_found": missed = 0 } = countOutcomes(answers);
  expect(granted + missed).toBe(29);
  await expectConserved(name, answers);

  answers.push(...(await send(0, 29)));
  expect(countOutcomes(answers)["201"]).toBe(29);
  await expectConserved(name, answers);
});

test("thirty creates of one name at once: one succeeds, and its amount is kept", async () => {
  const name = freshName("contested");
  const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => create(name, index + 1)));
  expect(countOutcomes(answers)).toEqual({ 201: 1, "409 coupon_exists": 29 });
  const first = answers.find(({ status }) => status === 201);
  expect((await read(name)).body["amount"]).toBe(first?.body["amount"]);
});

test("a hundred coupons on sale at once each sell exactly their own units", async () => {
  const names = await Promise.all(Array.from({ length: 100 }, () => created(2)));
  const answers = await Promise.all(names.flatMap((name) => users(4).map((user) => claim(name, user))));
  expect(countOutcomes(answers)).toEqual({ 201: 200, "400 out_of_stock": 200 });
  for (const name of names) await expectConserved(name, answers);
});
