// What an operator may change of a coupon while it is being sold.

import { expect, test } from "vitest";

import {
  change,
  claim,
  countOutcomes,
  created,
  etagOf,
  freshName,
  hold,
  outcomeOf,
  pathOf,
  read,
  send,
  seqOf,
  users,
} from "../../support/api.ts";
import { iso, MINUTE, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { runSql, stored } from "../../support/storage.ts";
import { expectRefused } from "../../support/wire.ts";

/** A coupon of 10 units with 3 claimed and 2 held. */
async function inUse(): Promise<string> {
  setClock(T0);
  const name = await created(10);
  for (const user of users(3)) await claim(name, user);
  for (const user of users(2, "holder")) await hold(name, user);
  return name;
}

test.for([
  ["amount", 20, { remaining_amount: 15, state: "open" }],
  ["amount", 5, { remaining_amount: 0, state: "sold_out" }],
  ["starts_at", iso(T0 + MINUTE), { state: "scheduled" }],
  ["starts_at", iso(T0), { state: "open" }],
  ["ends_at", iso(T0), { state: "ended" }],
  ["ends_at", iso(T0 + 1), { state: "open" }],
  ["paused", true, { state: "paused" }],
] as const)("a change of %s to %s answers the changed coupon, and nothing else changes", async ([field, value, follows]) => {
  const name = await inUse();
  const { body: before } = await read(name);
  const { status: code, body, headers } = await change(name, { [field]: value });

  expect([code, headers.get("Coupon-Seq"), headers.get("Content-Type")]).toEqual([200, "7", "application/json"]);
  const { claimed_by: _winners, ...shown } = before;
  expect(body).toEqual({ ...shown, [field]: value, ...follows });
  expect((await read(name)).body).toEqual({ ...body, claimed_by: users(3) });
  expect((await stored(name)).ledger.at(-1)).toMatchObject({ seq: 7, kind: "changed", user_id: null, at: T0 });
  await expectConserved(name);
});

test("a change that is repeated changes neither the ETag nor the ledger", async () => {
  const name = await inUse();
  const body = { amount: 12, starts_at: iso(T0 - MINUTE), ends_at: iso(T0 + MINUTE), paused: true };
  const first = await change(name, body);
  const { ledger } = await stored(name);
  for (let time = 2; time <= 4; time += 1) {
    const again = await change(name, body);
    expect([again.status, again.body, seqOf(again), etagOf(again)]).toEqual([200, first.body, 7, etagOf(first)]);
  }
  expect((await stored(name)).ledger).toEqual(ledger);
});

test("a change to the present values answers 200 and changes nothing", async () => {
  const name = await inUse();
  const before = await read(name);
  const answer = await change(name, { amount: 10, paused: false, starts_at: null, ends_at: null });
  expect([answer.status, seqOf(answer)]).toEqual([200, 6]);
  const after = await read(name);
  expect([after.body, etagOf(after)]).toEqual([before.body, etagOf(before)]);
  await expectConserved(name);
});

test("a change of the amount below claims and holds gets 409 with amount_min", async () => {
  const name = await inUse();
  const answer = await change(name, { amount: 4, paused: true });
  expectRefused(answer, "409 amount_below_claimed");
  expect([answer.body["amount_min"], seqOf(answer)]).toEqual([5, 6]);
  expect((await read(name)).body).toMatchObject({ amount: 10, remaining_amount: 5, paused: false });
  await expectConserved(name);
});

test.for([
  [{ starts_at: iso(T0), ends_at: iso(T0) }, "ends_at must be after starts_at"],
  [{ starts_at: iso(T0 + 1), ends_at: iso(T0) }, "ends_at must be after starts_at"],
  [{ starts_at: iso(T0 + MINUTE) }, "starts_at must be before ends_at"],
  [{ ends_at: iso(T0 - MINUTE) }, "ends_at must be after starts_at"],
  [{ amount: 0 }, "amount must be at least 1"],
  [{ amount: null }, "amount must be an integer from 1 to 2147483647"],
] as const)("the change %j gets 400: %s", async ([body, fault]) => {
  setClock(T0);
  const name = await created(5, { starts_at: iso(T0 - MINUTE), ends_at: iso(T0 + MINUTE) });
  const before = await read(name);
  const answer = await change(name, body);
  expectRefused(answer, "400 invalid_request", `invalid request: ${fault}`);
  const [field, ...rest] = fault.split(" ");
  expect(answer.body["fields"]).toEqual({ [String(field)]: rest.join(" ") });
  expect((await read(name)).body).toEqual(before.body);
  expect(seqOf(await read(name))).toBe(1);
});

test("a change with a body that is no object gets 400", async () => {
  for (const raw of ["", "[]", "null"]) {
    expectRefused(await send("PATCH", pathOf("any"), { raw }), "400 invalid_request", "invalid request body");
  }
});

test("a change of a missing coupon gets 404, also with If-Match", async () => {
  for (const headers of [{}, { "If-Match": "*" }]) {
    expectRefused(await change(freshName(), { amount: 1 }, headers), "404 coupon_not_found", "coupon not found");
  }
});

test("a change that storage refuses gets 503 and changes nothing", async () => {
  const name = await inUse();
  await runSql(name, "CREATE TRIGGER broken BEFORE UPDATE OF paused ON coupon BEGIN SELECT RAISE(ABORT, 'injected'); END");
  const answer = await change(name, { paused: true });
  expect([outcomeOf(answer), answer.headers.get("Retry-After")]).toEqual(["503 unavailable", "1"]);
  await runSql(name, "DROP TRIGGER broken");
  expect((await read(name)).body).toMatchObject({ paused: false, state: "open" });
  await expectConserved(name);
});

test.for([
  ["the ETag", (tag: string) => tag],
  ["a star", () => "*"],
  ["a list with the ETag", (tag: string) => `"other", ${tag} ,W/"weak"`],
] as const)("a change with If-Match of %s is made", async ([, headerOf]) => {
  const name = await inUse();
  const ifMatch = headerOf(etagOf(await read(name)));
  const answer = await change(name, { amount: 11 }, { "If-Match": ifMatch });
  expect([answer.status, answer.body["amount"], seqOf(answer)]).toEqual([200, 11, 7]);
});

test.for([
  ["another ETag", () => '"other"'],
  ["the ETag as a weak one", (tag: string) => `W/${tag}`],
  ["the ETag without quotes", (tag: string) => tag.replaceAll('"', "")],
] as const)("a change with If-Match of %s gets 412", async ([, headerOf]) => {
  const name = await inUse();
  const ifMatch = headerOf(etagOf(await read(name)));
  const answer = await change(name, { amount: 11 }, { "If-Match": ifMatch });
  expectRefused(answer, "412 precondition_failed");
  expect(seqOf(answer)).toBe(6);
  expect((await read(name)).body["amount"]).toBe(10);
});

test("a change with If-Match by 50 operators at once is made once", async () => {
  const name = await inUse();
  const tag = etagOf(await read(name));
  const asked = Array.from({ length: 50 }, (_, index) => change(name, { amount: 20 + index }, { "If-Match": tag }));
  const answers = await Promise.all(asked);
  expect(countOutcomes(answers)).toEqual({ 200: 1, "412 precondition_failed": 49 });
  expect((await read(name)).body["amount"]).toBe(answers.find(({ status: code }) => code === 200)?.body["amount"]);
  await expectConserved(name);
});

test("50 changes of the amount during 100 claims leave the coupon conserved", async () => {
  setClock(T0);
  const name = await created(30);
  const amounts = Array.from({ length: 50 }, (_, index) => 1 + ((index * 7) % 60));
  const early = users(50, "early").map((user) => claim(name, user));
  const changing = amounts.map((amount) => change(name, { amount }));
  const late = users(50, "late").map((user) => claim(name, user));

  const claimed = countOutcomes(await Promise.all([...early, ...late]));
  expect((claimed["201"] ?? 0) + (claimed["400 out_of_stock"] ?? 0)).toBe(100);
  const changed = countOutcomes(await Promise.all(changing));
  expect((changed["200"] ?? 0) + (changed["409 amount_below_claimed"] ?? 0)).toBe(50);
  const { claims } = await expectConserved(name);
  expect(claims).toHaveLength(claimed["201"] ?? 0);
});
