// One's own claim: seen at once, told again whatever became of the sale, under every name that may be given.

import { describe, expect, test } from "vitest";

import { expectRefused } from "../contract/wire.ts";
import { claim, create, created, freshName, look, send, tally, users } from "../../support/api.ts";
import {
  change,
  expectSound,
  releaseHold,
  hold,
  iso,
  list,
  MINUTE,
  own,
  pathOf,
  release,
  remove,
  seqOf,
  setClock,
  status,
  T0,
} from "./sale.ts";

const KEY = { "Idempotency-Key": "key" };

describe("a look at one's own claim", () => {
  test("shows the receipt as it was granted", async () => {
    setClock(T0);
    const name = await created(5);
    await claim(name, "bob");
    const { remaining_amount: _left, ...receipt } = (await claim(name, "ann")).body;
    setClock(T0 + MINUTE);
    const answer = await own(name, "ann");
    expect([answer.status, seqOf(answer), answer.headers.get("Cache-Control")]).toEqual([200, 3, "no-store"]);
    expect(answer.body).toEqual({ coupon_name: name, user_id: "ann", position: 2, claimed_at: iso(T0) });
    expect(answer.body).toEqual(receipt);
  });

  test("sees what its user did before, in the middle of a storm", async () => {
    const name = await created(100);
    const seen = await Promise.all(
      users(60).map(async (user) => {
        const granted = await claim(name, user);
        const looked = await own(name, user);
        return {
          status: looked.status,
          isSame: looked.body["position"] === granted.body["position"],
          isLater: seqOf(looked) >= seqOf(granted),
        };
      }),
    );
    expect(seen).toEqual(seen.map(() => ({ status: 200, isSame: true, isLater: true })));
    await expectSound(name);
  });

  test("sees a hold, its end, a claim, and its release at once", async () => {
    const name = await created(5);
    const told: unknown[] = [];
    for (const act of [hold, releaseHold, hold, claim, release, hold]) {
      await act(name, "ann");
      const { status: code, body } = await own(name, "ann");
      told.push([code, Object.keys(body).sort().join(" ")]);
    }
    const [none, kept, claimed] = [
      [404, "code error request_id"],
      [200, "coupon_name expires_at held_at user_id"],
      [200, "claimed_at coupon_name position user_id"],
    ];
    expect(told).toEqual([kept, none, kept, claimed, none, kept]);
  });

  test("of a user who has none is 404 claim_not_found, also of a loser", async () => {
    const name = await created(1);
    await claim(name, "winner");
    await claim(name, "loser");
    for (const user of ["loser", "nobody", "Winner", "winner ", "a".repeat(256)]) {
      expectRefused(await own(name, user), "404 claim_not_found", "this user has no claim of this coupon");
    }
  });

  test("of a coupon that nobody created, or that is gone, is 404 coupon_not_found", async () => {
    expectRefused(await own(freshName(), "ann"), "404 coupon_not_found", "coupon not found");
    const name = await created(1);
    await claim(name, "ann");
    await remove(name);
    expectRefused(await own(name, "ann"), "404 coupon_not_found", "coupon not found");
  });

  test.for(["%", "%zz", "%ff", "%c3%28", "%00"])("of the user %s, which is no text, is 404 and no fault of the server", async (segment) => {
    const name = await created(1);
    const answer = await send("GET", `${pathOf(name, "claims")}/${segment}`);
    expectRefused(answer, "404 claim_not_found", "this user has no claim of this coupon");
  });
});

describe("a winner who asks again is told of the win", () => {
  test.for([
    ["sold out", {}],
    ["paused", { paused: true }],
    ["over", { ends_at: iso(T0 + MINUTE) }],
    ["over and paused", { ends_at: iso(T0 + MINUTE), paused: true }],
    ["yet to start", { starts_at: iso(T0 + 2 * MINUTE) }],
  ] as const)("when the sale is %s: by key, by receipt, by a look", async ([, facts]) => {
    setClock(T0);
    const name = await created(2);
    const granted = await claim(name, "ann", KEY);
    await claim(name, "bob");
    setClock(T0 + MINUTE);
    await change(name, facts);
    const { remaining_amount: _left, ...receipt } = granted.body;
    const head = seqOf(await look(name));

    const replay = await claim(name, "ann", KEY);
    expect([replay.status, replay.body, replay.headers.get("Idempotent-Replayed")]).toEqual([201, granted.body, "true"]);
    for (const headers of [{}, { "Idempotency-Key": "another" }]) {
      const again = await claim(name, "ann", headers);
      expectRefused(again, "409 already_claimed", "coupon already claimed by user");
      expect([again.body["claim"], again.headers.get("Idempotent-Replayed"), seqOf(again)]).toEqual([receipt, null, head]);
    }
    expect((await own(name, "ann")).body).toEqual(receipt);
    expect((await claim(name, "bob")).body["claim"]).toMatchObject({ user_id: "bob", position: 2 });
    expect((await claim(name, "loser")).status).toBeGreaterThanOrEqual(400);
    await expectSound(name);
  });

  test("60 times at once, half of them by key: each is told of the same claim", async () => {
    const name = await created(1);
    const { body } = await claim(name, "ann", KEY);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => claim(name, "ann", index % 2 === 0 ? KEY : {})));
    expect(tally(answers)).toEqual({ 201: 30, "409 already_claimed": 30 });
    expect(answers.filter(({ body: told }) => JSON.stringify(told) === JSON.stringify(body))).toHaveLength(30);
    await expectSound(name);
  });
});

const TEXTS = [
  "a/b",
  "/",
  "//",
  "../up",
  "...",
  "100%",
  "%2F",
  "a?b=c",
  "a#b",
  "a&b=c;d",
  "a+b c",
  " spaced ",
  "用户 🎉",
  "👩‍👩‍👧",
  "caf\u00e9",
  "cafe\u0301",
  "claim",
  "claims",
  "status",
  "{name}",
  ":name",
  "*",
  `"'\\`,
  "constructor",
  "__proto__",
  "<script>",
  "a".repeat(255),
  "🎉".repeat(255),
] as const;

describe("names and users of every kind in paths", () => {
  test.for(TEXTS)("%s", async (text) => {
    // A name that is all of the text, and a user who is called the same: neither is taken for a piece of the path.
    const name = text;
    expect((await create(name, 5)).body["name"]).toBe(name);
    const { remaining_amount: _left, ...receipt } = (await claim(name, text)).body;
    expect(receipt).toMatchObject({ coupon_name: name, user_id: text, position: 1 });
    expect((await own(name, text)).body).toEqual(receipt);
    expect((await list(name)).body["claims"]).toEqual([receipt]);
    expect((await status(name)).body).toMatchObject({ name, remaining_amount: 4 });
    expect((await release(name, text)).body).toMatchObject({ ...receipt, remaining_amount: 5 });
    expect((await hold(name, text)).body).toMatchObject({ coupon_name: name, user_id: text, remaining_amount: 4 });
    expect((await releaseHold(name, text)).status).toBe(204);
    expect((await change(name, { amount: 6 })).body).toMatchObject({ name, amount: 6, remaining_amount: 6 });
    await expectSound(name);
  });

  test("that look alike are not the same: composed and decomposed, upper and lower case", async () => {
    const name = await created(10);
    for (const user of ["caf\u00e9", "cafe\u0301", "ann", "Ann", "ann "]) expect((await claim(name, user)).status).toBe(201);
    expect((await own(name, "cafe\u0301")).body["position"]).toBe(2);
    expect((await own(name, "Ann")).body["position"]).toBe(4);
  });

  test("that no path can carry are found nowhere, and nothing else is touched in their place", async () => {
    const name = await created(5);
    for (const user of [".", ".."]) {
      await claim(name, user);
      for (const ask of [own, releaseHold]) expect((await ask(name, user)).status).toBe(404);
    }
    expect((await look(name)).body).toMatchObject({ remaining_amount: 3, claimed_by: [".", ".."] });
  });
});
