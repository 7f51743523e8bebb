// The rush that proves the product can fail: a Worker that looks first and writes then oversells under it.

import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { isExact, oversoldBy, sell, type Sale, type Sold } from "../../verification/baseline/sale.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve, type Served } from "../../verification/server/workerd.ts";

const SALE = { users: 100, stock: 10 };
/** Who comes when is up to the machine: the mistake shows in most sales, not in every one. */
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

describe("100 users on 10 units, all at once", () => {
  test("get more than there are from a Worker that looks first and writes then, which knows it afterwards", async () => {
    const sales: Sold[] = [];
    while (sales.length < SALES_MAX && !sales.some((sold) => oversoldBy(SALE, sold) > 0)) {
      sales.push(await sell("baseline", baseline.url, { ...SALE, coupon: `sale-${sales.length + 1}` }));
    }
    const last = sales.at(-1);
    expect(last).toMatchObject({ errors: 0 });
    expect(last?.granted).toBeGreaterThan(SALE.stock);
    expect(last?.remaining).toBe(SALE.stock - (last?.granted ?? 0));
  });

  test("get exactly what there is from the product", async () => {
    for (const coupon of ["sale-1", "sale-2", "sale-3"]) {
      expect(await sell("product", product.url, { ...SALE, coupon })).toEqual({
        granted: 10,
        outOfStock: 90,
        errors: 0,
        positions: 10,
        remaining: 0,
      });
    }
  });

  test("are served by the Worker with the mistake as well as by the product, as long as they come one after the other", async () => {
    const alone: Sale = { users: 1, stock: 1, coupon: "alone" };
    expect(isExact(alone, await sell("baseline", baseline.url, alone))).toBe(true);
    const answer = await fetch(`${baseline.url}/api/coupons/claim`, { method: "POST", body: '{"coupon_name":"alone","user_id":"late"}' });
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: "out_of_stock" }]);
  });
});

describe("a sale is exact", () => {
  const exact = { granted: 10, outOfStock: 90, errors: 0, positions: 10, remaining: 0 };

  test("only if nothing of it is off by one", () => {
    expect(isExact(SALE, exact)).toBe(true);
    for (const field of ["granted", "outOfStock", "errors", "positions", "remaining"] as const) {
      expect(isExact(SALE, { ...exact, [field]: exact[field] + 1 })).toBe(false);
    }
    expect([oversoldBy(SALE, exact), oversoldBy(SALE, { ...exact, granted: 12 }), oversoldBy(SALE, { ...exact, granted: 8 })]).toEqual([
      0, 2, 0,
    ]);
  });

  test("with more units than users, if all of them have one", () => {
    expect(isExact({ users: 3, stock: 10 }, { granted: 3, outOfStock: 0, errors: 0, positions: 3, remaining: 7 })).toBe(true);
  });
});
