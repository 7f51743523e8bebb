// Certificates: refusals that cost the object nothing, for users who certainly have nothing of the coupon, while they are true.

import { describe, expect, test } from "vitest";

import { CERTIFICATE_MS_MAX, LEASE_MARGIN_MS } from "../../../src/domain/limits.ts";
import { change, claim, countOutcomes, create, created, hold, pathOf, revoke, send, users } from "../../support/api.ts";
import { iso, SECOND, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { platform } from "../../support/platform-faults.ts";
import { stubOf } from "../../support/storage.ts";
import { certified, certify, CLOSED, visits, way } from "./visits.ts";

const REFUSALS = Object.keys(CLOSED);

describe.for(REFUSALS)("a coupon that refuses with %s", (refusal) => {
  test("refuses claims and holds at the edge, and calls no object", async () => {
    const name = await certified(refusal);
    const over = platform();
    const { claim: claimNow, hold: holdNow } = visits(over);
    expect(way(await claimNow(name, "loser"))).toBe(`${refusal} by the edge`);
    expect(way(await claimNow(name, "loser", { "Idempotency-Key": "new-key" }))).toBe(`${refusal} by the edge`);
    expect(way(await holdNow(name, "loser"))).toBe(`${refusal} by the edge`);
    expect(over.calls).toEqual([]);
    await expectConserved(name);
  });

  test("answers at the edge word for word as the object does", async () => {
    const name = await certified(refusal);
    setClock(T0 + 300);
    const headers = { "X-Request-Id": "request-1" };
    const atEdge = await visits().claim(name, "loser", headers);
    const byObject = await visits(platform(), { SOLD_OUT_CACHE: "off" }).claim(name, "loser", headers);
    expect(byObject.headers.get("Served-By")).toBeNull();
    expect([atEdge.status, atEdge.body]).toEqual([byObject.status, byObject.body]);
    expect(Object.fromEntries(atEdge.headers)).toEqual({ ...Object.fromEntries(byObject.headers), "served-by": "edge" });
  });

  test("stays with its certificate over requests without effect", async () => {
    const name = await certified(refusal);
    const over = platform();
    const { send: sendNow, claim: claimNow, renewals } = visits(over);
    for (const user of users(30)) expect((await sendNow("DELETE", pathOf(name, "holds", user))).status).toBe(204);
    for (const path of [[], ["status"], ["claims"], ["holds"], ["metrics"]]) {
      expect((await sendNow("GET", pathOf(name, ...path))).status).toBe(200);
    }
    expect(way(await claimNow(name, "loser"))).toBe(`${refusal} by the edge`);
    expect(renewals()).toBe(0);
  });

  test("is judged by the object once the certificate has ended", async () => {
    const name = await certified(refusal);
    setClock(T0 + CERTIFICATE_MS_MAX);
    expect(way(await visits().claim(name, "loser"))).toBe(`${refusal} by the object`);
  });

  test("is judged by the object where SOLD_OUT_CACHE is off", async () => {
    const name = await certified(refusal);
    const over = platform();
    const { claim: claimNow, works } = visits(over, { SOLD_OUT_CACHE: "off" });
    expect(way(await claimNow(name, "loser"))).toBe(`${refusal} by the object`);
    expect(over.calls.map(({ method }) => method)).toEqual(["claim"]);
    expect(works).toEqual([]);
  });
});

test("a refusal at the edge before the start names it by instant and seconds", async () => {
  const name = await certified("403 sale_not_started");
  setClock(T0 + 300);
  const answer = await visits().claim(name, "loser");
  expect(way(answer)).toBe("403 sale_not_started by the edge");
  expect(answer.body["starts_at"]).toBe("2031-03-01T12:01:00.000Z");
  expect(answer.headers.get("Retry-After")).toBe("60");
});

describe("beside a certificate, the object judges", () => {
  test("the winner, who gets 409 without the key and the receipt with it", async () => {
    const name = await certified();
    expect(way(await visits().claim(name, "winner"))).toBe("409 already_claimed by the object");
    const replay = await visits().claim(name, "winner", { "Idempotency-Key": `key-of-${name}` });
    expect([way(replay), replay.headers.get("Idempotent-Replayed")]).toEqual(["201 by the object", "true"]);
    expect(way(await visits().claim(name, "loser"))).toBe("400 out_of_stock by the edge");
  });

  test("a new user with a key in use", async () => {
    const name = await certified();
    const answer = await visits().claim(name, "loser", { "Idempotency-Key": `key-of-${name}` });
    expect(way(answer)).toBe("422 idempotency_key_reused by the object");
  });

  test("a user whose claim was revoked", async () => {
    setClock(T0);
    const name = await created(1);
    await claim(name, "revoked");
    await revoke(name, "revoked");
    await claim(name, "winner");
    await certify(name, "400 out_of_stock");
    expect(way(await visits().claim(name, "revoked"))).toBe("400 out_of_stock by the object");
  });

  test("the holder, who claims the unit", async () => {
    setClock(T0);
    const name = await created(1);
    await hold(name, "holder", 60);
    await certify(name, "400 out_of_stock");
    expect(way(await visits().hold(name, "holder"))).toBe("200 by the object");
    expect(way(await visits().claim(name, "holder"))).toBe("201 by the object");
    expect(way(await visits().claim(name, "holder"))).toBe("409 already_claimed by the object");
    await expectConserved(name);
  });

  test("each claim with a key while units are held", async () => {
    setClock(T0);
    const name = await created(1);
    await hold(name, "holder", 60);
    await certify(name, "400 out_of_stock");
    expect(way(await visits().claim(name, "loser"))).toBe("400 out_of_stock by the edge");
    expect(way(await visits().claim(name, "loser", { "Idempotency-Key": "key-1" }))).toBe("400 out_of_stock by the object");
    // The key comes into use after the certificate.
    expect(way(await visits().claim(name, "holder", { "Idempotency-Key": "key-2" }))).toBe("201 by the object");
    expect(way(await visits().claim(name, "loser", { "Idempotency-Key": "key-2" }))).toBe("422 idempotency_key_reused by the object");
  });

  test("all of 600 winners, and hardly any new user", async () => {
    setClock(T0);
    const name = await created(600);
    await send("POST", pathOf(name, "claims"), { body: { user_ids: users(600, "winner") } });
    await certify(name, "400 out_of_stock");
    const winners = await Promise.all(users(600, "winner").map((user) => visits().claim(name, user)));
    expect(countOutcomes(winners)).toEqual({ "409 already_claimed": 600 });
    const losers = (await Promise.all(users(500, "loser").map((user) => visits().claim(name, user)))).map(way);
    expect(losers.every((each) => each.startsWith("400 out_of_stock"))).toBe(true);
    // One in a thousand is expected at most.
    expect(losers.filter((each) => each.endsWith("by the object")).length).toBeLessThan(10);
  });
});

describe("with a certificate that ends early", () => {
  test("the end of the sale is answered by the object", async () => {
    setClock(T0);
    const name = await created(1, { ends_at: iso(T0 + 300) });
    await claim(name, "winner");
    await certify(name, "400 out_of_stock");
    setClock(T0 + 300 - LEASE_MARGIN_MS - 1);
    expect(way(await visits().claim(name, "a"))).toBe("400 out_of_stock by the edge");
    setClock(T0 + 300 - LEASE_MARGIN_MS);
    expect(way(await visits().claim(name, "b"))).toBe("400 out_of_stock by the object");
    setClock(T0 + 300);
    expect(way(await visits().claim(name, "c"))).toBe("403 sale_ended by the object");
  });

  test("the unit of a hold that has ended is granted", async () => {
    setClock(T0);
    const name = await created(1);
    await hold(name, "holder", 1);
    await certify(name, "400 out_of_stock");
    setClock(T0 + SECOND - LEASE_MARGIN_MS - 1);
    expect(way(await visits().claim(name, "a"))).toBe("400 out_of_stock by the edge");
    setClock(T0 + SECOND);
    expect(way(await visits().claim(name, "b"))).toBe("201 by the object");
    await expectConserved(name);
  });

  test("the first claim after the start is granted", async () => {
    setClock(T0);
    const name = await created(1, { starts_at: iso(T0 + 300) });
    await certify(name, "403 sale_not_started");
    setClock(T0 + 300);
    expect(way(await visits().claim(name, "a"))).toBe("201 by the object");
  });
});

/** Through this isolate, with a certificate whose time does not pass. */
const REOPENED: readonly (readonly [string, () => Promise<string>])[] = [
  ["a restock", () => reopened("400 out_of_stock", (name) => change(name, { amount: 2 }), 200)],
  ["a revoked claim", () => reopened("400 out_of_stock", (name) => revoke(name, "winner"), 200)],
  ["the end of a pause", () => reopened("403 sale_paused", (name) => change(name, { paused: false }), 200)],
  ["an earlier start", () => reopened("403 sale_not_started", (name) => change(name, { starts_at: null }), 200)],
  ["a later end", () => reopened("403 sale_ended", (name) => change(name, { ends_at: null }), 200)],
  ["a released hold", () => unheld((name) => send("DELETE", pathOf(name, "holds", "holder")), 204)],
  ["the end of all holds", () => unheld((name) => send("DELETE", pathOf(name, "holds")), 200)],
];

async function reopened(refusal: string, act: (name: string) => Promise<{ status: number }>, status: number): Promise<string> {
  const name = await certified(refusal);
  expect((await act(name)).status).toBe(status);
  return name;
}

async function unheld(act: (name: string) => Promise<{ status: number }>, status: number): Promise<string> {
  setClock(T0);
  const name = await created(1);
  await hold(name, "holder", 60);
  await certify(name, "400 out_of_stock");
  expect((await act(name)).status).toBe(status);
  return name;
}

describe("after an acknowledged change", () => {
  test.for(REOPENED)("%s, the next new user gets the unit", async ([, reopen]) => {
    const name = await reopen();
    expect(way(await visits().claim(name, "second-loser"))).toBe("201 by the object");
    await expectConserved(name);
  });

  test("the deletion, the claim finds no coupon, and gets one of the next", async () => {
    const name = await certified();
    expect((await send("DELETE", pathOf(name))).status).toBe(204);
    expect(way(await visits().claim(name, "second-loser"))).toBe("404 coupon_not_found by the object");
    await create(name, 1);
    expect(way(await visits().claim(name, "second-loser"))).toBe("201 by the object");
  });

  test("elsewhere, the certificate is over before the change is answered", async () => {
    const name = await certified();
    const changing = stubOf(name).change({ amount: 2 }, null);
    // It waits for the lease, in which the old refusal is still true.
    expect(way(await visits().claim(name, "a"))).toBe("400 out_of_stock by the edge");
    expect(await changing).toMatchObject({ ok: true });
    setClock(T0 + CERTIFICATE_MS_MAX);
    expect(way(await visits().claim(name, "a"))).toBe("201 by the object");
  });
});

test("the last unit has one winner of 1,000 users, who gets 409 afterwards", async () => {
  const name = await created(1);
  const answers = await Promise.all(users(1000).map((user) => visits().claim(name, user)));
  expect(countOutcomes(answers)).toEqual({ 201: 1, "400 out_of_stock": 999 });
  const winner = String(answers.find(({ status }) => status === 201)?.body["user_id"]);
  const again = await Promise.all([winner, winner, ...users(20, "late")].map((user) => visits().claim(name, user)));
  expect(countOutcomes(again)).toEqual({ "409 already_claimed": 2, "400 out_of_stock": 20 });
});

test("a certificate refuses no malformed claim and no claim of another coupon", async () => {
  const name = await certified();
  expect((await visits().claim(name, " ")).body["code"]).toBe("invalid_request");
  expect(way(await visits().claim(`${name} `, "loser"))).toBe("404 coupon_not_found by the object");
  expect(way(await visits().claim(await created(1), "loser"))).toBe("201 by the object");
});
