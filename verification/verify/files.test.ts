// Which files are looked at, what is said of those that are no coupon's, and that a copy is whole while the file is written.

import { appendFileSync, copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { CommandFailure } from "../cli/command.ts";
import { copyWhole, removeCopy } from "./copy.ts";
import { verify, type Check, type Told, type VerifyOptions } from "./verify.ts";
import { BUSY, newState, putBusyCoupon, putCoupon, type State } from "./state.fixture.ts";

let state: State;
let told: Told[];

beforeEach(() => {
  state = newState();
  told = putBusyCoupon(state);
});

afterEach(() => state.remove());

/** Each check that did not pass and was not skipped. */
function failed(checks: readonly Check[]): string[] {
  return checks.filter(({ verdict }) => verdict === "FAIL").map(({ coupon, number, detail }) => `${coupon} ${number} ${detail}`);
}

async function refusal(options: Partial<VerifyOptions> = {}): Promise<string> {
  const cause: unknown = await verify({ state: state.folder, ...options }).catch((thrown: unknown) => thrown);
  if (cause instanceof CommandFailure && cause.exitCode === 69) return cause.message;
  throw new Error(`no refusal: ${JSON.stringify(cause)}`);
}

describe("the folder", () => {
  test.for(["", "doorbuster-CouponObject", "above"])("is found from %j", async (from) => {
    const above = join(state.folder, "above");
    mkdirSync(join(above, "v3"), { recursive: true });
    cpSync(join(state.folder, "doorbuster-CouponObject"), join(above, "v3/do/doorbuster-CouponObject"), { recursive: true });

    const checks = await verify({ state: join(state.folder, from) });

    expect(checks.map(({ coupon }) => coupon)).toEqual(Array(8).fill(BUSY));
  });

  test("that is not there is named", async () => {
    expect(await refusal({ state: "/no/such/folder" })).toBe("there is no folder /no/such/folder");
  });

  test("that is another's is told by what is in it", async () => {
    mkdirSync(join(state.folder, "other/a"), { recursive: true });
    for (const name of ["b", "c", "d"]) writeFileSync(join(state.folder, "other", name), "");
    expect(await refusal({ state: join(state.folder, "other") })).toBe(
      `${join(state.folder, "other")} is no state of Doorbuster: there is a, b, c and 1 more in it, and no doorbuster-CouponObject`,
    );
  });

  test("without a coupon in it has nothing to check", async () => {
    rmSync(state.file(BUSY));
    expect(await verify({ state: state.folder })).toEqual([]);
  });
});

describe("what is no coupon", () => {
  test("is an object that no coupon was created in, or whose coupon was deleted", async () => {
    const other = state.file("never created");
    new DatabaseSync(other).exec("CREATE TABLE _cf_METADATA (key INTEGER PRIMARY KEY, value BLOB)");
    writeFileSync(state.file("not even opened"), "");
    writeFileSync(join(state.folder, "doorbuster-CouponObject/metadata.sqlite"), "no object's");

    const checks = await verify({ state: state.folder, told });

    expect(checks.map(({ coupon }) => coupon)).toEqual(Array(8).fill(BUSY));
  });

  test("but somebody else's database is refused by name", async () => {
    const other = state.file("other");
    new DatabaseSync(other).exec("CREATE TABLE users (id); CREATE TABLE coupon (code)");
    expect(await refusal()).toBe(`${other} is no coupon of Doorbuster: its tables are coupon, users`);
  });
});

describe("one coupon", () => {
  test("is checked alone, whatever the others are", async () => {
    putCoupon(state, "other", 3);
    writeFileSync(state.file("broken"), "this is no database");
    const checks = await verify({
      state: state.folder,
      coupon: BUSY,
      told: [...told, ...told.map((receipt) => ({ ...receipt, coupon: "not there" }))],
    });
    expect(checks.map(({ coupon, verdict }) => `${coupon} ${verdict}`)).toEqual([
      ...Array(3).fill(`${BUSY} PASS`),
      `${BUSY} SKIP`,
      ...Array(4).fill(`${BUSY} PASS`),
    ]);
  });

  test("that is not there is named", async () => {
    expect(await refusal({ coupon: "BUSY" })).toBe(`there is no coupon "BUSY" in ${join(state.folder, "doorbuster-CouponObject")}`);
  });

  test("in another object's file is found, and is not right there", async () => {
    const other = state.file("another name");
    renameSync(state.file(BUSY), other);
    expect(failed(await verify({ state: state.folder, coupon: BUSY }))).toEqual([
      `${BUSY} 2 this is not the file of the object called "BUSY 🎉/1", which has the same units to give`,
    ]);
  });
});

describe("a broken file", () => {
  test("fails in each check that it can't be read for", async () => {
    writeFileSync(state.file("x"), "this is no database, but long enough to be taken for one ".repeat(100));
    const checks = failed(await verify({ state: state.folder, told }));
    const name = `object ${state.file("x").slice(-71, -59)}…`;
    expect(checks).toEqual([1, 2, 3, 5, 6, 7, 8].map((number) => `${name} ${number} the file can't be read: file is not a database`));
  });

  test.for([
    [0.1, [1, 2, 3, 5, 6, 7, 8]],
    [0.5, [1, 2, 3, 5, 6, 7, 8]],
    // The ledger's page was the last.
    [0.95, [2, 7, 8]],
  ] as const)("that ends after %d of its bytes fails in %j", async ([share, numbers]) => {
    truncateSync(state.file(BUSY), Math.floor(readFileSync(state.file(BUSY)).length * share));
    const checks = await verify({ state: state.folder, told });
    expect(checks.map(({ coupon }) => coupon)).toEqual(Array(8).fill(BUSY));
    expect(checks.filter(({ verdict }) => verdict === "FAIL").map(({ number }) => number)).toEqual(numbers);
  });

  test("that is empty has lost what was told", async () => {
    writeFileSync(state.file(BUSY), "");
    expect(failed(await verify({ state: state.folder, told }))).toEqual([
      `${BUSY} 8 8 claims told, and there is no such coupon in the state`,
    ]);
  });

  test("with bytes overwritten never ends the verification", async () => {
    const bytes = readFileSync(state.file(BUSY));
    for (let seed = 1; seed <= 60; seed += 1) {
      const damaged = Buffer.from(bytes);
      // Scattered over the file, the same ones each time.
      for (let count = 0; count < 3; count += 1) damaged[(seed * 7919 + count * 104_729) % bytes.length] = (seed * 31 + count) % 256;
      writeFileSync(state.file(BUSY), damaged);
      const ended = await verify({ state: state.folder, told }).then(
        (checks) => checks.length,
        (cause: unknown) => cause instanceof CommandFailure,
      );
      expect([8, true]).toContain(ended);
    }
  });
});

describe("a copy", () => {
  const ROWS = 400;
  let source: string;
  let copy: string;
  let database: DatabaseSync;
  let count: number;

  beforeEach(() => {
    source = join(state.folder, "moving.sqlite");
    copy = join(state.folder, "copy.sqlite");
    count = 0;
    database = new DatabaseSync(source);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 200");
    database.exec("CREATE TABLE units (id INTEGER PRIMARY KEY, n INTEGER, pad TEXT)");
    const rows = Array.from({ length: ROWS }, (_, id) => `(${id}, 100, '${"x".repeat(1000)}')`);
    database.exec(`INSERT INTO units VALUES ${rows.join()}`);
  });

  afterEach(() => database.close());

  /** Moves units between rows, so that their sum stays. */
  function move(): void {
    count += 1;
    const [from, to] = [(count * 37) % ROWS, (count * 91 + 1) % ROWS];
    database.exec(`BEGIN; UPDATE units SET n = n - 1 WHERE id = ${from}; UPDATE units SET n = n + 1 WHERE id = ${to}; COMMIT`);
  }

  /** Moves so often that the log is written into the database and begins anew, more than once. */
  function moveOn(): void {
    for (let moves = 0; moves < 300; moves += 1) move();
  }

  function isWhole(): boolean {
    const copied = new DatabaseSync(copy);
    try {
      const [units] = copied.prepare("SELECT sum(n) AS sum FROM units").all();
      const [integrity] = copied.prepare("PRAGMA integrity_check").all();
      return units?.["sum"] === 100 * ROWS && integrity?.["integrity_check"] === "ok";
    } catch {
      return false;
    } finally {
      copied.close();
    }
  }

  test("is whole while the file is written", async () => {
    const writing = setInterval(move, 1);
    for (let copies = 0; copies < 20; copies += 1) {
      expect(await copyWhole(source, copy)).toBe(true);
      expect(isWhole()).toBe(true);
    }
    clearInterval(writing);
    await removeCopy(copy);
  });

  test("of the database first and of its log later would not be", () => {
    copyFileSync(source, copy);
    moveOn();
    copyFileSync(`${source}-wal`, `${copy}-wal`);
    expect(isWhole()).toBe(false);
  });

  test("is made again where the log began anew meanwhile", async () => {
    let rounds = 0;
    // In between any two steps of the first copies.
    setImmediate(function write(): void {
      rounds += 1;
      moveOn();
      if (rounds < 20) setImmediate(write);
    });
    expect(await copyWhole(source, copy)).toBe(true);
    expect([rounds, isWhole()]).toEqual([20, true]);
  });

  test("is given up where the file changes each time", async () => {
    const growing = join(state.folder, "growing.sqlite");
    let growth = setImmediate(grow);
    function grow(): void {
      appendFileSync(growing, "x");
      growth = setImmediate(grow);
    }
    appendFileSync(growing, "x");
    const cause: unknown = await copyWhole(growing, copy).catch((thrown: unknown) => thrown);
    clearImmediate(growth);
    expect(String(cause)).toBe(`CommandFailure: ${growing} changes so fast that 50 copies were not whole: try again with less load`);
  });

  test("of a file that is gone is none", async () => {
    expect(await copyWhole(join(state.folder, "gone.sqlite"), copy)).toBe(false);
  });
});
