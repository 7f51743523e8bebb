// Many users and few units: a sale gives out exactly its stock.

import { expect, test } from "vitest";

import { claim, countOutcomes, created, read, users } from "../support/api.ts";
import { expectConserved } from "../support/conserved.ts";

test.for([
  [50, 5, 10],
  [100, 1, 1],
  [200, 20, 1],
  [1000, 100, 1],
] as const)("%i users at once get exactly a stock of %i (rounds: %i)", async ([userCount, stock, times]) => {
  for (let time = 0; time < times; time += 1) {
    const name = await created(stock);
    const answers = await Promise.all(users(userCount).map((user) => claim(name, user)));

    expect(countOutcomes(answers)).toEqual({ 201: stock, "400 out_of_stock": userCount - stock });
    const winners = answers.filter(({ status }) => status === 201).map(({ body }) => body["user_id"]);
    expect(new Set(winners).size).toBe(stock);
    expect((await read(name)).body).toMatchObject({ remaining_amount: 0, state: "sold_out" });
    await expectConserved(name, answers);
  }
});
