// The claimants of a coupon at an earlier instant: what happened since changes nothing.

import { expect, test } from "vitest";

import type { AsOf, Found } from "../../src/domain/rpc.ts";
import { seeded } from "../../verification/random.ts";
import { asks, opened, T0, type EngineCalls } from "./coupon.ts";

/** All pages of claimants, each of two. */
function pagesOf(engine: EngineCalls, asOf: AsOf, at: number): unknown {
  const pages: string[] = [];
  for (let after: number | null = 0; after !== null;) {
    const page = engine.claimants(asOf, after, 2, at);
    if (!page.ok) return page.code;
    pages.push(page.json);
    after = page.next;
  }
  return JSON.parse(`[${pages.join("").slice(1)}]`);
}

test("pages of claimants show each earlier instant, whatever is claimed and revoked since", () => {
  const random = seeded(7);
  const { engine } = opened(9);
  const seen: { readonly asOf: AsOf; readonly claimedBy: readonly string[] }[] = [];
  let at = T0;
  for (let count = 0; count < 200; count += 1) {
    const userId = `"user" ${random.below(12)} 🎉\\`;
    // A read does not store its time. So the next instance's clock can be behind it.
    if (random.below(9) === 0) engine.reload();
    at += random.below(2);
    if (random.below(2) === 0) engine.claimAll([asks(userId)], at);
    else engine.revoke({ userId, position: null }, at);
    const { coupon } = engine.read({ claimedBy: true }, at + 5) as Found;
    seen.push({ asOf: { epoch: coupon.epoch, seq: coupon.seq }, claimedBy: coupon.claimedBy ?? [] });
  }
  expect(seen.map(({ asOf }) => pagesOf(engine, asOf, at))).toEqual(seen.map(({ claimedBy }) => claimedBy));
  expect(pagesOf(engine, { epoch: "another", seq: 1 }, at)).toBe("coupon_not_found");
});
