// Real resets of real objects: how this runtime marks them, and what callers get.

import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";

import { claim, countOutcomes, create, created, read, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { claimOver, platform, type Marks } from "../../support/platform-faults.ts";
import { stubOf } from "../../support/storage.ts";
import { workerWith } from "../../support/worker.ts";

const keyOf = (user: string) => ({ "Idempotency-Key": `key-of-${user}` });
const REQUEST = { userId: "ada", key: null, attemptId: "attempt-1" };

/** Moves the ledger's head in storage. The object then ends itself in the middle of a call. */
function moveHead(name: string, by: number): Promise<void> {
  return runInDurableObject(stubOf(name), (_object, { storage }) => {
    storage.sql.exec("UPDATE coupon SET seq = seq + ?", by);
  });
}

/** Ends the object as the platform would. The call that does it fails too. */
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

  test("this runtime keeps a stub broken after a reset, while a fresh one works", async () => {
    const name = await created(5);
    const stub = stubOf(name);
    await moveHead(name, 5);
    expect(await marksOf(stub.claim(REQUEST))).toEqual({ durableObjectReset: true });
    await moveHead(name, -5);
    expect(await marksOf(stub.claim(REQUEST))).toEqual({ durableObjectReset: true });
    expect(await stubOf(name).claim(REQUEST)).toMatchObject({ ok: true, claim: { position: 1 } });
  });
});

test("an object that ends itself during a call answers 503 and writes nothing", async () => {
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

test("an object that ends itself during a call is called again with success", async () => {
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

test.for([
  [100, ["201", "503"], { 201: 100 }],
  [30, ["201", "400", "503"], { 201: 30, "400 out_of_stock": 70 }],
] as const)("100 claims of %i units in flight while their object ends lose nothing", async ([amount, statuses, outcomes]) => {
  const name = await created(amount);
  const over = platform();
  const ask = workerWith({ COUPONS: over.coupons, LANES: "off" });
  const claims = users(100).map((user) =>
    ask("POST", "/api/coupons/claim", { body: { user_id: user, coupon_name: name }, headers: keyOf(user) }),
  );
  await over.called;
  await end(name);
  const answers = await Promise.all(claims);
  expect(statuses).toEqual(expect.arrayContaining([...new Set(answers.map(({ status }) => `${status}`))]));
  // More calls than callers: some were cut off, and the Worker repeated them.
  expect(over.calls.length).toBeGreaterThan(100);

  const retries = await Promise.all(users(100).map((user) => claim(name, user, keyOf(user))));
  expect(countOutcomes(retries)).toEqual(outcomes);
  await expectConserved(name, [...answers, ...retries]);
});
