// Real resets of real objects: what the platform says of them here, and what callers get.

import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";

import { CouponObject } from "../../../src/object/coupon-object.ts";
import { claim, countOutcomes, create, created, outcomeOf, read, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { claimOver, platform, type Marks } from "../../support/platform-faults.ts";
import { stored, stubOf } from "../../support/storage.ts";

const keyOf = (user: string) => ({ "Idempotency-Key": `key-of-${user}` });
const REQUEST = { userId: "ada", key: null, attemptId: "attempt-1" };

/** Moves the ledger's head in storage, behind the object's back: the object then ends itself in the middle of a call. */
function moveHead(name: string, by: number): Promise<void> {
  return runInDurableObject(stubOf(name), (_object, { storage }) => {
    storage.sql.exec("UPDATE coupon SET seq = seq + ?", by);
  });
}

/** Ends the object as the platform would, whatever it is doing. The call that does it fails with it. */
async function end(name: string): Promise<void> {
  await runInDurableObject(stubOf(name), (_object, state) => state.abort("ended by the test")).catch(() => undefined);
}

/** The marks of the exception that `call` throws. */
async function marksOf(call: Promise<unknown>): Promise<Marks> {
  const thrown: Marks = await call.then(
    () => ({ answered: true }),
    (cause: Marks) => cause,
  );
  const { answered, remote, retryable, overloaded, durableObjectReset } = thrown;
  return { answered, remote, retryable, overloaded, durableObjectReset };
}

describe("this runtime", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("marks a call whose object ended itself as reset, and as nothing else", async () => {
    const name = await created(5);
    await moveHead(name, 5);
    expect(await marksOf(stubOf(name).claim(REQUEST))).toEqual({ durableObjectReset: true });
  });

  test("keeps a stub broken after a reset, and gives a fresh one that works", async () => {
    const name = await created(5);
    const stub = stubOf(name);
    await moveHead(name, 5);
    expect(await marksOf(stub.claim(REQUEST))).toEqual({ durableObjectReset: true });
    await moveHead(name, -5);
    expect(await marksOf(stub.claim(REQUEST))).toEqual({ durableObjectReset: true });
    expect(await stubOf(name).claim(REQUEST)).toMatchObject({ ok: true, claim: { position: 1 } });
  });

  test("marks an exception of the object's code as remote, and keeps its other marks", async () => {
    const name = await created(5);
    vi.spyOn(CouponObject.prototype, "read").mockImplementationOnce(() => {
      throw Object.assign(new Error("a bug"), { remote: false, retryable: true, durableObjectReset: true });
    });
    expect(await marksOf(stubOf(name).read({ claimedBy: false }))).toEqual({ remote: true, retryable: true, durableObjectReset: true });
  });

  test("marks a call that the object does not know as remote alone", async () => {
    const stranger = stubOf(await created(5)) as unknown as { strange(): Promise<unknown> };
    expect(await marksOf(stranger.strange())).toEqual({ remote: true });
  });
});

describe("an object that ends itself in the middle of a call", () => {
  test("every time is a 503 for all and writes nothing, until it has passed", async () => {
    const name = await created(5);
    await moveHead(name, 5);
    const answers = [await claim(name, "ada"), await read(name), await create(name, 9)];
    expect(countOutcomes(answers)).toEqual({ "503 outcome_unknown": 2, "503 unavailable": 1 });

    await moveHead(name, -5);
    const granted = await claim(name, "ada");
    expect(granted.status).toBe(201);
    expect(granted.body).toMatchObject({ position: 1, remaining_amount: 4 });
    await expectConserved(name, [granted]);
  });

  test("once is called again by the Worker, and the caller gets 201", async () => {
    const name = await created(5);
    await moveHead(name, 5);
    const over = platform(async (deliver) => {
      try {
        return await deliver();
      } finally {
        await moveHead(name, -5);
      }
    });
    const answer = await claimOver(over, name, "ada");
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ position: 1, remaining_amount: 4 });
    expect(over.calls).toHaveLength(2);
    await expectConserved(name, [answer]);
  });
});

describe("an object that throws", () => {
  test("each time leaves a claim of unknown outcome after three attempts", async () => {
    const name = await created(5);
    const claims = vi.spyOn(CouponObject.prototype, "claim").mockImplementation(() => {
      throw Object.assign(new Error("a bug"), { remote: false });
    });
    onTestFinished(() => claims.mockRestore());
    const answer = await claim(name, "ada");
    expect(claims).toHaveBeenCalledTimes(3);
    claims.mockRestore();

    expect(outcomeOf(answer)).toBe("503 outcome_unknown");
    expect((await claim(name, "ada")).status).toBe(201);
  });
});

describe("an object that is ended while 100 claims are in flight", () => {
  test("keeps every acknowledged claim, and gives each user who asks again their unit", async () => {
    const name = await created(100);
    const over = platform();
    const storm = users(100).map((user) => claimOver(over, name, user, keyOf(user)));
    await over.called;
    await end(name);
    const answers = await Promise.all(storm);
    expect(answers.map(({ status }) => status).filter((status) => status !== 201 && status !== 503)).toEqual([]);
    // More calls than callers: some were cut off, and the Worker asked again.
    expect(over.calls.length).toBeGreaterThan(100);

    const acknowledged = answers.filter(({ status }) => status === 201).map(({ body }) => body["user_id"]);
    const onRecord = new Set<unknown>((await stored(name)).claims.map(({ user_id }) => user_id));
    expect(acknowledged.filter((user) => !onRecord.has(user))).toEqual([]);

    const retries = await Promise.all(users(100).map((user) => claim(name, user, keyOf(user))));
    expect(countOutcomes(retries)).toEqual({ 201: 100 });
    await expectConserved(name, [...answers, ...retries]);
  });

  test("gives out exactly the stock when more users than units keep asking", async () => {
    const name = await created(30);
    const over = platform();
    const storm = users(100).map((user) => claimOver(over, name, user, keyOf(user)));
    await over.called;
    await end(name);
    const answers = await Promise.all(storm);
    expect(answers.map(({ status }) => status).filter((status) => ![201, 400, 503].includes(status))).toEqual([]);
    expect(over.calls.length).toBeGreaterThan(100);

    const retries = await Promise.all(users(100).map((user) => claim(name, user, keyOf(user))));
    expect(countOutcomes(retries)).toEqual({ 201: 30, "400 out_of_stock": 70 });
    await expectConserved(name, [...answers, ...retries]);
  });
});
