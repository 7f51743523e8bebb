// A sold-out certificate that is late, or out of date, keeps nobody from a unit that is there.

import { describe, expect, test } from "vitest";

import { CERTIFICATE_MS_MAX } from "../../src/domain/limits.ts";
import { change, expectSound, hold, outcome, setClock, T0 } from "../sale/sale.ts";
import { claim, create, created, tally, users } from "../support/api.ts";
import { answerLost, claimOver, platform, platformError } from "../support/platform-faults.ts";
import { stubOf } from "../support/storage.ts";
import { certified, createdAgainElsewhere, overtakenBy, seenSoldOut, wonElsewhere } from "./certificates.ts";

test("a certificate that a restock in this isolate overtook is not believed", async () => {
  const name = await seenSoldOut();
  const restocked = overtakenBy(async () => {
    expect((await change(name, { amount: 2 })).status).toBe(200);
  });
  expect(outcome(await claimOver(platform(restocked), name, "loser-2"))).toBe("400 out_of_stock");
  setClock(T0 + 1);
  expect(outcome(await claim(name, "loser-3"))).toBe("201");
  await expectSound(name);
});

test("a certificate counts from when it was asked for: one that took its whole time to arrive is not believed", async () => {
  const name = await seenSoldOut();
  const slow = overtakenBy(() => setClock(T0 + CERTIFICATE_MS_MAX));
  expect(outcome(await claimOver(platform(slow), name, "loser-2"))).toBe("400 out_of_stock");
  await stubOf(name).change({ amount: 3 }, null);
  // The first of them asks for another one; the second must not be refused by the old one meanwhile.
  const answers = await Promise.all([claim(name, "loser-3"), claim(name, "loser-4")]);
  expect(tally(answers)).toEqual({ 201: 2 });
  await expectSound(name);
});

test("a certificate that is over refuses nobody while one request asks for the next", async () => {
  const name = await seenSoldOut();
  const over = platform();
  for (const user of ["loser-2", "loser-3"]) expect(outcome(await claimOver(over, name, user))).toBe("400 out_of_stock");
  expect(over.calls).toHaveLength(1);
  await stubOf(name).change({ amount: 21 }, null);
  setClock(T0 + CERTIFICATE_MS_MAX);
  expect(tally(await Promise.all(users(20).map((user) => claim(name, user))))).toEqual({ 201: 20 });
  await expectSound(name);
});

// Renewals of certificates go to the object; this is when one is due.
const RENEWAL_AT = T0 + CERTIFICATE_MS_MAX - 250;

/** What `second` is told while somebody else's request for the next certificate is on its way. */
async function toldMeanwhile(name: string): Promise<string> {
  const told = Promise.withResolvers<string>();
  const renewal = overtakenBy(async () => told.resolve(outcome(await claim(name, "second"))));
  await claimOver(platform(renewal), name, "loser-7");
  return told.promise;
}

describe("whoever was told of their claim here is not told here that they lost", () => {
  test("after a replay of a claim that was granted elsewhere", async () => {
    const name = await certified();
    await wonElsewhere(name, "k");
    setClock(RENEWAL_AT);
    expect(outcome(await claim(name, "second", { "Idempotency-Key": "k" }))).toBe("201");
    expect(await toldMeanwhile(name)).toBe("409 already_claimed");
  });

  test("after the object said 409, where a certificate does not know them", async () => {
    const name = await certified();
    await wonElsewhere(name);
    setClock(RENEWAL_AT);
    expect(outcome(await claim(name, "second"))).toBe("409 already_claimed");
    expect(await toldMeanwhile(name)).toBe("409 already_claimed");
  });

  test("after the object said 409 to a request that it was asked about for the sake of somebody else's key", async () => {
    const name = await created(1);
    expect(outcome(await claim(name, "winner", { "Idempotency-Key": "theirs" }))).toBe("201");
    await claim(name, "loser-1");
    await claim(name, "loser-2");
    expect((await claim(name, "loser-3")).headers.get("Served-By")).toBe("edge");
    await wonElsewhere(name);
    expect(outcome(await claim(name, "second", { "Idempotency-Key": "theirs" }))).toBe("409 already_claimed");
    expect(outcome(await claim(name, "second"))).toBe("409 already_claimed");
  });

  test("after the object said 409, where the certificate is of a coupon that had the same name", async () => {
    const name = await certified();
    await createdAgainElsewhere(name);
    setClock(RENEWAL_AT);
    expect(outcome(await claim(name, "second"))).toBe("409 already_claimed");
    expect(await toldMeanwhile(name)).toBe("409 already_claimed");
  });

  test("after the object said so of such a coupon, asked for the sake of somebody else's key", async () => {
    const name = await created(1);
    await claim(name, "winner", { "Idempotency-Key": "theirs" });
    for (const user of users(2, "loser")) await claim(name, user);
    expect((await claim(name, "loser-3")).headers.get("Served-By")).toBe("edge");
    await createdAgainElsewhere(name);
    expect(outcome(await claim(name, "second", { "Idempotency-Key": "theirs" }))).toBe("409 already_claimed");
    expect(outcome(await claim(name, "second"))).toBe("409 already_claimed");
  });

  test("after they were told that nobody knows", async () => {
    const name = await certified();
    await stubOf(name).change({ amount: 2 }, null);
    setClock(RENEWAL_AT);
    const lost = answerLost(platformError({}));
    expect(outcome(await claimOver(platform(lost), name, "second", { "Idempotency-Key": "k" }))).toBe("503 outcome_unknown");
    expect(outcome(await claim(name, "second", { "Idempotency-Key": "k" }))).toBe("201");
  });
});

test("an older certificate that arrives late does not replace a newer one", async () => {
  const name = await seenSoldOut();
  const slow = overtakenBy(async () => {
    await wonElsewhere(name);
    setClock(T0 + 600);
    // Takes over, because the first asker has been gone for so long.
    expect(outcome(await claim(name, "loser-5"))).toBe("400 out_of_stock");
  });
  expect(outcome(await claimOver(platform(slow), name, "loser-2"))).toBe("400 out_of_stock");
  expect(outcome(await claim(name, "second"))).toBe("409 already_claimed");
  expect((await claim(name, "loser-6")).headers.get("Served-By")).toBe("edge");
});

test("nor does one of a coupon that had the same name", async () => {
  const name = await seenSoldOut();
  const slow = overtakenBy(async () => {
    await createdAgainElsewhere(name);
    setClock(T0 + 600);
    expect(outcome(await claim(name, "loser-5"))).toBe("400 out_of_stock");
  });
  expect(outcome(await claimOver(platform(slow), name, "loser-2"))).toBe("400 out_of_stock");
  expect(outcome(await claim(name, "second"))).toBe("409 already_claimed");
  expect((await claim(name, "loser-6")).headers.get("Served-By")).toBe("edge");
});

test("a clock that goes back ends a certificate, also for when it comes by there again", async () => {
  const name = await certified();
  setClock(T0 - 3_600_000);
  expect((await claim(name, "loser-4")).headers.get("Served-By")).toBeNull();
  await stubOf(name).change({ amount: 2 }, null);
  setClock(T0 + 1);
  expect(outcome(await claim(name, "loser-5"))).toBe("201");
});

test("a certificate that was asked for before the clock went back is not believed after it", async () => {
  const name = await seenSoldOut();
  const slow = overtakenBy(() => setClock(T0 - 3_600_000));
  expect(outcome(await claimOver(platform(slow), name, "loser-2"))).toBe("400 out_of_stock");
  await stubOf(name).change({ amount: 2 }, null);
  setClock(T0 + 1);
  expect(outcome(await claim(name, "loser-3"))).toBe("201");
});

test("a coupon that was deleted elsewhere and is created here is open at once", async () => {
  const name = await certified();
  await stubOf(name).remove();
  expect((await create(name, 1)).status).toBe(201);
  expect(outcome(await claim(name, "loser-4"))).toBe("201");
});

/** How many claims the metrics say were told that nothing is left. */
async function refusals(name: string): Promise<number> {
  const { outcomes } = (await stubOf(name).metrics()) as { readonly outcomes: { readonly claims: Record<string, number> } };
  return outcomes.claims["out_of_stock"] ?? 0;
}

describe("claims refused here are counted", () => {
  test("also where a winner's retry brings the count, and where something happened in between", async () => {
    const name = await certified();
    // loser-1 and loser-2 by the object, loser-3 here.
    for (const user of users(8, "late")) await claim(name, user);
    await change(name, { paused: true });
    await change(name, { paused: false });
    expect(outcome(await claim(name, "winner"))).toBe("409 already_claimed");
    expect(await refusals(name)).toBe(11);
  });

  test("once, though the call that told of them was delivered twice", async () => {
    const name = await certified();
    for (const user of users(7, "late")) await claim(name, user);
    setClock(RENEWAL_AT);
    const over = platform(answerLost(platformError({ retryable: true })));
    expect(outcome(await claimOver(over, name, "asks"))).toBe("400 out_of_stock");
    expect(over.calls).toHaveLength(2);
    // loser-1 to -3, late-1 to -7, and the one who asked, whom the object judged twice.
    expect(await refusals(name)).toBe(12);
  });

  test("but for holds, of which the object counts none", async () => {
    const name = await certified();
    for (const user of users(5, "late")) expect(outcome(await hold(name, user))).toBe("400 out_of_stock");
    setClock(RENEWAL_AT);
    await claim(name, "asks");
    expect(await refusals(name)).toBe(4);
  });
});
