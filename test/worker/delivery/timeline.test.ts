// The timeline of a sale over a real D1 database: each claim and revoke counts once, in a bounded number of rows.

import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { STATEMENTS } from "../../../src/read-model/queries.ts";
import { claim, create, created, freshName, outcomeOf, pathOf, remove, revoke, send, users } from "../../support/api.ts";
import { iso, passClock, SECOND, setClock, T0 } from "../../support/clock.ts";
import { deliver } from "./deliver.ts";

type Bucket = { readonly at: string; readonly granted: number; readonly revoked: number };
const DAY = 86_400 * SECOND;

async function timelineOf(name: string, query = ""): Promise<{ buckets: Bucket[]; seconds: unknown; asOf: unknown }> {
  const { status, body } = await send("GET", `${pathOf(name, "timeline")}${query}`);
  expect([status, body["coupon_name"]]).toEqual([200, name]);
  return { buckets: body["buckets"] as Bucket[], seconds: body["bucket_seconds"], asOf: body["as_of"] };
}

test("a timeline counts claims and revokes by their time, and later revokes in its last bucket", async () => {
  setClock(T0);
  const name = await created(9);
  await deliver(name);
  expect(await timelineOf(name)).toEqual({ buckets: [], seconds: 1, asOf: iso(T0) });
  for (const user of ["ada", "bob"]) await claim(name, user);
  passClock(SECOND - 1);
  await claim(name, "cid");
  passClock(1);
  await revoke(name, "ada");
  passClock(1.5 * SECOND);
  await claim(name, "dan");
  passClock(DAY);
  await revoke(name, "bob");
  await deliver(name);
  const buckets = [
    { at: iso(T0), granted: 3, revoked: 0 },
    { at: iso(T0 + SECOND), granted: 0, revoked: 1 },
    { at: iso(T0 + 2 * SECOND), granted: 1, revoked: 1 },
  ];
  expect(await timelineOf(name)).toEqual({ buckets, seconds: 1, asOf: iso(Date.now()) });
  expect(await timelineOf(name, "?points=1")).toMatchObject({ buckets: [{ at: iso(T0), granted: 4, revoked: 2 }], seconds: 3 });
});

test("a timeline begins again with a coupon that is created again, and ends with it", async () => {
  const name = await created(3);
  for (const user of users(3)) await claim(name, user);
  await deliver(name);
  expect((await timelineOf(name)).buckets).toMatchObject([{ granted: 3 }]);
  await remove(name);
  expect(outcomeOf(await send("GET", pathOf(name, "timeline")))).toBe("404 coupon_not_found");
  await create(name, 1);
  expect((await timelineOf(name)).buckets).toEqual([]);
});

test.for([
  [1, 1, 200],
  [999, 5_000, 200],
  [1_000, 5_000, 1_000],
  [200 * SECOND, 20_000, 200],
  [90 * DAY, 20_000, 1_000],
  [90 * DAY, 3, 1_000],
  [90 * DAY, 20_000, 1],
] as const)("a sale of %i ms with %i claims fits into %i buckets of equal length", async ([spanMs, count, points]) => {
  const name = await created(1);
  await deliver(name);
  const step = spanMs / Math.max(count - 1, 1);
  // Every tenth claim is revoked two steps later.
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?2 - 1)
     INSERT INTO claims
     SELECT epoch, i + 1, 'user-' || i, CAST(?3 + i * ?4 AS INTEGER), iif(i % 10 = 0, CAST(?3 + (i + 2) * ?4 AS INTEGER), NULL)
     FROM coupons, n WHERE name = ?1`,
  )
    .bind(name, count, T0, step)
    .run();
  const { buckets, seconds } = await timelineOf(name, `?points=${points}`);
  const bucketMs = Number(seconds) * SECOND;
  expect(bucketMs).toBe((Math.floor(spanMs / points / SECOND) + 1) * SECOND);
  const expected = Array.from({ length: Math.floor(spanMs / bucketMs) + 1 }, (_, index) => {
    return { at: iso(T0 + index * bucketMs), granted: 0, revoked: 0 };
  });
  expect(expected.length).toBeLessThanOrEqual(points);
  for (let index = 0; index < count; index += 1) {
    const bucketAt = (at: number) => expected[Math.min(Math.floor(Math.floor(at) / bucketMs), expected.length - 1)];
    const [granted, revoked] = [bucketAt(index * step), bucketAt((index + 2) * step)];
    if (granted !== undefined) granted.granted += 1;
    if (revoked !== undefined && index % 10 === 0) revoked.revoked += 1;
  }
  expect(buckets).toEqual(expected);
});

test("a timeline of 100,000 claims in 200 buckets reads fewer than 8,000 rows", async () => {
  const epoch = freshName("epoch");
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
     INSERT INTO claims SELECT ?1, i, 'user', i * 10, NULL FROM n`,
  )
    .bind(epoch)
    .run();
  const { meta, results } = await env.DB.prepare(STATEMENTS.SELECT_TIMELINE).bind(epoch, 200).all();
  expect(results).toHaveLength(200);
  expect(meta.rows_read).toBeLessThan(8_000);
});

test.for(["0", "1001", "1.5", ""])("a timeline with points=%s gets 400", async (points) => {
  expect(outcomeOf(await send("GET", `${pathOf(await created(1), "timeline")}?points=${points}`))).toBe("400 invalid_request");
});
