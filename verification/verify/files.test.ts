// Which files the verifier checks, and what it says about broken files and other versions of the tables.

import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { SCHEMA_VERSION } from "../../src/engine/schema.ts";
import { holdOf, T0 } from "../../test/rules/coupon.ts";
import { putVersion1 } from "../../test/rules/version-1.ts";
import { CommandFailure } from "../../scripts/cli/command.ts";
import { BUSY, failed, newState, putBusyCoupon, putCoupon, refusal, withEngine, type State } from "./state.fixture.ts";
import { verify, type Receipt } from "./verify.ts";

const OBJECTS = "doorbuster-CouponObject";

let state: State;
let receipts: Receipt[];

beforeEach(() => {
  state = newState();
  receipts = putBusyCoupon(state);
});

afterEach(() => state.remove());

test.for(["", OBJECTS, "above"])("the verifier finds the coupons below %j", async (from) => {
  cpSync(join(state.folder, OBJECTS), join(state.folder, "above/v3/do", OBJECTS), { recursive: true });
  const checks = await verify({ state: join(state.folder, from) });
  expect(checks.map(({ coupon }) => coupon)).toEqual(Array(8).fill(BUSY));
});

test("a folder without a state of Doorbuster is refused by its contents", async () => {
  expect(await refusal(verify({ state: "/no/such/folder" }))).toBe("there is no folder /no/such/folder");
  const other = join(state.folder, "other");
  mkdirSync(join(other, "a"), { recursive: true });
  for (const name of ["b", "c", "d"]) writeFileSync(join(other, name), "");
  expect(await refusal(verify({ state: other }))).toBe(
    `${other} is not a state of Doorbuster: it contains a, b, c and 1 more, and no ${OBJECTS}`,
  );
});

test("an object without a coupon has no checks", async () => {
  rmSync(state.file(BUSY));
  new DatabaseSync(state.file("never created")).exec("CREATE TABLE _cf_METADATA (key INTEGER PRIMARY KEY, value BLOB)");
  writeFileSync(state.file("never opened"), "");
  writeFileSync(join(state.folder, OBJECTS, "metadata.sqlite"), "not an object's file");
  expect(await verify({ state: state.folder })).toEqual([]);
});

test("another program's database is refused by its tables", async () => {
  const other = state.file("other");
  new DatabaseSync(other).exec("CREATE TABLE users (id); CREATE TABLE coupon (code)");
  expect(await refusal(verify({ state: state.folder }))).toBe(`${other} is no coupon of Doorbuster: its tables are coupon, users`);
});

test("--coupon checks one coupon and its receipts alone", async () => {
  putCoupon(state, "other", 3);
  writeFileSync(state.file("broken"), "this is no database");
  const elsewhere = receipts.map((receipt) => ({ ...receipt, coupon: "not there" }));
  const checks = await verify({ state: state.folder, coupon: BUSY, receipts: [...receipts, ...elsewhere] });
  expect(checks.map(({ coupon }) => coupon)).toEqual(Array(8).fill(BUSY));
  expect(checks.filter(({ verdict }) => verdict !== "PASS").map(({ number }) => number)).toEqual([4]);
  expect(await refusal(verify({ state: state.folder, coupon: "BUSY" }))).toBe(
    `there is no coupon "BUSY" in ${join(state.folder, OBJECTS)}`,
  );
});

test("a coupon in the file of another object fails check 2", async () => {
  renameSync(state.file(BUSY), state.file("another name"));
  expect(await failed(state, { coupon: BUSY })).toEqual([
    `${BUSY} 2 the file belongs to another object than that of "BUSY 🎉/1", so its units exist twice`,
  ]);
});

test("a file that is no database fails all checks that read it", async () => {
  writeFileSync(state.file("x"), "this is no database, but long enough to be taken for one ".repeat(100));
  const name = `object ${state.file("x").slice(-71, -59)}…`;
  expect(await failed(state, { receipts })).toEqual(
    [1, 2, 3, 5, 6, 7, 8].map((number) => `${name} ${number} the file can't be read: file is not a database`),
  );
});

test.for([
  [0.1, [1, 2, 3, 5, 6, 7, 8]],
  [0.5, [1, 2, 3, 5, 6, 7, 8]],
  // The ledger's page is the last.
  [0.95, [2, 7, 8]],
] as const)("a file cut after %d of its bytes fails checks %j", async ([share, numbers]) => {
  truncateSync(state.file(BUSY), Math.floor(readFileSync(state.file(BUSY)).length * share));
  const checks = await verify({ state: state.folder, receipts });
  expect(checks.map(({ coupon }) => coupon)).toEqual(Array(8).fill(BUSY));
  expect(checks.filter(({ verdict }) => verdict === "FAIL").map(({ number }) => number)).toEqual(numbers);
});

test("an empty file has lost its acknowledged claims", async () => {
  writeFileSync(state.file(BUSY), "");
  expect(await failed(state, { receipts })).toEqual([`${BUSY} 8 8 claims acknowledged, and the state has no such coupon`]);
});

test("a file with overwritten bytes never ends the verification with an exception", async () => {
  const bytes = readFileSync(state.file(BUSY));
  for (let seed = 1; seed <= 60; seed += 1) {
    const damaged = Buffer.from(bytes);
    for (let count = 0; count < 3; count += 1) damaged[(seed * 7919 + count * 104_729) % bytes.length] = (seed * 31 + count) % 256;
    writeFileSync(state.file(BUSY), damaged);
    const ended = await verify({ state: state.folder, receipts }).then(
      (checks) => checks.length,
      (cause: unknown) => cause instanceof CommandFailure,
    );
    expect([8, true]).toContain(ended);
  }
});

test.for([SCHEMA_VERSION + 1, 0, -1])(
  "tables of the unknown version %i fail by it, and other coupons are still checked",
  async (version) => {
    putCoupon(state, "other", 3);
    state.alter(BUSY, (database) => database.exec(`UPDATE coupon SET schema_version = ${version}`));
    const why = `the file can't be read: its tables have version ${version}; known are 1 to ${SCHEMA_VERSION}`;
    const checks = await verify({ state: state.folder });
    const failures = checks.filter(({ verdict }) => verdict === "FAIL").map(({ coupon, detail }) => `${coupon} ${detail}`);
    expect(failures).toEqual(Array(6).fill(`${BUSY} ${why}`));
    expect(checks.filter(({ coupon, verdict }) => coupon === "other" && verdict === "PASS")).toHaveLength(6);
  },
);

describe("version 1", () => {
  const NAME = "from version 1";

  beforeEach(() => state.alter(NAME, (database) => putVersion1(database, NAME)));

  test("a coupon of version 1 passes before and after its migration", async () => {
    expect(await failed(state)).toEqual([]);
    withEngine(state, NAME, (engine) => engine.read({ claimedBy: false }, T0));
    expect(await failed(state)).toEqual([]);
  });

  test("a coupon of version 1 must have a row for each hold released since", async () => {
    withEngine(state, NAME, (engine) => {
      engine.releaseHold("cid", T0);
      engine.hold(holdOf("eve", 1_000), T0 + 1);
      engine.releaseHold("eve", T0 + 2);
    });
    expect(await failed(state)).toEqual([]);
    state.alter(NAME, (database) => database.exec("DELETE FROM released_holds WHERE user_id = 'eve'"));
    expect(await failed(state)).toEqual([`${NAME} 7 the hold of "eve", released 2023-11-14T22:13:20.002Z, is in the ledger alone`]);
  });
});
