// The Idempotency-Key: the same key gets the same answer, byte for byte.

import { describe, expect, test } from "vitest";

import { claim, countOutcomes, created, read, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused, postRaw } from "../../support/wire.ts";

function claimRaw(name: string, user: string, headers: Record<string, string>) {
  return postRaw("/api/coupons/claim", JSON.stringify({ user_id: user, coupon_name: name }), headers);
}

describe("the same key again", () => {
  test("answers the original 201, byte for byte, and says that it is a replay", async () => {
    const name = await created(5);
    const first = await claimRaw(name, "user", { "idempotency-key": "order-7" });
    expect(first.status).toBe(201);
    expect(first.headers.get("Idempotent-Replayed")).toBeNull();

    for (let retry = 1; retry <= 3; retry += 1) {
      const again = await claimRaw(name, "user", { "idempotency-key": "order-7" });
      expect(again.status).toBe(201);
      expect(again.text).toBe(first.text);
      expect(again.headers.get("Idempotent-Replayed")).toBe("true");
      expect(again.headers.get("Coupon-Seq")).toBe("2");
    }
    expect((await read(name)).body["remaining_amount"]).toBe(4);
    await expectConserved(name);
  });

  test("answers the same bytes after others claimed, and after sell-out", async () => {
    const name = await created(3);
    const first = await claimRaw(name, "user", { "idempotency-key": "order-7" });
    for (const other of users(2, "other")) {
      await claim(name, other);
      const again = await claimRaw(name, "user", { "idempotency-key": "order-7" });
      expect([again.status, again.text]).toEqual([201, first.text]);
      expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    }
    expect((await claim(name, "late")).body["code"]).toBe("out_of_stock");
    const last = await claimRaw(name, "user", { "idempotency-key": "order-7" });
    expect([last.status, last.text, last.headers.get("Coupon-Seq")]).toEqual([201, first.text, "4"]);
  });

  test("at the same instant, 30 times, takes one unit and answers 30 equal receipts", async () => {
    const name = await created(30);
    const answers = await Promise.all(users(30).map(() => claimRaw(name, "user", { "idempotency-key": "order-7" })));
    expect(countOutcomes(answers)).toEqual({ 201: 30 });
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get("Idempotent-Replayed") === "true")).toHaveLength(29);
    await expectConserved(name, answers);
  });

  test.for([
    ["bare, then in quotes", "order-7", '"order-7"'],
    ["in quotes, then bare", '"order-7"', "order-7"],
  ] as const)("is the same %s", async ([, first, second]) => {
    const name = await created(5);
    const original = await claimRaw(name, "user", { "idempotency-key": first });
    const again = await claimRaw(name, "user", { "idempotency-key": second });
    expect([again.status, again.text]).toEqual([201, original.text]);
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
  });

  test("may come with other fields beside the claim, since they are ignored", async () => {
    const name = await created(5);
    const body = { user_id: "user", coupon_name: name };
    const first = await postRaw("/api/coupons/claim", JSON.stringify(body), { "idempotency-key": "key" });
    const again = await postRaw("/api/coupons/claim", JSON.stringify({ ...body, sent_at: 2 }), { "idempotency-key": "key" });
    expect([again.status, again.text]).toEqual([201, first.text]);
  });

  test("is told by upper and lower case", async () => {
    const name = await created(5);
    await claim(name, "user", { "idempotency-key": "Order-7" });
    expect((await claim(name, "user", { "idempotency-key": "order-7" })).status).toBe(409);
  });
});

describe("a retry that is none", () => {
  test.for([
    ["another key", { "idempotency-key": "second" }],
    ["no key", {}],
    ["a request id, even the same one", { "x-request-id": "request-1" }],
  ] as const)("with %s is told 409, not the original", async ([, headers]) => {
    const name = await created(5);
    const first = await claim(name, "user", { "idempotency-key": "first", "x-request-id": "request-1" });
    const { remaining_amount: _, ...receipt } = first.body;
    const again = await claim(name, "user", headers);
    expectRefused(again, "409 already_claimed", "coupon already claimed by user");
    expect(again.body["claim"]).toEqual(receipt);
    expect(again.headers.get("Idempotent-Replayed")).toBeNull();
  });

  test("repeats a caller's X-Request-Id without a key, and is told 409", async () => {
    const name = await created(5);
    expect((await claim(name, "user", { "x-request-id": "request-1" })).status).toBe(201);
    expect((await claim(name, "user", { "x-request-id": "request-1" })).status).toBe(409);
    expect((await claim(name, "other", { "x-request-id": "request-1" })).status).toBe(201);
  });

  test("uses a key for a claim that had none", async () => {
    const name = await created(5);
    await claim(name, "user");
    expect((await claim(name, "user", { "idempotency-key": "late" })).status).toBe(409);
    expect((await claim(name, "other", { "idempotency-key": "late" })).status).toBe(201);
  });
});

describe("one key for two users", () => {
  const REUSED = "another claim of this coupon used this Idempotency-Key: send a new key";

  test("is refused to the second, who gets a unit with a key of their own", async () => {
    const name = await created(5);
    await claim(name, "first", { "idempotency-key": "shared" });
    const second = await claim(name, "second", { "idempotency-key": "shared" });
    expectRefused(second, "422 idempotency_key_reused", REUSED);
    expect(second.body).not.toHaveProperty("claim");
    expect((await claim(name, "second", { "idempotency-key": "own" })).status).toBe(201);
    await expectConserved(name);
  });

  test("is refused to the second however it is written, and after sell-out", async () => {
    const name = await created(1);
    await claim(name, "first", { "idempotency-key": "shared" });
    const second = await claim(name, "second", { "idempotency-key": '"shared"' });
    expectRefused(second, "422 idempotency_key_reused", REUSED);
  });

  test("at the same instant goes to one of them, and the first keeps the replay", async () => {
    const name = await created(50);
    const answers = await Promise.all(users(20).map((user) => claim(name, user, { "idempotency-key": "shared" })));
    expect(countOutcomes(answers)).toEqual({ 201: 1, "422 idempotency_key_reused": 19 });
    const winner = answers.find(({ status }) => status === 201);
    const again = await claim(name, String(winner?.body["user_id"]), { "idempotency-key": "shared" });
    expect(again.status).toBe(201);
    expect(again.body).toEqual(winner?.body);
    await expectConserved(name, answers);
  });

  test("is no one's where the first got nothing: only a success is remembered", async () => {
    const name = await created(1);
    await claim(name, "winner");
    for (const user of ["first", "second"]) {
      expectRefused(await claim(name, user, { "idempotency-key": "shared" }), "400 out_of_stock", "coupon out of stock");
    }
  });
});

describe("a key is 1 to 255 visible ASCII characters", () => {
  test.for([
    ["1 character", "k"],
    ["255 characters", "k".repeat(255)],
    ["255 characters in quotes", `"${"k".repeat(255)}"`],
    ["every visible character", "!#$%&'()*+,-./0129:;<=>?@AZ[\\]^_`az{|}~"],
    ["SQL", "');DROP/**/TABLE/**/claims;--"],
  ] as const)("%s is taken", async ([, key]) => {
    const name = await created(2);
    const first = await claimRaw(name, "user", { "idempotency-key": key });
    const again = await claimRaw(name, "user", { "idempotency-key": key });
    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
    await expectConserved(name);
  });

  test.for([
    ["nothing", ""],
    ["nothing in quotes", '""'],
    ["256 characters", "k".repeat(256)],
    ["256 characters in quotes", `"${"k".repeat(256)}"`],
    ["a space inside", "two words"],
    ["a space inside quotes", '"two words"'],
    ["a tab inside", "two\twords"],
    ["two keys in one header", "one, two"],
    ["letters beyond ASCII", "clé"],
  ] as const)("%s is refused, and nothing is claimed", async ([, key]) => {
    const name = await created(2);
    const answer = await claim(name, "user", { "idempotency-key": key });
    expectRefused(answer, "400 invalid_request", "invalid request: Idempotency-Key is invalid");
    expect(answer.headers.get("Coupon-Seq")).toBeNull();
    expect((await read(name)).body["claimed_by"]).toEqual([]);
  });
});
