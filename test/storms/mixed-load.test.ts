// Creates, claims and looks, all at once and in no order.

import { describe, expect, test } from "vitest";

import { claim, countOutcomes, create, created, freshName, read, users, type Answer } from "../support/api.ts";
import { expectConserved } from "../support/conserved.ts";
import { printedSeed, seeded, type Random } from "../support/random.ts";

const DOCUMENTED = new Set(["200", "201", "400 out_of_stock", "404 coupon_not_found", "409 coupon_exists", "409 already_claimed"]);

/** 20 % create, 50 % claim, 30 % look. */
function operation(random: Random, names: readonly string[]): Promise<Answer> {
  const [dice, name] = [random.below(10), random.pick(names)];
  if (dice < 2) return create(name, 1 + random.below(10));
  return dice < 7 ? claim(name, `user-${random.below(60)}`) : read(name);
}

async function expectOrder(operationCount: number): Promise<void> {
  const random = seeded(printedSeed());
  const names = Array.from({ length: 8 }, () => freshName("mixed"));
  const answers = await Promise.all(Array.from({ length: operationCount }, () => operation(random, names)));

  expect(Object.keys(countOutcomes(answers)).filter((outcome) => !DOCUMENTED.has(outcome))).toEqual([]);
  const states = await Promise.all(names.map(read));
  const existing = names.filter((_, index) => states[index]?.status === 200);
  for (const name of existing) await expectConserved(name, answers);

  const granted = answers.flatMap(({ body }) => (typeof body["coupon_name"] === "string" ? [body["coupon_name"]] : []));
  expect(granted.filter((name) => !existing.includes(name))).toEqual([]);
}

describe("mixed load leaves every coupon conserved", () => {
  test.for([50, 500])("%i random operations", (operationCount) => expectOrder(operationCount));

  test("a create that races 29 claims: 404 before it, 201 after it, nothing lost between", async () => {
    const name = freshName("raced");
    const claims = users(29).map((user) => ({ user, send: () => claim(name, user) }));
    const [creation, ...answers] = await Promise.all([
      ...claims.slice(0, 10).map(({ send }) => send()),
      create(name, 100),
      ...claims.slice(10).map(({ send }) => send()),
    ]).then((all) => [all[10], ...all.slice(0, 10), ...all.slice(11)]);

    expect(creation?.status).toBe(201);
    const answered = answers.filter((answer) => answer !== undefined);
    const counts = countOutcomes(answered);
    expect((counts["201"] ?? 0) + (counts["404 coupon_not_found"] ?? 0)).toBe(29);
    await expectConserved(name, answered);

    const again = await Promise.all(claims.map(({ send }) => send()));
    expect(countOutcomes([...answered, ...again])["201"]).toBe(29);
    await expectConserved(name, [...answered, ...again]);
  });

  test("thirty creates of one name: one is first, and no later one resets it", async () => {
    const name = freshName("contested");
    const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => create(name, index + 1)));
    expect(countOutcomes(answers)).toEqual({ 201: 1, "409 coupon_exists": 29 });
    const first = answers.find(({ status }) => status === 201);
    expect((await read(name)).body["amount"]).toBe(first?.body["amount"]);
  });

  test("a hundred coupons at once don't disturb one another", async () => {
    const names = await Promise.all(Array.from({ length: 100 }, () => created(2)));
    const answers = await Promise.all(names.flatMap((name) => users(4).map((user) => claim(name, user))));
    expect(countOutcomes(answers)).toEqual({ 201: 200, "400 out_of_stock": 200 });
    for (const name of names) await expectConserved(name, answers);
  });
});
