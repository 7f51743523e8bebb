// Certificates: refusals at the edge, for users outside the bypass set, while they are true.

import { expect, test } from "vitest";

import { CERTIFICATE_MS_MAX, LEASE_MARGIN_MS } from "../../../src/domain/limits.ts";
import { change, claim, countOutcomes, create, created, hold, pathOf, revoke, send, users } from "../../support/api.ts";
import { iso, SECOND, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { platform } from "../../support/platform-faults.ts";
import { stubOf } from "../../support/storage.ts";
import { certified, certify, CLOSED, isolate, outcomeBy } from "./isolate.ts";

const REFUSALS = Object.keys(CLOSED);

test.for(REFUSALS)("a certificate of %s refuses claims and holds without calling the object", async (refusal) => {
  const name = await certified(refusal);
  const over = platform();
  const { claim: claimNow, hold: holdNow } = isolate(over);
  expect(outcomeBy(await claimNow(name, "loser"))).toBe(`${refusal} by the edge`);
  expect(outcomeBy(await claimNow(name, "loser", { "Idempotency-Key": "new-key" }))).toBe(`${refusal} by the edge`);
  expect(outcomeBy(await holdNow(name, "loser"))).toBe(`${refusal} by the edge`);
  expect(over.calls).toEqual([]);
  await expectConserved(name);
});

test.for(REFUSALS)("a certificate of %s refuses exactly as the object does", async (refusal) => {
  const name = await certified(refusal);
  setClock(T0 + 300);
  const headers = { "X-Request-Id": "request-1" };
  const atEdge = await isolate().claim(name, "loser", headers);
  const over = platform();
  const { claim: claimUncached, works } = isolate(over, { SOLD_OUT_CACHE: "off" });
  const byObject = await claimUncached(name, "loser", headers);
  expect([over.calls.map(({ method }) => method), works]).toEqual([["claim"], []]);
  expect(byObject.headers.get("Served-By")).toBeNull();
  expect([atEdge.status, atEdge.body]).toEqual([byObject.status, byObject.body]);
  expect(Object.fromEntries(atEdge.headers)).toEqual({ ...Object.fromEntries(byObject.headers), "served-by": "edge" });
});

test.for(REFUSALS)("a certificate of %s stays valid over reads and releases of no hold", async (refusal) => {
  const name = await certified(refusal);
  const over = platform();
  const { send: sendNow, claim: claimNow, renewals } = isolate(over);
  for (const user of users(30)) expect((await sendNow("DELETE", pathOf(name, "holds", user))).status).toBe(204);
  for (const path of [[], ["status"], ["claims"], ["holds"], ["metrics"]]) {
    expect((await sendNow("GET", pathOf(name, ...path))).status).toBe(200);
  }
  expect(outcomeBy(await claimNow(name, "loser"))).toBe(`${refusal} by the edge`);
  expect(renewals()).toBe(0);
});

test("a refusal at the edge before the start has starts_at and Retry-After", async () => {
  const name = await certified("403 sale_not_started");
  setClock(T0 + 300);
  const answer = await isolate().claim(name, "loser");
  expect(outcomeBy(answer)).toBe("403 sale_not_started by the edge");
  expect(answer.body["starts_at"]).toBe("2031-03-01T12:01:00.000Z");
  expect(answer.headers.get("Retry-After")).toBe("60");
});

test("a winner beside a certificate gets 409 or the receipt from the object", async () => {
  const name = await certified();
  expect(outcomeBy(await isolate().claim(name, "winner"))).toBe("409 already_claimed by the object");
  const replay = await isolate().claim(name, "winner", { "Idempotency-Key": `key-of-${name}` });
  expect([outcomeBy(replay), replay.headers.get("Idempotent-Replayed")]).toEqual(["201 by the object", "true"]);
  expect(outcomeBy(await isolate().claim(name, "loser"))).toBe("400 out_of_stock by the edge");
});

test("a new user with a key in use gets 422 beside a certificate", async () => {
  const name = await certified();
  const answer = await isolate().claim(name, "loser", { "Idempotency-Key": `key-of-${name}` });
  expect(outcomeBy(answer)).toBe("422 idempotency_key_reused by the object");
});

test("a user of a revoked claim gets the object's out_of_stock beside a certificate", async () => {
  setClock(T0);
  const name = await created(1);
  await claim(name, "revoked");
  await revoke(name, "revoked");
  await claim(name, "winner");
  await certify(name, "400 out_of_stock");
  expect(outcomeBy(await isolate().claim(name, "revoked"))).toBe("400 out_of_stock by the object");
});

test("a holder gets the held unit beside a certificate", async () => {
  setClock(T0);
  const name = await created(1);
  await hold(name, "holder", 60);
  await certify(name, "400 out_of_stock");
  expect(outcomeBy(await isolate().hold(name, "holder"))).toBe("200 by the object");
  expect(outcomeBy(await isolate().claim(name, "holder"))).toBe("201 by the object");
  expect(outcomeBy(await isolate().claim(name, "holder"))).toBe("409 already_claimed by the object");
  await expectConserved(name);
});

test("claims with a key reach the object beside a certificate while units are held", async () => {
  setClock(T0);
  const name = await created(1);
  await hold(name, "holder", 60);
  await certify(name, "400 out_of_stock");
  expect(outcomeBy(await isolate().claim(name, "loser"))).toBe("400 out_of_stock by the edge");
  expect(outcomeBy(await isolate().claim(name, "loser", { "Idempotency-Key": "key-1" }))).toBe("400 out_of_stock by the object");
  // The key is used after the certificate was issued.
  expect(outcomeBy(await isolate().claim(name, "holder", { "Idempotency-Key": "key-2" }))).toBe("201 by the object");
  expect(outcomeBy(await isolate().claim(name, "loser", { "Idempotency-Key": "key-2" }))).toBe("422 idempotency_key_reused by the object");
});

test("600 winners and few new users reach the object beside a certificate", async () => {
  setClock(T0);
  const name = await created(600);
  await send("POST", pathOf(name, "claims"), { body: { user_ids: users(600, "winner") } });
  await certify(name, "400 out_of_stock");
  const winners = await Promise.all(users(600, "winner").map((user) => isolate().claim(name, user)));
  expect(countOutcomes(winners)).toEqual({ "409 already_claimed": 600 });
  const losers = (await Promise.all(users(500, "loser").map((user) => isolate().claim(name, user)))).map(outcomeBy);
  expect(losers.every((each) => each.startsWith("400 out_of_stock"))).toBe(true);
  // The Bloom filter's false positives: one in a thousand is expected.
  expect(losers.filter((each) => each.endsWith("by the object")).length).toBeLessThan(10);
});

test("a certificate ends before the sale, so that sale_ended is on time", async () => {
  setClock(T0);
  const name = await created(1, { ends_at: iso(T0 + 300) });
  await claim(name, "winner");
  await certify(name, "400 out_of_stock");
  setClock(T0 + 300 - LEASE_MARGIN_MS - 1);
  expect(outcomeBy(await isolate().claim(name, "a"))).toBe("400 out_of_stock by the edge");
  setClock(T0 + 300 - LEASE_MARGIN_MS);
  expect(outcomeBy(await isolate().claim(name, "b"))).toBe("400 out_of_stock by the object");
  setClock(T0 + 300);
  expect(outcomeBy(await isolate().claim(name, "c"))).toBe("403 sale_ended by the object");
});

test("a certificate ends before a hold, so that its unit is granted", async () => {
  setClock(T0);
  const name = await created(1);
  await hold(name, "holder", 1);
  await certify(name, "400 out_of_stock");
  setClock(T0 + SECOND - LEASE_MARGIN_MS - 1);
  expect(outcomeBy(await isolate().claim(name, "a"))).toBe("400 out_of_stock by the edge");
  setClock(T0 + SECOND);
  expect(outcomeBy(await isolate().claim(name, "b"))).toBe("201 by the object");
  await expectConserved(name);
});

test("a certificate ends before the start, so that a claim is granted", async () => {
  setClock(T0);
  const name = await created(1, { starts_at: iso(T0 + 300) });
  await certify(name, "403 sale_not_started");
  setClock(T0 + 300);
  expect(outcomeBy(await isolate().claim(name, "a"))).toBe("201 by the object");
});

/** Changes that reopen a coupon of which this isolate has a certificate. The clock stands. */
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

test.for(REOPENED)("%s ends the certificate, and a new user wins", async ([, reopen]) => {
  const name = await reopen();
  expect(outcomeBy(await isolate().claim(name, "second-loser"))).toBe("201 by the object");
  await expectConserved(name);
});

test("a delete beside a certificate makes claims 404, and a new coupon grants them", async () => {
  const name = await certified();
  expect((await send("DELETE", pathOf(name))).status).toBe(204);
  expect(outcomeBy(await isolate().claim(name, "second-loser"))).toBe("404 coupon_not_found by the object");
  await create(name, 1);
  expect(outcomeBy(await isolate().claim(name, "second-loser"))).toBe("201 by the object");
});

test("the acknowledgement of another isolate's change comes after the certificate has ended", async () => {
  const name = await certified();
  const changing = stubOf(name).change({ amount: 2 }, null);
  // The change waits for the lease. Until then the refusal is true.
  expect(outcomeBy(await isolate().claim(name, "a"))).toBe("400 out_of_stock by the edge");
  expect(await changing).toMatchObject({ ok: true });
  setClock(T0 + CERTIFICATE_MS_MAX);
  expect(outcomeBy(await isolate().claim(name, "a"))).toBe("201 by the object");
});

test("a certificate does not refuse malformed claims or claims of other coupons", async () => {
  const name = await certified();
  expect((await isolate().claim(name, " ")).body["code"]).toBe("invalid_request");
  expect(outcomeBy(await isolate().claim(`${name} `, "loser"))).toBe("404 coupon_not_found by the object");
  expect(outcomeBy(await isolate().claim(await created(1), "loser"))).toBe("201 by the object");
});
