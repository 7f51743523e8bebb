// An archive closes a sale for good. Everything stays readable, and a claim can still be revoked.

import { expect, test } from "vitest";

import * as api from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused } from "../../support/wire.ts";

function archive(name: string, headers: Record<string, string> = {}): Promise<api.Answer> {
  return api.send("POST", api.pathOf(name, "archive"), { headers });
}

/** Five units: ann has one with the key `k`, bob has one, and cid holds one. Then it is archived. */
async function archived(): Promise<string> {
  const name = await api.created(5);
  await api.claim(name, "ann", { "Idempotency-Key": "k" });
  await api.claim(name, "bob");
  await api.hold(name, "cid");
  expect((await archive(name, { "X-Actor": "alice" })).body).toMatchObject({ state: "archived", held_amount: 0, remaining_amount: 3 });
  return name;
}

test("after an archive claims and holds get sale_ended, also those of a holder", async () => {
  const name = await archived();
  for (const user of ["cid", "dan"]) {
    expectRefused(await api.claim(name, user), "403 sale_ended");
    expectRefused(await api.hold(name, user), "403 sale_ended");
  }
  await expectConserved(name);
});

test("after an archive a winner's retry, reads, lists, history and status work", async () => {
  const name = await archived();
  const again = await api.claim(name, "ann", { "Idempotency-Key": "k" });
  expect([again.status, again.headers.get("Idempotent-Replayed")]).toEqual([201, "true"]);
  expectRefused(await api.claim(name, "bob"), "409 already_claimed", "coupon already claimed by user");
  expect((await api.getUserClaim(name, "bob")).body).toMatchObject({ position: 2 });
  expect((await api.read(name)).body).toMatchObject({ state: "archived", claimed_by: ["ann", "bob"] });
  expect((await api.readStatus(name)).body).toMatchObject({ state: "archived", seq: 5 });
  expect((await api.listClaims(name)).body).toMatchObject({ claims: [{ position: 1 }, { position: 2 }] });
  const { events } = (await api.send("GET", `${api.pathOf(name, "history")}?after=4`)).body;
  expect(events).toMatchObject([{ seq: 5, kind: "archived", actor: "alice", user_id: null }]);
});

test("after an archive a claim can be revoked, and its unit is not sold again", async () => {
  const name = await archived();
  expect((await api.revoke(name, "bob")).body).toMatchObject({ position: 2, remaining_amount: 4 });
  expectRefused(await api.claim(name, "bob"), "403 sale_ended");
  expect((await expectConserved(name)).coupon).toMatchObject({ claimed: 1, held: 0, last_position: 2 });
});

test("after an archive every change gets coupon_archived, and a repeated archive changes nothing", async () => {
  const name = await archived();
  for (const body of [{ amount: 9 }, { paused: true }, { ends_at: null }])
    expectRefused(await api.change(name, body), "409 coupon_archived");
  const again = await archive(name);
  expect([again.status, again.body["state"], api.seqOf(again)]).toEqual([200, "archived", 5]);
  expectRefused(await api.create(name, 5), "409 coupon_exists", "coupon already exists");
});

test("an archive with a stale If-Match gets 412 and changes nothing, and 404 without a coupon", async () => {
  const name = await api.created(5);
  const tag = api.etagOf(await api.read(name));
  await api.claim(name, "ann");
  expectRefused(await archive(name, { "If-Match": tag }), "412 precondition_failed");
  expect((await api.readStatus(name)).body).toMatchObject({ state: "open", seq: 2 });
  expect((await archive(name, { "If-Match": api.etagOf(await api.read(name)) })).status).toBe(200);
  expectRefused(await archive(api.freshName()), "404 coupon_not_found", "coupon not found");
});
