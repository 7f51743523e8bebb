// A backup over HTTP: what is in it, what it is cut at, and what a restore of it makes.

import { runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";

import { BULK_CLAIMS_MAX } from "../../../src/domain/limits.ts";
import {
  change,
  claim,
  create,
  created,
  freshName,
  hold,
  outcomeOf,
  pathOf,
  read,
  releaseHold,
  remove,
  revoke,
  send,
  users,
} from "../../support/api.ts";
import { passClock, iso, setClock, T0 } from "../../support/clock.ts";
import { expectReplayed } from "../../support/ledger.ts";
import { stored, stubOf } from "../../support/storage.ts";
import { backup, fetchBackup, linesOf, restore } from "./files.ts";

/** Expects that the verifier accepts the coupon's tables. Returns its claims. */
async function expectVerified(name: string): Promise<number> {
  return runInDurableObject(
    stubOf(name),
    (_object, { storage }) => expectReplayed((statement) => storage.sql.exec(statement).toArray()).claims.size,
  );
}

/** A coupon with every kind of event but the archive: two claims, a running hold, and what is left of others. */
async function busy(): Promise<string> {
  setClock(T0);
  const name = await created(10, { title: "Shoe", hold_seconds_max: 100 });
  for (const user of ["ann", "bob"]) await claim(name, user, { "idempotency-key": `key-${user}` });
  await revoke(name, "bob");
  for (const user of ["cid", "dan", "eve", "fay"]) await hold(name, user, user === "eve" ? 1 : 60);
  await releaseHold(name, "cid");
  await claim(name, "dan");
  passClock(2000);
  await change(name, { amount: 9 });
  return name;
}

test("a backup has the coupon, each event with its request, and a hash of all lines before", async () => {
  const name = await busy();
  const response = await fetchBackup(name);
  const text = await response.text();
  const [header, ...events] = linesOf(text);
  const end = events.pop();
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "application/x-ndjson",
    "content-disposition": `attachment; filename="backup-${name}.ndjson"`,
    "coupon-seq": "12",
  });
  const { coupon, ledger } = await stored(name);
  const counters = { claimed: 2, held: 1, last_position: 3, amount: 9, title: "Shoe", hold_seconds_max: 100 };
  expect(header).toMatchObject({
    format: "doorbuster-backup",
    version: 1,
    name,
    epoch: coupon.epoch,
    seq: 12,
    created_at: T0,
    ...counters,
  });
  expect(
    events.map(({ seq, at, kind, user_id = null, position = null, data = null }) => ({ seq, at, kind, user_id, position, data })),
  ).toEqual(ledger.map(({ seq, at, kind, user_id, position, data }) => ({ seq, at, kind, user_id, position, data })));
  const known = events.map((line) => Object.keys(line).filter((field) => /^(idempotency|attempt)/.test(field)));
  const CLAIM = ["idempotency_key", "attempt_id"];
  // The running hold has its request, and an ended one has not. A claim without a key has its request.
  expect(known).toEqual([[], CLAIM, CLAIM, [], [], [], [], ["attempt_id"], ["attempt_ids"], ["attempt_id"], [], []]);
  const before = new TextEncoder().encode(text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1));
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", before));
  expect(end).toEqual({ epoch: coupon.epoch, seq: 12, sha256: Array.from(sha256, (byte) => byte.toString(16).padStart(2, "0")).join("") });
});

test("a restored coupon answers as the one that was backed up, and goes on behind it", async () => {
  const name = await busy();
  const text = await backup(name);
  const copy = freshName();
  expect(await restore(copy, text, 4)).toMatchObject({
    status: 201,
    body: { name: copy, remaining_amount: 6, held_amount: 1, title: "Shoe" },
  });
  expect(await expectVerified(copy)).toBe(2);
  const [was, is] = [await stored(name), await stored(copy)];
  expect({ ...is, coupon: null, ledger: is.ledger.slice(1) }).toEqual({ ...was, coupon: null, ledger: was.ledger.slice(1) });
  expect(is.coupon.epoch).not.toBe(was.coupon.epoch);
  const { body } = await send("GET", `${pathOf(copy, "history")}?limit=1`);
  const restored = { epoch: was.coupon.epoch, seq: 12, as_of: iso(T0 + 2000), at: iso(T0 + 2000), by: expect.stringContaining("") };
  expect(body["events"]).toMatchObject([{ kind: "created", at: iso(T0), restored }]);

  const again = async (user: string, key: string) => outcomeOf(await claim(copy, user, { "idempotency-key": key }));
  expect(await claim(copy, "ann", { "idempotency-key": "key-ann" })).toMatchObject({
    status: 201,
    body: { position: 1, remaining_amount: 9, claimed_at: iso(T0) },
  });
  expect([await again("bob", "key-bob"), await again("eve", "key-ann")]).toEqual(["409 claim_released", "422 idempotency_key_reused"]);
  expect(await hold(copy, "fay")).toMatchObject({ status: 200, body: { expires_at: iso(T0 + 60_000) } });
  expect(await claim(copy, "gus")).toMatchObject({ status: 201, body: { position: 4, remaining_amount: 5 } });
  passClock(60_000);
  expect((await read(copy)).body).toMatchObject({ held_amount: 0, remaining_amount: 6, claimed_by: ["ann", "dan", "gus"] });
  expect(await expectVerified(copy)).toBe(3);
});

test("what happens after a backup has begun is not in it", async () => {
  setClock(T0);
  const name = await created(100);
  for (const user of users(3)) await claim(name, user);
  await hold(name, "holder");
  const stream = (await fetchBackup(name)).body;
  if (stream === null) throw new Error("a backup has a body");
  await revoke(name, "user-2");
  await claim(name, "holder");
  await claim(name, "late");
  const text = await new Response(stream).text();
  expect(linesOf(text).map(({ seq }) => seq)).toEqual([5, 1, 2, 3, 4, 5, 5]);
  const copy = freshName();
  expect((await restore(copy, text)).body).toMatchObject({ remaining_amount: 96, held_amount: 1 });
  expect((await read(copy)).body["claimed_by"]).toEqual(users(3));
  await expectVerified(copy);
});

test("a backup of 60,000 claims that are made meanwhile restores to a coupon that the verifier accepts", async () => {
  const name = await created(70_000);
  const all = users(60_000);
  const claimLot = (from: number) => send("POST", pathOf(name, "claims"), { body: { user_ids: all.slice(from, from + BULK_CLAIMS_MAX) } });
  for (let from = 0; from < 30_000; from += BULK_CLAIMS_MAX) await claimLot(from);
  const backups: Promise<string>[] = [];
  for (let from = 30_000; from < all.length; from += BULK_CLAIMS_MAX) {
    if (from % 10_000 === 0) backups.push(backup(name));
    await claimLot(from);
  }
  for (const text of await Promise.all(backups)) {
    const copy = freshName();
    const { seq } = linesOf(text)[0] ?? {};
    expect(await restore(copy, text)).toMatchObject({ status: 201, body: { remaining_amount: 70_000 - (Number(seq) - 1) } });
    expect(await expectVerified(copy)).toBe(Number(seq) - 1);
    expect(await claim(copy, "one-more")).toMatchObject({ status: 201, body: { position: seq } });
  }
});

test("a backup whose coupon is deleted meanwhile ends with an error, is logged and not restored", async () => {
  const name = await created(20_000);
  for (let lot = 0; lot < 11; lot += 1)
    await send("POST", pathOf(name, "claims"), { body: { user_ids: users(BULK_CLAIMS_MAX, `lot-${lot}`) } });
  const response = await fetchBackup(name);
  const failed = vi.spyOn(console, "error");
  await remove(name);
  await create(name, 1);
  const text = await response.text();
  expect(linesOf(text).at(-1)).toEqual({ error: "the backup ended early: coupon_not_found" });
  const lines = failed.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown);
  const cause = "Error: the backup ended early: coupon_not_found";
  expect(lines).toEqual([{ event: "backup_failed", request_id: response.headers.get("X-Request-Id"), coupon: name, cause }]);
  expect(await restore(freshName(), text)).toMatchObject({
    status: 400,
    body: { code: "backup_invalid", fault: "this backup was not completed: take another one" },
  });
});
