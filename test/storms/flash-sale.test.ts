// Many users, few units: exactly the stock goes out.

import { describe, expect, test } from "vitest";

import { claim, countOutcomes, created, read, users } from "../support/api.ts";
import { expectConserved } from "../support/conserved.ts";

async function expectExactSale(userCount: number, stock: number): Promise<void> {
  const name = await created(stock);
  const answers = await Promise.all(users(userCount).map((user) => claim(name, user)));

  expect(countOutcomes(answers)).toEqual({ 201: stock, "400 out_of_stock": userCount - stock });
  const winners = answers.filter(({ status }) => status === 201).map(({ body }) => body["user_id"]);
  expect(new Set(winners).size).toBe(stock);
  expect((await read(name)).body).toMatchObject({ remaining_amount: 0, state: "sold_out" });
  await expectConserved(name, answers);
}

describe("a flash sale gives out exactly its stock", () => {
  test.for(Array.from({ length: 10 }, (_, index) => index + 1))("50 users, stock 5, run %i of 10", () => expectExactSale(50, 5));

  test.for([
    [100, 10],
    [200, 20],
    [500, 50],
    [1000, 100],
  ] as const)("%i users, stock %i", ([userCount, stock]) => expectExactSale(userCount, stock));

  test("a stampede of 100 users on the last unit has one winner", () => expectExactSale(100, 1));

  test("more stock than users leaves the rest", async () => {
    const name = await created(100);
    const answers = await Promise.all(users(60).map((user) => claim(name, user)));
    expect(countOutcomes(answers)).toEqual({ 201: 60 });
    expect((await read(name)).body).toMatchObject({ remaining_amount: 40, state: "open" });
    await expectConserved(name, answers);
  });
});
