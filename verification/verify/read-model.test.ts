// The read model is compared with the ledgers: each damage to its file is found, and a read model that is behind is not damaged.

import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach, expect, test } from "vitest";

import { migrate, servedDatabase } from "../../scripts/server/migrations.ts";
import { newCoupon, T0 } from "../../test/rules/coupon.ts";
import { SETTING_NAMES } from "../model/settings.ts";
import { BUSY, failed, newState, putBusyCoupon, putCoupon, withEngine, type State } from "./state.fixture.ts";
import { verify, type Receipt } from "./verify.ts";

const GONE = "deleted";
const DELETE = { kind: "remove", keepsLedger: true, actor: "alice" } as const;
const FACTS = ["epoch, name, claimed, held, last_position, created_at, archived_at, seq", ...SETTING_NAMES].join(", ");
/** What a courier writes, made by SQL from the coupon's file. */
const DELIVER = `
  INSERT INTO coupons (${FACTS}, as_of) SELECT ${FACTS}, clock_at FROM own.coupon;
  INSERT INTO events (epoch, seq, at, kind, user_id, position, actor, data)
  SELECT 'epoch-1', seq, at, kind, user_id, position, actor, data FROM own.ledger;
  INSERT INTO claims (epoch, position, user_id, claimed_at, revoked_at)
  SELECT 'epoch-1', position, user_id, claimed_at, NULL FROM own.claims
  UNION ALL SELECT 'epoch-1', position, user_id, claimed_at, released_at FROM own.releases`;

let state: State;
let receipts: Receipt[];

beforeEach(() => {
  state = newState();
  receipts = putBusyCoupon(state);
  withEngine(state, GONE, (engine) => {
    engine.create(newCoupon(3, { name: GONE }), "gone-1", T0);
    engine.one(DELETE, T0 + 1);
  });
  migrate(servedDatabase(state.folder));
  alter(`ATTACH '${state.file(BUSY)}' AS own; ${DELIVER}`);
});

afterEach(() => state.remove());

function alter(sql: string): void {
  const database = new DatabaseSync(servedDatabase(state.folder));
  database.exec(sql);
  database.close();
}

test.for<[damage: string, sql: string, detail: string]>([
  ["a lost event", "DELETE FROM events WHERE seq = 9", `event 9 (expired "late") is in the ledger alone`],
  ["a lost claim", "DELETE FROM claims WHERE position = 3", `the claim of "u3" at position 3 is in the ledger alone`],
  ["an extra claim", "INSERT INTO claims VALUES ('epoch-1', 8, 'x', 1, NULL)", `the claim of "x" at position 8 is not in the ledger`],
  ["a claim at another instant", "UPDATE claims SET claimed_at = 1 WHERE position = 2", `"u2" at position 2 is not in the ledger`],
  ["a forgotten revocation", "UPDATE claims SET revoked_at = NULL", `"u4" at position 4 is not in the ledger`],
  ["other details", "UPDATE events SET data = json_set(data, '$.amount', 9) WHERE seq = 14", "event 14 (changed) is not in the ledger"],
  ["a lost title", "UPDATE coupons SET title = NULL", "the title is null, and /shoe by the ledger"],
  ["a wrong counter", "UPDATE coupons SET claimed = 7", "claimed is 7, and 6 by the ledger"],
  ["an old coupon", "UPDATE coupons SET seq = 1", "is of event 1, and its events go to 17"],
  ["rows without a coupon", "DELETE FROM coupons", "24 rows in the read model, and no coupon"],
  ["a deletion that never was", "UPDATE coupons SET deleted_at = 1", "in the read model, and never"],
  ["a missing table", "DROP TABLE events", "no such table: events"],
])("the verifier finds %s in the read model", async ([, sql, detail]) => {
  alter(sql);
  const faults = await failed(state);
  expect(faults.filter((fault) => !fault.includes(" 9 "))).toEqual([]);
  expect(faults.join()).toContain(detail);
});

test("a read model that is behind passes, unless everything must be delivered", async () => {
  const details = (await verify({ state: state.folder })).filter(({ number }) => number === 9).map(({ detail }) => detail);
  expect(details.toSorted()).toEqual(["1 ledger compared", "1 ledger compared; the read model is 2 events behind"]);
  const until = `DELETE FROM events WHERE seq > 10; DELETE FROM claims WHERE position > 4; UPDATE claims SET revoked_at = NULL`;
  alter(until);
  expect(await failed(state)).toEqual([]);
  expect((await failed(state, { isDelivered: true })).toSorted()).toEqual([
    `${BUSY} 9 the read model is 7 events behind`,
    `${GONE} 9 the read model is 2 events behind`,
  ]);
});

test("an erased user passes in the file, in the receipts, and in a read model that has the id until its delivery", async () => {
  withEngine(state, BUSY, (engine) => {
    for (const user of ["u3", "u4"]) expect(engine.erase(user, T0 + 5_000)).toMatchObject({ ok: true });
  });
  expect(await failed(state, { receipts })).toEqual([]);
  const acknowledged = (await verify({ state: state.folder, receipts })).find(({ number }) => number === 8);
  expect(acknowledged?.detail).toBe("8 acknowledged: 5 stored, 0 revoked later, 3 of erased users");
  alter(
    `ATTACH '${state.file(BUSY)}' AS own; DELETE FROM coupons WHERE epoch = 'epoch-1'; DELETE FROM claims; DELETE FROM events; ${DELIVER}`,
  );
  expect(await failed(state)).toEqual([]);
  alter("UPDATE events SET user_id = 'u3' WHERE kind = 'held' AND user_id LIKE 'erased:%'");
  expect((await failed(state)).join()).toContain(`(held "u3") is not in the ledger`);
  state.alter(BUSY, (database) => database.exec("UPDATE claims SET user_id = 'u3' WHERE user_id LIKE 'erased:%' AND position = 3"));
  expect((await failed(state, { receipts })).join()).toContain('the claim of "u3" at position 3');
});

test("rows of an incarnation that is in no file are found, unless only its deleted coupon is left", async () => {
  putCoupon(state, "other", 3);
  const other = `INSERT INTO coupons SELECT 'other-1', 'forgotten', 1, 0, 0, NULL, NULL, 0, 1, NULL, 0, 1, NULL`;
  alter(`${other}, NULL, 1, 1, NULL, NULL, NULL`);
  expect(await failed(state)).toEqual([`forgotten 9 the incarnation "other-1" is in the read model and in no file`]);
  alter("UPDATE coupons SET deleted_at = 5 WHERE epoch = 'other-1'");
  expect(await failed(state)).toEqual([]);
  alter("INSERT INTO claims VALUES ('other-1', 1, 'ada', 1, NULL)");
  expect(await failed(state)).toEqual([`forgotten 9 the deleted incarnation "other-1" has 1 row in the read model`]);
});

test("a deleted incarnation whose ledger is kept must end where its coupon did", async () => {
  withEngine(state, GONE, (engine) => engine.create(newCoupon(3, { name: GONE }), "gone-2", T0 + 2));
  expect(await failed(state)).toEqual([]);
  state.alter(GONE, (database) => database.exec(`DELETE FROM "ledger_gone-1"`));
  expect(await failed(state)).toEqual([
    `${GONE} 9 the ledger of the deleted incarnation "gone-1": ends with event 0 and 0 claims, not with event 1 and 0`,
  ]);
});
