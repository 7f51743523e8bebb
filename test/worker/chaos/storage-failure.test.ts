// Storage fails: real SQLite errors, raised by triggers in the object's own tables.

import { expect, test } from "vitest";

import { claim, countOutcomes, created, read, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { runSql, stored } from "../../support/storage.ts";

const FAULTS = {
  "the claim's row": "BEFORE INSERT ON claims WHEN NEW.user_id LIKE 'user-%3'",
  "the ledger's row": "BEFORE INSERT ON ledger WHEN NEW.user_id LIKE 'user-%3'",
} as const;

test.for(["the claim's row", "the ledger's row"] as const)(
  "storage that refuses %s of some users fails those users alone",
  async (fault) => {
    const name = await created(60);
    await runSql(name, `CREATE TRIGGER broken ${FAULTS[fault]} BEGIN SELECT RAISE(ABORT, 'injected'); END`);
    const answers = await Promise.all(users(100).map((user) => claim(name, user)));

    // 10 of the 100 names end in 3.
    const refused = countOutcomes(answers);
    expect(refused["201"]).toBe(60);
    expect((refused["400 out_of_stock"] ?? 0) + (refused["503 unavailable"] ?? 0)).toBe(40);
    expect(answers.filter(({ status }) => status === 503).every(({ headers }) => headers.get("Retry-After") === "1")).toBe(true);
    expect(JSON.stringify(answers.map(({ body }) => body))).not.toContain("injected");
    await expectConserved(name, answers);
  },
);

test("storage that refuses the counters grants nothing until it is fixed", async () => {
  const name = await created(30);
  await claim(name, "before");
  await runSql(name, "CREATE TRIGGER broken BEFORE UPDATE ON coupon BEGIN SELECT RAISE(ABORT, 'injected'); END");
  const during = await Promise.all(users(50).map((user) => claim(name, user)));
  expect(countOutcomes(during)).toEqual({ "503 unavailable": 50 });
  expect((await stored(name)).claims).toHaveLength(1);

  await runSql(name, "DROP TRIGGER broken");
  const after = await Promise.all(users(50).map((user) => claim(name, user)));
  expect(countOutcomes(after)).toEqual({ 201: 29, "400 out_of_stock": 21 });
  expect((await read(name)).body["remaining_amount"]).toBe(0);
  await expectConserved(name, [...during, ...after]);
});

test("a claim gets 503 only while the counters are wrong", async () => {
  const name = await created(10);
  await claim(name, "first");
  await runSql(name, "UPDATE coupon SET claimed = claimed + 1, last_position = last_position + 1");
  expect((await claim(name, "second")).status).toBe(503);
  expect((await stored(name)).claims.map(({ user_id }) => user_id)).toEqual(["first"]);

  await runSql(name, "UPDATE coupon SET claimed = claimed - 1, last_position = last_position - 1");
  expect((await claim(name, "second")).body).toMatchObject({ position: 2, remaining_amount: 8 });
  await expectConserved(name);
});

test("a claim gets 503 while the ledger's head is wrong, and nothing is written", async () => {
  const name = await created(10);
  await claim(name, "first");
  await runSql(name, "UPDATE coupon SET seq = seq + 5");
  expect((await claim(name, "second")).status).toBe(503);
  expect((await claim(name, "third")).status).toBe(503);
  expect((await stored(name)).claims.map(({ user_id }) => user_id)).toEqual(["first"]);
});
