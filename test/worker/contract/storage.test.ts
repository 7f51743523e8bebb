// A coupon that was never created stores nothing. Otherwise random names would fill the account.

import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { putVersion1 } from "../../rules/version-1.ts";
import { claim, countOutcomes, create, created, freshName, pathOf, read, send, users } from "../../support/api.ts";
import { NOTHING, storedBy, stubOf, tablesOf } from "../../support/storage.ts";

const AT_ONCE = 100;

/** Maps in chunks, so that thousands of objects are not awake at once. */
async function inChunks<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
  }
  return results;
}

test("claims and reads of 1,000 missing coupons leave no table, key or alarm", async () => {
  const real = await created(1);
  const probes = Array.from({ length: 1000 }, () => freshName("probe"));
  const asked = await inChunks(probes, async (name) => [await claim(name, "user", { "Idempotency-Key": "key" }), await read(name)]);
  expect(countOutcomes(asked.flat())).toEqual({ "404 coupon_not_found": 2000 });
  expect(new Set((await inChunks(probes, storedBy)).map((all) => JSON.stringify(all)))).toEqual(new Set([JSON.stringify(NOTHING)]));

  // Of all objects that the platform knows, only the coupon's has tables.
  const ids = await listDurableObjectIds(env.COUPONS);
  const withTables = await inChunks(ids, async (id) => ((await tablesOf(id)).length > 0 ? [String(id)] : []));
  expect(withTables.flat()).toEqual([String(env.COUPONS.idFromName(real))]);
});

test("a coupon that is created after 20 claims for it begins at position 1", async () => {
  const name = freshName();
  await Promise.all(users(20).map((user) => claim(name, user)));
  const { status, body, headers } = await create(name, 2);
  expect([status, body["remaining_amount"], headers.get("Coupon-Seq")]).toEqual([201, 2, "1"]);
  expect((await claim(name, "user-1")).body["position"]).toBe(1);
});

test.for([
  ["an amount of 0", 400, { amount: 0 }],
  ["a window that ends before it starts", 400, { amount: 1, starts_at: "2030-01-01T00:00:00Z", ends_at: "2029-01-01T00:00:00Z" }],
  ["a body that is too large", 413, { amount: 1, junk: "x".repeat(1024 * 1024) }],
] as const)("a create with %s gets %i and stores nothing", async ([, refusal, fault]) => {
  const name = freshName();
  const { status } = await send("POST", "/api/coupons", { body: { name, ...fault } });
  expect(status).toBe(refusal);
  expect(await storedBy(name)).toEqual(NOTHING);
});

test("a coupon stores tables and no keys", async () => {
  const name = await created(1);
  await claim(name, "winner");
  const { tables, keyCount } = await storedBy(name);
  expect(tables).toEqual(expect.arrayContaining(["coupon", "claims", "ledger"]));
  expect(keyCount).toBe(0);
});

test("1,000 refused claims and 100 reads do not grow a coupon's database", async () => {
  const name = await created(1);
  await claim(name, "winner", { "Idempotency-Key": "key" });
  const size = () => runInDurableObject(stubOf(name), (_object, { storage }) => storage.sql.databaseSize);
  const before = await size();
  await inChunks(users(500), (user) => claim(name, user, { "Idempotency-Key": user }));
  await inChunks(users(500), () => claim(name, "winner"));
  await inChunks(users(100), () => read(name));
  expect(await size()).toBe(before);
});

test("a coupon of version 1 is migrated on the platform and keeps its history", async () => {
  const name = freshName();
  await runInDurableObject(stubOf(name), (_object, { storage }) => putVersion1(storage.sql, name));
  expect((await claim(name, "eve")).body).toMatchObject({ position: 3 });
  const { events } = (await send("GET", pathOf(name, "history"))).body as { events: { kind: string; actor: null }[] };
  expect(events.map(({ kind }) => kind).join(" ")).toBe("created claimed claimed released held held given_back changed expired claimed");
  expect(events.every(({ actor }) => actor === null)).toBe(true);
});
