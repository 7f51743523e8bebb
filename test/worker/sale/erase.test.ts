// The operator erases a user: the id is gone everywhere, and everything else is as before.

import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { ERASED_COUPONS_AT_ONCE_MAX } from "../../../src/domain/delivery-limits.ts";
import type { CouponCalls } from "../../../src/domain/rpc.ts";
import { storePage } from "../../../src/read-model/store.ts";
import * as api from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stubOf, stored } from "../../support/storage.ts";
import { expectRefused } from "../../support/wire.ts";
import { workerWith } from "../../support/worker.ts";
import { deliver } from "../delivery/deliver.ts";

const PSEUDONYM = /^erased:[0-9a-f]{32}$/;

function erase(userId: string, query = ""): Promise<api.Answer> {
  return api.send("DELETE", `/api/users/${encodeURIComponent(userId)}${query}`, { headers: { "X-Actor": "alice" } });
}

/** A coupon that this user has a claim of, with a key, and bob too. It is delivered. */
async function claimedBy(user: string, amount: number): Promise<string> {
  const name = await api.created(amount);
  await api.claim(name, user, { "Idempotency-Key": `${user}-1` });
  await api.claim(name, "bob");
  await deliver(name);
  return name;
}

/** Every row of D1 that has this text. */
async function rowsWith(text: string): Promise<number> {
  const { results } = await env.DB.prepare(
    "SELECT user_id FROM claims WHERE user_id = ?1 UNION ALL SELECT user_id FROM events WHERE user_id = ?1",
  )
    .bind(text)
    .all();
  return results.length;
}

test("an erased user's id is in no answer, table or row of the database, and the counts are as before", async () => {
  const user = api.freshName("ann");
  const names = [await claimedBy(user, 3), await claimedBy(user, 2)];
  const before = await Promise.all(names.map((name) => api.readStatus(name)));
  const answer = await erase(user);
  expect([answer.status, answer.body]).toEqual([200, { erased_count: 2, next_after: null, as_of: expect.any(String) }]);
  await deliver(...names);
  expect((await api.send("GET", `/api/users/${user}/claims`)).body["claims"]).toEqual([]);
  expect(await rowsWith(user)).toBe(0);
  for (const [index, name] of names.entries()) {
    const [claims, history, status] = [await api.listClaims(name), await api.send("GET", api.pathOf(name, "history")), before[index]?.body];
    expect(claims.body["claims"]).toMatchObject([
      { position: 1, user_id: expect.stringMatching(PSEUDONYM) },
      { position: 2, user_id: "bob" },
    ]);
    const { events } = history.body as { events: object[] };
    expect(events.at(-1)).toMatchObject({ kind: "erased", actor: "alice", user_id: expect.stringMatching(PSEUDONYM), position: null });
    expect(JSON.stringify([claims.body, history.body, await stored(name)])).not.toContain(user);
    const { state, remaining_amount, held_amount } = (await api.read(name)).body;
    expect({ state, remaining_amount, held_amount }).toMatchObject({
      state: status?.["state"],
      remaining_amount: status?.["remaining_amount"],
      held_amount: 0,
    });
    await expectConserved(name);
  }
});

test("an erased user can't claim or hold again while the sale is open, nor after it is sold out", async () => {
  const user = api.freshName("ann");
  const name = await claimedBy(user, 3);
  const pseudonyms = new Set<unknown>();
  await erase(user);
  for (const key of ["", `${user}-1`, "new"]) {
    const again = await api.claim(name, user, key === "" ? {} : { "Idempotency-Key": key });
    expect(api.outcomeOf(again)).toBe(key === `${user}-1` ? "201" : "409 already_claimed");
    pseudonyms.add((again.body["claim"] as { user_id: string } | undefined)?.user_id ?? again.body["user_id"]);
  }
  expect(pseudonyms.size).toBe(1);
  expect([...pseudonyms][0]).toMatch(PSEUDONYM);
  expectRefused(await api.hold(name, user), "409 already_claimed", "coupon already claimed by user");
  await api.claim(name, "cid");
  // The first refusal fetches a certificate, which must not cover the erased user.
  for (let turn = 0; turn < 3; turn += 1) {
    expect(api.outcomeOf(await api.claim(name, "dan"))).toBe("400 out_of_stock");
    expect(api.outcomeOf(await api.claim(name, user))).toBe("409 already_claimed");
  }
  expect((await api.getUserClaim(name, user)).body).toMatchObject({ position: 1, user_id: expect.stringMatching(PSEUDONYM) });
  expect((await api.claim(name, "bob")).body).toMatchObject({ claim: { user_id: "bob", position: 2 } });
  await expectConserved(name);
});

test("an erasure that is repeated, or of a user without claims, changes nothing", async () => {
  const user = api.freshName("ann");
  const name = await claimedBy(user, 2);
  expect((await erase(user)).body).toMatchObject({ erased_count: 1 });
  const before = await stored(name);
  // The database still names the coupon, because the erasure is not delivered yet.
  for (const other of [user, api.freshName("nobody")]) expect((await erase(other)).body).toMatchObject({ erased_count: 0 });
  expect(await stored(name)).toEqual(before);
});

test("a hold alone is found by the database, and its user's claim is one of the pseudonym", async () => {
  const user = api.freshName("ann");
  const name = await api.created(1);
  await api.hold(name, user);
  await deliver(name);
  expect((await erase(user)).body).toMatchObject({ erased_count: 1 });
  expect((await stored(name)).holds).toMatchObject([{ user_id: expect.stringMatching(PSEUDONYM) }]);
  expect((await api.claim(name, user)).body).toMatchObject({ position: 1, user_id: expect.stringMatching(PSEUDONYM) });
  await expectConserved(name);
});

test("a coupon that is named is erased without a database", async () => {
  const user = api.freshName("ann");
  const name = await api.created(1);
  await api.claim(name, user);
  const ask = workerWith({ DB: undefined });
  expect((await ask("DELETE", `/api/users/${user}?coupon=${name}`)).body).toEqual({ erased_count: 1, next_after: null, as_of: null });
  expect(api.outcomeOf(await api.claim(name, user))).toBe("409 already_claimed");
  expectRefused(await ask("DELETE", `/api/users/${user}?coupon=${api.freshName()}`), "404 coupon_not_found", "coupon not found");
  expectRefused(await ask("DELETE", `/api/users/${user}`), "503 unavailable", "no database is bound: bind DB in wrangler.toml");
});

test("a page of events that was read before an erasure and stored later leaves no id in the database", async () => {
  const user = api.freshName("ann");
  const name = await api.created(2);
  await api.claim(name, user);
  const late = await stubOf(name).outbox(null, 100);
  if (!late.ok || late.page === null) throw new Error("the outbox is empty");
  expect(late.page.events).toMatchObject([{ kind: "created" }, { kind: "claimed", userId: user }]);
  await erase(user, `?coupon=${name}`);
  await storePage(env.DB, name, late.page, Date.now());
  await deliver(name);
  await storePage(env.DB, name, late.page, Date.now());
  expect(await rowsWith(user)).toBe(0);
  expect(await rowsWith((await stored(name)).claims[0]?.user_id ?? "")).toBe(3);
});

test("a user with many coupons is erased page by page, and a coupon that can't answer gets 503", async () => {
  const user = api.freshName("ann");
  const name = await claimedBy(user, 2);
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
     INSERT INTO coupons SELECT ?1 || i, ?1 || printf('-%03d', i), 1, 0, 0, NULL, NULL, 0, 900, NULL, 0, 1, NULL, NULL, 1, 1, NULL, NULL, NULL FROM n`,
  )
    .bind(user, ERASED_COUPONS_AT_ONCE_MAX)
    .run();
  await env.DB.prepare("INSERT INTO claims SELECT epoch, 1, ?1, 1, NULL FROM coupons WHERE epoch LIKE ?1 || '%'").bind(user).run();
  const first = (await erase(user)).body;
  expect(first["next_after"]).toBe(`${user}-0${ERASED_COUPONS_AT_ONCE_MAX}`);
  const next = (await erase(user, `?after=${encodeURIComponent(String(first["next_after"]))}`)).body;
  expect([first["erased_count"], next]).toEqual([0, { erased_count: 1, next_after: null, as_of: expect.any(String) }]);
  expect((await stored(name)).claims[0]?.user_id).toMatch(PSEUDONYM);
  const broken = { erase: () => Promise.resolve({ ok: false, code: "unavailable", seq: 0 }) } as unknown as CouponCalls;
  const COUPONS = { idFromName: () => "", get: () => broken } as unknown as typeof env.COUPONS;
  const ask = workerWith({ COUPONS });
  expectRefused(
    await ask("DELETE", `/api/users/${user}`),
    "503 outcome_unknown",
    "some coupons can't answer right now, so the user is not erased in all: send it again",
  );
  expectRefused(await ask("DELETE", `/api/users/${user}?coupon=${name}`), "503 unavailable");
});

test("a user id that looks like a pseudonym can't claim, hold or be erased", async () => {
  const name = await api.created(1);
  const id = "erased:0f";
  expectRefused(await api.claim(name, id), "400 invalid_request", "invalid request: user_id is invalid");
  expectRefused(await api.hold(name, id), "400 invalid_request", "invalid request: user_id is invalid");
  const bulk = await api.send("POST", api.pathOf(name, "claims"), { body: { user_ids: [id] } });
  expectRefused(bulk, "400 invalid_request", "invalid request: user_ids.0 is invalid");
  expect(await stubOf(name).claim({ userId: id, key: null, attemptId: "a" })).toMatchObject({ ok: false, code: "invalid_request" });
  expectRefused(await erase(id), "400 invalid_request", "invalid request: user_id is a pseudonym: this user is erased");
});
