// A load that can find overselling: a Worker that reads first and then writes oversells under it.

import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { isExact, oversoldBy, sell, type Sold } from "../../verification/baseline/sale.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve, type Served } from "../../scripts/server/workerd.ts";

const SALE = { users: 100, stock: 10 };
/** The order of requests is up to the machine: most sales oversell, not every one. */
const SALES_MAX = 20;

let folder: string;
let baseline: Served;
let product: Served;

beforeAll(async () => {
  folder = await scratchFolder("baseline-test");
  baseline = await serve(await build("verification/workers/unsafe-baseline.ts", folder), { state: join(folder, "baseline-state") });
  product = await serve(await build(PRODUCT, folder), { state: join(folder, "product-state") });
});

afterAll(async () => {
  await Promise.all([baseline, product].map((server) => server.kill()));
  await removeScratch(folder);
});

test("a Worker that reads first and writes then oversells 10 units to 100 users", async () => {
  const sales: Sold[] = [];
  while (sales.length < SALES_MAX && !sales.some((sold) => oversoldBy(SALE, sold) > 0)) {
    sales.push(await sell("baseline", baseline.url, { ...SALE, coupon: `sale-${sales.length + 1}` }));
  }
  const last = sales.at(-1);
  expect(last).toMatchObject({ errors: 0, remaining: SALE.stock - (last?.granted ?? 0) });
  expect(last?.granted).toBeGreaterThan(SALE.stock);
});

test("the product sells exactly 10 units to 100 users, three times", async () => {
  for (const coupon of ["sale-1", "sale-2", "sale-3"]) {
    const sold = await sell("product", product.url, { ...SALE, coupon });
    expect(sold).toEqual({ granted: 10, outOfStock: 90, errors: 0, positions: 10, remaining: 0 });
  }
});

test("the Worker with the planted bug is exact when claims come one after the other", async () => {
  const alone = { users: 1, stock: 1, coupon: "alone" };
  expect(isExact(alone, await sell("baseline", baseline.url, alone))).toBe(true);
  const answer = await fetch(`${baseline.url}/api/coupons/claim`, { method: "POST", body: '{"coupon_name":"alone","user_id":"late"}' });
  expect([answer.status, await answer.json()]).toMatchObject([400, { code: "out_of_stock" }]);
});

test("a sale counts as exact only if no number is off by one", () => {
  const exact = { granted: 10, outOfStock: 90, errors: 0, positions: 10, remaining: 0 };
  const fields = ["granted", "outOfStock", "errors", "positions", "remaining"] as const;
  expect([exact, ...fields.map((field) => ({ ...exact, [field]: exact[field] + 1 }))].map((sold) => isExact(SALE, sold))).toEqual([
    true,
    ...fields.map(() => false),
  ]);
  expect([10, 12, 8].map((granted) => oversoldBy(SALE, { ...exact, granted }))).toEqual([0, 2, 0]);
});
