// Nothing is stored for a coupon that was never created: or else random names would fill the account.

import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { claim, countOutcomes, create, created, freshName, read, send, users } from "../../support/api.ts";
import { stubOf, tablesOf } from "../../support/storage.ts";

const AT_ONCE = 100;

type Kept = { readonly tables: readonly string[]; readonly keyCount: number; readonly alarmAt: number | null };
const NOTHING: Kept = { tables: [], keyCount: 0, alarmAt: null };

/** All that an object keeps, by whatever means. */
async function keptBy(id: DurableObjectId): Promise<Kept> {
  const tables = await tablesOf(id);
  const rest = await runInDurableObject(env.COUPONS.get(id), async (_object, { storage }) => ({
    keyCount: (await storage.list()).size,
    alarmAt: await storage.getAlarm(),
  }));
  return { tables, ...rest };
}

/** Maps in chunks, so that thousands of objects are not awake at once. */
async function inChunks<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
  }
  return results;
}

describe("1,000 names that nobody created", () => {
  test("can be claimed and looked at, and leave no table, no key and no alarm behind", async () => {
    const real = await created(1);
    const probes = Array.from({ length: 1000 }, () => freshName("probe"));
    const asked = await inChunks(probes, async (name) => [await claim(name, "user", { "idempotency-key": "key" }), await read(name)]);
    expect(countOutcomes(asked.flat())).toEqual({ "404 coupon_not_found": 2000 });

    const kept = await inChunks(probes, (name) => keptBy(env.COUPONS.idFromName(name)));
    expect(kept.filter(({ tables, keyCount, alarmAt }) => tables.length > 0 || keyCount > 0 || alarmAt !== null)).toEqual([]);

    // The same question put to every object that the platform knows finds the one coupon there is.
    const ids = await listDurableObjectIds(env.COUPONS);
    const withTables = await inChunks(ids, async (id) => ((await tablesOf(id)).length > 0 ? [String(id)] : []));
    expect(withTables.flat()).toEqual([String(env.COUPONS.idFromName(real))]);
  });

  test("can be created after that as if nobody had asked", async () => {
    const name = freshName();
    await Promise.all(users(20).map((user) => claim(name, user)));
    const { status, body, headers } = await create(name, 2);
    expect([status, body["remaining_amount"], headers.get("Coupon-Seq")]).toEqual([201, 2, "1"]);
    expect((await claim(name, "user-1")).body["position"]).toBe(1);
  });
});

describe("a create that is refused", () => {
  test.for([
    ["an amount of 0", 400, { amount: 0 }],
    ["an amount that is no integer", 400, { amount: 1.5 }],
    ["a window that ends before it starts", 400, { amount: 1, starts_at: "2030-01-01T00:00:00Z", ends_at: "2029-01-01T00:00:00Z" }],
    ["a body that is too large", 413, { amount: 1, junk: "x".repeat(1024 * 1024) }],
  ] as const)("stores nothing: %s", async ([, refusal, fault]) => {
    const name = freshName();
    const { status } = await send("POST", "/api/coupons", { body: { name, ...fault } });
    expect(status).toBe(refusal);
    expect(await keptBy(env.COUPONS.idFromName(name))).toEqual(NOTHING);
  });
});

describe("a coupon that was created", () => {
  test("keeps its tables, and nothing beside them but an alarm", async () => {
    const name = await created(1);
    await claim(name, "winner");
    const { tables, keyCount } = await keptBy(env.COUPONS.idFromName(name));
    expect(tables).toEqual(expect.arrayContaining(["coupon", "claims", "ledger"]));
    expect(keyCount).toBe(0);
  });

  test("grows by nothing through refusals and reads", async () => {
    const name = await created(1);
    await claim(name, "winner", { "idempotency-key": "key" });
    const size = () => runInDurableObject(stubOf(name), (_object, { storage }) => storage.sql.databaseSize);
    const before = await size();
    await inChunks(users(500), (user) => claim(name, user, { "idempotency-key": user }));
    await inChunks(users(500), () => claim(name, "winner"));
    await inChunks(users(100), () => read(name));
    expect(await size()).toBe(before);
  });
});
