// The sold-out certificate: refusals that cost the object nothing, for nobody who has anything, and for a second at most.

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { CERTIFICATE_MS_MAX, CERTIFICATES_MAX } from "../../src/domain/limits.ts";
import { remembered } from "../../src/edge/sold-out.ts";
import { createApp } from "../../src/http/app.ts";
import { change, expectSound, hold, iso, pathOf, release, remove, SECOND, setClock, T0 } from "../sale/sale.ts";
import { claim, create, created, freshName, send, tally, users, type Answer } from "../support/api.ts";
import { claimOver, platform, sendOver } from "../support/platform-faults.ts";
import { stubOf } from "../support/storage.ts";

/** How an answer came about: `400 edge`, or `400 object`. */
function way({ status, headers }: Answer): string {
  return `${status} ${headers.get("Served-By") ?? "object"}`;
}

/** A coupon without a unit left, of which this isolate has a certificate at {@link T0}: `winner` has the unit. */
async function soldOut(more: Record<string, unknown> = {}): Promise<string> {
  setClock(T0);
  const name = await created(1, more);
  await claim(name, "winner", { "Idempotency-Key": `key of ${name}`.replaceAll(" ", "-") });
  // The first refusal tells the isolate that there is something to ask for, the second one asks.
  expect(way(await claim(name, "loser-1"))).toBe("400 object");
  expect(way(await claim(name, "loser-2"))).toBe("400 object");
  expect(way(await claim(name, "loser-3"))).toBe("400 edge");
  return name;
}

describe("with a certificate", () => {
  test("losers are refused as the object would, without asking it", async () => {
    const name = await soldOut();
    const over = platform();
    const answer = await claimOver(over, name, "loser-4");
    expect([answer.status, answer.body["code"], answer.body["error"]]).toEqual([400, "out_of_stock", "coupon out of stock"]);
    expect([answer.headers.get("Served-By"), answer.headers.get("Coupon-Seq")]).toEqual(["edge", "2"]);
    expect((await sendOver(over, "POST", pathOf(name, "holds"), { body: { user_id: "loser-5", ttl_seconds: 60 } })).status).toBe(400);
    expect(over.calls).toEqual([]);
    await expectSound(name);
  });

  test("the winner is told of the claim, by the object", async () => {
    const name = await soldOut();
    const again = await claim(name, "winner");
    expect([way(again), again.body["code"]]).toEqual(["409 object", "already_claimed"]);
    const replay = await claim(name, "winner", { "Idempotency-Key": `key of ${name}`.replaceAll(" ", "-") });
    expect([way(replay), replay.headers.get("Idempotent-Replayed")]).toEqual(["201 object", "true"]);
    // Neither takes the certificate from the losers.
    expect(way(await claim(name, "loser-4"))).toBe("400 edge");
  });

  test("a stranger with the winner's key is told that it was used, by the object", async () => {
    const name = await soldOut();
    const answer = await claim(name, "stranger", { "Idempotency-Key": `key of ${name}`.replaceAll(" ", "-") });
    expect([way(answer), answer.body["code"]]).toEqual(["422 object", "idempotency_key_reused"]);
    expect(way(await claim(name, "stranger", { "Idempotency-Key": "another-key" }))).toBe("400 edge");
  });

  test("a malformed claim is still told so, and other coupons know nothing of it", async () => {
    const name = await soldOut();
    expect((await claim(name, " ")).body["code"]).toBe("invalid_request");
    expect((await claim(`${name} `, "loser")).body["code"]).toBe("coupon_not_found");
    expect(way(await claim(await created(1), "loser-4"))).toBe("201 object");
  });

  test("the metrics count, with the next certificate, what the object never saw", async () => {
    const name = await soldOut();
    for (const user of users(7, "late")) expect(way(await claim(name, user))).toBe("400 edge");
    setClock(T0 + SECOND);
    expect(way(await claim(name, "asks"))).toBe("400 object");
    const text = await (await createApp().request(`https://doorbuster.test${pathOf(name, "metrics")}`, {}, env)).text();
    // loser-1 to -3, late-1 to -7, asks.
    expect(text).toMatch(/outcome="out_of_stock"[^\n]* 11\n/);
  });
});

describe("a certificate ends", () => {
  test("a second after it was asked for, and is renewed before by one request alone", async () => {
    const name = await soldOut();
    setClock(T0 + CERTIFICATE_MS_MAX - 251);
    expect(way(await claim(name, "a"))).toBe("400 edge");
    setClock(T0 + CERTIFICATE_MS_MAX - 250);
    const over = platform();
    const ways = (await Promise.all(users(20).map((user) => claimOver(over, name, user)))).map(way);
    expect(ways.filter((each) => each === "400 object")).toHaveLength(1);
    expect(over.calls).toHaveLength(1);
    // The renewed one lasts from when that was asked.
    setClock(T0 + 2 * CERTIFICATE_MS_MAX - 501);
    expect(way(await claim(name, "b"))).toBe("400 edge");
  });

  test("after a second in which nobody asked", async () => {
    const name = await soldOut();
    await stubOf(name).change({ amount: 2 }, null);
    setClock(T0 + CERTIFICATE_MS_MAX);
    expect(way(await claim(name, "a"))).toBe("201 object");
  });

  test("when the sale does", async () => {
    const name = await soldOut({ ends_at: iso(T0 + 300) });
    setClock(T0 + 299);
    expect((await claim(name, "a")).body["code"]).toBe("out_of_stock");
    setClock(T0 + 300);
    expect((await claim(name, "b")).body["code"]).toBe("sale_ended");
  });

  test("when the next hold does, and that unit goes out", async () => {
    setClock(T0);
    const name = await created(2);
    await claim(name, "winner");
    await hold(name, "holder", 1);
    setClock(T0 + 500);
    for (const user of users(3)) await claim(name, user);
    setClock(T0 + 749);
    expect(way(await claim(name, "a"))).toBe("400 edge");
    setClock(T0 + 1000);
    expect(way(await claim(name, "b"))).toBe("201 object");
    await expectSound(name);
  });

  test.for<[string, (name: string) => Promise<unknown>]>([
    ["a restock", (name) => change(name, { amount: 2 })],
    ["a release", (name) => release(name, "winner")],
    ["a bulk claim", (name) => send("POST", pathOf(name, "claims"), { body: { user_ids: ["x"] } })],
  ])("at once where %s passes through the same isolate", async ([, act]) => {
    const name = await soldOut();
    await act(name);
    expect(way(await claim(name, "loser-1"))).toMatch(/^(201|400) object$/);
    await expectSound(name);
  });

  test("at once where the coupon is deleted and created again there", async () => {
    const name = await soldOut();
    await remove(name);
    expect((await claim(name, "loser-1")).status).toBe(404);
    await create(name, 1);
    expect(way(await claim(name, "loser-1"))).toBe("201 object");
  });

  test("no later than a second after it was deleted and created again elsewhere", async () => {
    const name = await soldOut();
    await stubOf(name).remove();
    await stubOf(name).create({ name, amount: 1, startsAt: null, endsAt: null });
    expect(way(await claim(name, "loser-1"))).toBe("400 edge");
    setClock(T0 + CERTIFICATE_MS_MAX);
    expect(way(await claim(name, "loser-1"))).toBe("201 object");
  });
});

describe("what a certificate is made of", () => {
  test("holders, those who gave back or were released, and winners are all asked about", async () => {
    setClock(T0);
    const name = await created(3);
    for (const user of ["released", "one", "two"]) await claim(name, user);
    await release(name, "released");
    await hold(name, "holder", 60);
    for (const user of users(3, "loser")) await claim(name, user);
    expect(way(await claim(name, "loser"))).toBe("400 edge");
    expect(way(await claim(name, "released"))).toBe("400 object");
    expect(way(await claim(name, "two"))).toBe("409 object");
    expect(way(await claim(name, "holder"))).toBe("201 object");
    await expectSound(name);
  });

  test("of an ended sale, the holder's claim still goes through", async () => {
    setClock(T0);
    const name = await created(2, { ends_at: iso(T0 + SECOND) });
    await hold(name, "holder", 60);
    setClock(T0 + SECOND);
    for (const user of users(2, "late")) expect((await claim(name, user)).body["code"]).toBe("sale_ended");
    expect(way(await claim(name, "late"))).toBe("403 edge");
    expect(way(await claim(name, "holder"))).toBe("201 object");
    expect(way(await claim(name, "holder"))).toBe("409 object");
    await expectSound(name);
  });

  test("every one of 600 winners is told so, and hardly a loser is taken for one", async () => {
    setClock(T0);
    const name = await created(600);
    await send("POST", pathOf(name, "claims"), { body: { user_ids: users(600, "winner") } });
    for (const user of users(2)) await claim(name, user);
    const winners = await Promise.all(users(600, "winner").map((user) => claim(name, user)));
    expect(tally(winners)).toEqual({ "409 already_claimed": 600 });
    const losers = (await Promise.all(users(500, "loser").map((user) => claim(name, user)))).map(way);
    expect(losers.every((each) => each.startsWith("400 "))).toBe(true);
    // One in a thousand at most is expected; 10 in 500 by chance is out of the question.
    expect(losers.filter((each) => each === "400 object").length).toBeLessThan(10);
    await expectSound(name);
  });

  test("a paused sale and one that has not started are judged by the object", async () => {
    setClock(T0);
    const paused = await created(1);
    await change(paused, { paused: true });
    const scheduled = await created(1, { starts_at: iso(T0 + SECOND) });
    for (const name of [paused, scheduled]) {
      for (const user of users(4)) expect(way(await claim(name, user))).toBe("403 object");
    }
  });
});

describe("the stampede with certificates on", () => {
  test("1,000 users on the last unit: one winner, who is told so on retry, twice in a row", async () => {
    for (let round = 0; round < 2; round += 1) {
      const name = await created(1);
      const answers = await Promise.all(users(1000).map((user) => claim(name, user)));
      expect(tally(answers)).toEqual({ 201: 1, "400 out_of_stock": 999 });
      const winner = String(answers.find(({ status }) => status === 201)?.body["user_id"]);
      const retries = await Promise.all([claim(name, winner), claim(name, winner), ...users(20, "late").map((user) => claim(name, user))]);
      expect(tally(retries)).toEqual({ "409 already_claimed": 2, "400 out_of_stock": 20 });
    }
  });
});

test("is off with SOLD_OUT_CACHE=off", async () => {
  const name = await soldOut();
  const body = JSON.stringify({ user_id: "loser-9", coupon_name: name });
  const response = await createApp().request(
    "https://doorbuster.test/api/coupons/claim",
    { method: "POST", body },
    { ...env, SOLD_OUT_CACHE: "off" },
  );
  expect([response.status, response.headers.get("Served-By")]).toEqual([400, null]);
});

test("an isolate remembers a bounded number of coupons", async () => {
  setClock(T0);
  const name = freshName();
  await create(name, 1);
  await claim(name, "winner");
  // Every name is refused as this one is: its object answers for all of them.
  const over = platform();
  const coupons = { idFromName: () => env.COUPONS.idFromName(name), get: (id: DurableObjectId) => over.coupons.get(id) };
  const one = { ...over, coupons: coupons as unknown as typeof over.coupons };
  for (let count = 0; count < CERTIFICATES_MAX + 50; count += 1) await claimOver(one, freshName(), "loser");
  expect(remembered().coupons).toBe(CERTIFICATES_MAX);
});
