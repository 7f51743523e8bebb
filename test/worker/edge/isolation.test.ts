// A failed request does not affect other requests, and the ids that an isolate caches are always right.

import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { ID_CACHE_SIZE_MAX } from "../../../src/domain/limits.ts";
import { callCoupon } from "../../../src/edge/coupon-calls.ts";
import type { CouponNamespace } from "../../../src/edge/env.ts";
import { claim, countOutcomes, created, freshName, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { claimOver, hangObject, platform, platformError, sendOver } from "../../support/platform-faults.ts";
import { stubOf } from "../../support/storage.ts";

test("three claims without an answer hold up no other claim, and succeed later", async () => {
  const name = await created(8);
  const unanswered = Promise.withResolvers<never>();
  const overs = users(3).map(() => platform(() => unanswered.promise));
  const slow = overs.map((over, index) => claimOver(over, name, `slow-${index}`));
  await Promise.all(overs.map(({ called }) => called));
  const fast = await Promise.all(users(5).map((user) => claim(name, user)));
  expect(countOutcomes(fast)).toEqual({ 201: 5 });

  unanswered.reject(platformError({ retryable: true }));
  const late = await Promise.all(slow);
  expect(countOutcomes(late)).toEqual({ 201: 3 });
  await expectConserved(name, [...fast, ...late]);
});

test("a coupon whose object hangs does not delay another coupon", async () => {
  const [name, other] = [await created(5), await created(5)];
  const { resume } = await hangObject(name);
  const waiting = claim(name, "ada");
  expect(countOutcomes(await Promise.all(users(5).map((user) => claim(other, user))))).toEqual({ 201: 5 });
  await resume();
  expect((await waiting).status).toBe(201);
  await expectConserved(name);
  await expectConserved(other);
});

test("20 claims at once with the same X-Request-Id are 20 attempts", async () => {
  const name = await created(5);
  const answers = await Promise.all(Array.from({ length: 20 }, () => claim(name, "ada", { "X-Request-Id": "request-1" })));
  expect(countOutcomes(answers)).toEqual({ 201: 1, "409 already_claimed": 19 });
});

/** A namespace that answers with the id that it was asked for. */
function mirror() {
  const named: string[] = [];
  const coupons = {
    idFromName(name: string) {
      named.push(name);
      return env.COUPONS.idFromName(name);
    },
    get: (id: DurableObjectId) => ({ read: () => Promise.resolve({ ok: true, id }) }),
  };
  return { coupons: coupons as unknown as CouponNamespace, named };
}

/** Whether a call for coupon `name` reaches the object of that name. */
async function isRouted(coupons: CouponNamespace, name: string): Promise<boolean> {
  const result = await callCoupon({ COUPONS: coupons }, name, (coupon) => coupon.read({ claimedBy: false }), "read");
  const { id } = result as { readonly id?: DurableObjectId };
  return id !== undefined && id.equals(env.COUPONS.idFromName(name));
}

test("the id of a coupon is computed once, also over an eviction", async () => {
  const over = platform();
  const name = freshName();
  await sendOver(over, "POST", "/api/coupons", { body: { name, amount: 5 } });
  await claimOver(over, name, "ada");
  await evictDurableObject(stubOf(name));
  const afterwards = await claimOver(over, name, "bob");
  expect(afterwards.body).toMatchObject({ position: 2, remaining_amount: 3 });
  expect(over.named).toEqual([name]);
  await expectConserved(name, [afterwards]);
});

test("the id of a coupon is right for more names than the cache holds", async () => {
  const { coupons } = mirror();
  const names = users(ID_CACHE_SIZE_MAX + 104, freshName("routed"));
  for (const round of ["first", "second"]) {
    const wrong: string[] = [];
    for (const name of names) if (!(await isRouted(coupons, name))) wrong.push(name);
    expect({ round, wrong }).toEqual({ round, wrong: [] });
  }
});

test("the id of a coupon is computed again after ID_CACHE_SIZE_MAX others", async () => {
  const { coupons, named } = mirror();
  const name = freshName("cached");
  await isRouted(coupons, name);
  await isRouted(coupons, name);
  expect(named).toEqual([name]);

  for (const other of users(ID_CACHE_SIZE_MAX, freshName("other"))) await isRouted(coupons, other);
  await isRouted(coupons, name);
  expect(named.filter((computed) => computed === name)).toHaveLength(2);
  expect(named).toHaveLength(ID_CACHE_SIZE_MAX + 2);
});
