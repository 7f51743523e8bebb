// The check of conservation is shown able to fail.

import { expect, test } from "vitest";

import { claim, created, hold, revoke } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { runSql } from "../../support/storage.ts";

test.for([
  "DELETE FROM claims WHERE user_id = 'ada'",
  "UPDATE claims SET position = 7 WHERE user_id = 'ada'",
  "UPDATE claims SET user_id = 'eve' WHERE user_id = 'ada'",
  "DELETE FROM holds",
  "DELETE FROM releases",
  // The ledger is append-only.
  "INSERT INTO ledger (seq, at, kind) VALUES (9, 1, 'changed')",
])("a coupon is not conserved after %s", async (damage) => {
  const name = await created(5);
  await claim(name, "bob");
  await claim(name, "ada");
  await revoke(name, "bob");
  await hold(name, "cid");
  await expectConserved(name);
  await runSql(name, damage);
  await expect(expectConserved(name)).rejects.toThrow("expected");
});

test("a coupon is not conserved without an acknowledged claim", async () => {
  const name = await created(5);
  const granted = await claim(name, "ada");
  await expectConserved(name, [granted]);
  const elsewhere = { ...granted, body: { ...granted.body, user_id: "eve" } };
  await expect(expectConserved(name, [granted, elsewhere])).rejects.toThrow("expected");
});
