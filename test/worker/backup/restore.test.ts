// A restore over HTTP: parts in order, damage, what others see meanwhile, and a restore that is not finished.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { beforeAll, expect, test } from "vitest";

import { RESTORE_MS_MAX } from "../../../src/domain/backup-limits.ts";
import { claim, create, created, freshName, hold, outcomeOf, read, releaseHold, remove, revoke } from "../../support/api.ts";
import { setClock, T0 } from "../../support/clock.ts";
import { alarmOf, NOTHING, storedBy, stubOf } from "../../support/storage.ts";
import { backup, linesOf, partsOf, restore, sendPart } from "./files.ts";

/** The backup of a coupon with 5 units: ann's claim, bob's revoked one, and a released hold. */
let file: string;
/** Its eight lines, one a part. */
let parts: readonly string[];
const text = (index: number): string => parts[index] ?? "";

beforeAll(async () => {
  const name = await created(5);
  for (const user of ["ann", "bob"]) await claim(name, user);
  await revoke(name, "bob");
  await hold(name, "cid");
  await releaseHold(name, "cid");
  file = await backup(name);
  parts = partsOf(file, 1);
});

/** Sends the first `count` parts. Returns the coupon's name. */
async function begun(count: number): Promise<string> {
  const name = freshName();
  for (let part = 1; part <= count; part += 1) {
    const answer = await sendPart(name, text(part - 1), part);
    expect(answer).toMatchObject({ status: 202, body: { coupon_name: name, next_part: part + 1 } });
  }
  return name;
}

test("parts are stored once each, in order, whatever is sent twice or in between", async () => {
  const name = await begun(3);
  expect(outcomeOf(await read(name))).toBe("404 coupon_not_found");
  expect(outcomeOf(await claim(name, "eve"))).toBe("404 coupon_not_found");
  await evictDurableObject(stubOf(name));
  for (const part of [1, 2, 3]) expect(await sendPart(name, text(part - 1), part)).toMatchObject({ status: 202, body: { next_part: 4 } });
  expect(await sendPart(name, text(4), 5)).toMatchObject({ status: 409, body: { code: "part_missing", next_part: 4 } });
  for (const part of [4, 5, 6, 7]) expect((await sendPart(name, text(part - 1), part)).status).toBe(202);
  expect(outcomeOf(await read(name))).toBe("404 coupon_not_found");
  const answer = await sendPart(name, text(7), 8);
  expect(answer).toMatchObject({ status: 201, body: { name, remaining_amount: 4 } });
  expect(answer.headers.get("Location")).toBe(`/api/coupons/${name}`);
  expect((await sendPart(name, text(7), 8)).body).toEqual(answer.body);
  expect(outcomeOf(await sendPart(name, text(0)))).toBe("409 coupon_exists");
});

test("a whole backup is one part, also under its own name after a deletion", async () => {
  const { name } = linesOf(file)[0] ?? {};
  expect(outcomeOf(await sendPart(String(name), file))).toBe("409 coupon_exists");
  await remove(String(name));
  expect(await sendPart(String(name), file)).toMatchObject({ status: 201, body: { name, remaining_amount: 4 } });
});

/** Damages to the file: what is replaced, by what, and the line and the fault that are returned. */
const DAMAGES: readonly (readonly [what: string, find: RegExp, replace: string, line: number, fault: string | RegExp])[] = [
  ["no first line", /^.*\n/, "", 1, "a backup begins with its first line"],
  ["a newer version", /"version":1/, '"version":2', 1, "version must be 1: another version of Doorbuster made this backup"],
  ["no line of event 3", /.*"seq":3,.*\n/, "", 4, "event 4 comes after event 2"],
  ["another position", /("seq":3,.*"position":)2/, "$17", 4, "event 3 (claimed) has position 7 after 1"],
  ["a second claim of a user", /("seq":3,.*"user_id":)"bob"/, '$1"ann"', 4, "event 3 (claimed) is of a user who has a claim"],
  ["a revoke of another user", /("seq":4,.*"user_id":)"bob"/, '$1"eve"', 5, "event 4 (released) is of a user without that claim"],
  ["a released hold of another user", /("seq":6,.*"user_id":)"cid"/, '$1"eve"', 7, "event 6 (given_back) is of a user without a hold"],
  ["an earlier event", /("seq":2,"at":)\d+/, "$11", 3, "event 2 is earlier than the one before"],
  ["an instant that is no number", /("seq":2,"at":)\d+/, '$1"x"', 3, "at Invalid input: expected number, received string"],
  ["details that are wrong", /"expires_at\\":\d+/, '"expires_at\\":true', 6, "data is no details of an event"],
  ["another request id", /"attempt_id":".*?"/, '"attempt_id":"other"', 8, "the lines before have the SHA-256 …"],
  ["an unknown field", /("seq":2,.*)\}/, '$1,"more":1}', 3, 'Unrecognized key: "more"'],
  ["half a line at its end", /\n$/, "", 8, "the line does not end: send whole lines"],
  ["a line after its end", /$/, '{"seq":7}\n', 9, "the line follows the last line of a backup"],
];

test.for(DAMAGES)("a backup with %s makes no coupon", async ([, find, replace, line, fault]) => {
  const name = freshName();
  expect(file).toMatch(find);
  const { status, body } = await sendPart(name, file.replace(find, replace));
  const found = String(body["fault"]).replace(/[0-9a-f]{64}/, "…");
  expect([status, body["code"], body["line"], found]).toEqual([400, "backup_invalid", line, fault]);
  expect(outcomeOf(await read(name))).toBe("404 coupon_not_found");
  expect(await sendPart(name, file)).toMatchObject({ status: 201, body: { remaining_amount: 4 } });
});

test("a backup without its last line makes no coupon, and the whole one does then", async () => {
  const name = freshName();
  expect(await sendPart(name, parts.slice(0, -1).join(""))).toMatchObject({ status: 202, body: { next_part: 2 } });
  expect(outcomeOf(await read(name))).toBe("404 coupon_not_found");
  expect((await sendPart(name, file)).status).toBe(201);
});

test("a part with a fault changes nothing, and the last one discards the restore", async () => {
  const name = await begun(3);
  expect(await sendPart(name, text(4), 4)).toMatchObject({ status: 400, body: { line: 1, fault: "event 4 comes after event 2" } });
  expect(await sendPart(name, text(7), 4)).toMatchObject({ status: 400, body: { code: "backup_invalid" } });
  expect(await storedBy(name)).toMatchObject({ tables: [] });
  expect(await sendPart(name, text(4), 4)).toMatchObject({ status: 409, body: { next_part: 1 } });
  expect((await restore(name, file, 3)).status).toBe(201);
});

test("another first part begins the restore again", async () => {
  const other = await backup(await created(3));
  const name = await begun(4);
  expect(await restore(name, other, 1)).toMatchObject({ status: 201, body: { remaining_amount: 3 } });
});

test("a coupon that is created while a restore runs discards the restore", async () => {
  const name = await begun(4);
  expect(outcomeOf(await create(name, 1))).toBe("201");
  expect(outcomeOf(await sendPart(name, text(4), 5))).toBe("409 coupon_exists");
  expect((await read(name)).body).toMatchObject({ amount: 1, remaining_amount: 1 });
});

test("a restore that is not finished within a day is removed by the alarm", async () => {
  setClock(T0);
  const name = await begun(4);
  await expect.poll(() => alarmOf(name)).toBe(T0 + RESTORE_MS_MAX);
  await evictDurableObject(stubOf(name));
  setClock(T0 + RESTORE_MS_MAX - 1);
  await runDurableObjectAlarm(stubOf(name));
  expect(await sendPart(name, text(4), 5)).toMatchObject({ status: 202, body: { next_part: 6 } });
  setClock(T0 + RESTORE_MS_MAX);
  await runDurableObjectAlarm(stubOf(name));
  expect(await storedBy(name)).toEqual(NOTHING);
  expect(await sendPart(name, text(5), 6)).toMatchObject({ status: 409, body: { next_part: 1 } });
});
