// One request's trouble stays its own, and what the isolate remembers between requests is never wrong.

import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { ID_CACHE_SIZE_MAX } from "../../../src/domain/limits.ts";
import { callCoupon } from "../../../src/edge/coupon-calls.ts";
import type { CouponNamespace } from "../../../src/edge/env.ts";
import { claim, countOutcomes, created, freshName, read, send, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { claimOver, hangObject, lost, platform, platformError, sendOver } from "../../support/platform-faults.ts";
import { stubOf } from "../../support/storage.ts";

describe("the trouble of one request", () => {
  test("that is not answered holds up no other one, and succeeds after them", async () => {
    const name = await created(8);
    const silence = Promise.withResolvers<never>();
    const overs = users(3).map(() => platform(() => silence.promise));
    const unlucky = overs.map((over, index) => claimOver(over, name, `unlucky-${index}`));
    await Promise.all(overs.map(({ called }) => called));
    const lucky = await Promise.all(users(5).map((user) => claim(name, user)));
    expect(countOutcomes(lucky)).toEqual({ 201: 5 });

    silence.reject(platformError({ retryable: true }));
    const late = await Promise.all(unlucky);
    expect(countOutcomes(late)).toEqual({ 201: 3 });
    await expectConserved(name, [...lucky, ...late]);
  });

  test("whose caller went away while the object hung is not the next caller's", async () => {
    const name = await created(5);
    const { resume } = await hangObject(name);
    const caller = new AbortController();
    const body = { user_id: "ada", coupon_name: name };
    const gone = send("POST", "/api/coupons/claim", { body, headers: { "Idempotency-Key": "key-1" }, signal: caller.signal });
    caller.abort();
    await expect(gone).rejects.toThrow("aborted");

    await resume();
    const answers = [await claim(name, "bob"), await claim(name, "ada", { "Idempotency-Key": "key-1" })];
    expect(countOutcomes(answers)).toEqual({ 201: 2 });
    expect((await read(name)).body["remaining_amount"]).toBe(3);
    await expectConserved(name, answers);
  });

  test.for([
    [
      "every attempt fails",
      [lost(platformError({ retryable: true })), lost(platformError({ retryable: true })), lost(platformError({ retryable: true }))],
    ],
    ["the object is overloaded", [lost(platformError({ overloaded: true }))]],
    [
      "the object throws each time",
      [lost(platformError({ remote: true })), lost(platformError({ remote: true })), lost(platformError({ remote: true }))],
    ],
  ] as const)("is over with it when %s", async ([, deliveries]) => {
    const name = await created(5);
    const over = platform(...deliveries);
    const failed = await claimOver(over, name, "ada");
    const next = [await claimOver(over, name, "bob"), await sendOver(over, "GET", `/api/coupons/${name}`)];
    expect(failed.status).toBeGreaterThanOrEqual(500);
    expect(countOutcomes(next)).toEqual({ 200: 1, 201: 1 });
    expect(next[1]?.body).toMatchObject({ remaining_amount: 4, claimed_by: ["bob"] });
  });

  test("on a coupon that hangs does not touch another coupon", async () => {
    const name = await created(5);
    const other = await created(5);
    const { resume } = await hangObject(name);
    const waiting = claim(name, "ada");
    expect(countOutcomes(await Promise.all(users(5).map((user) => claim(other, user))))).toEqual({ 201: 5 });

    await resume();
    expect((await waiting).status).toBe(201);
    await expectConserved(name);
    await expectConserved(other);
  });

  test("has its own attempt id: 20 with the same X-Request-Id are no retries", async () => {
    const name = await created(5);
    const answers = await Promise.all(Array.from({ length: 20 }, () => claim(name, "ada", { "X-Request-Id": "request-1" })));
    expect(countOutcomes(answers)).toEqual({ 201: 1, "409 already_claimed": 19 });
  });
});

/** A namespace that answers at once with the id that it was asked for. */
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

describe("the ids that an isolate remembers", () => {
  test("are computed once for a coupon, also over an eviction of its object", async () => {
    const over = platform();
    const name = freshName();
    await sendOver(over, "POST", "/api/coupons", { body: { name, amount: 5 } });
    await claimOver(over, name, "ada");
    await evictDurableObject(stubOf(name));
    const afterwards = await claimOver(over, name, "bob");

    expect(afterwards.status).toBe(201);
    expect(afterwards.body).toMatchObject({ position: 2, remaining_amount: 3 });
    expect(over.named).toEqual([name]);
    await expectConserved(name, [afterwards]);
  });

  test("lead each of more names than fit to its own object, twice", async () => {
    const { coupons } = mirror();
    const names = users(ID_CACHE_SIZE_MAX + 104, freshName("routed"));
    for (const round of ["first", "second"]) {
      const astray: string[] = [];
      for (const name of names) if (!(await isRouted(coupons, name))) astray.push(name);
      expect({ round, astray }).toEqual({ round, astray: [] });
    }
  });

  test("are bounded: after ID_CACHE_SIZE_MAX others an id is computed again", async () => {
    const { coupons, named } = mirror();
    const name = freshName("remembered");
    await isRouted(coupons, name);
    await isRouted(coupons, name);
    expect(named).toEqual([name]);

    for (const other of users(ID_CACHE_SIZE_MAX, freshName("other"))) await isRouted(coupons, other);
    await isRouted(coupons, name);
    expect(named.filter((computed) => computed === name)).toHaveLength(2);
    expect(named).toHaveLength(ID_CACHE_SIZE_MAX + 2);
  });

  test("of real coupons survive a flood of others", async () => {
    const sales = await Promise.all([3, 5, 7].map(async (amount) => ({ name: await created(amount), amount })));
    const { coupons } = mirror();
    for (const other of users(ID_CACHE_SIZE_MAX + 1, freshName("flood"))) await isRouted(coupons, other);
    for (const { name, amount } of sales) {
      expect((await claim(name, "ada")).body).toMatchObject({ coupon_name: name, position: 1, remaining_amount: amount - 1 });
      expect((await read(name)).body).toMatchObject({ name, amount, claimed_by: ["ada"] });
    }
  });
});
