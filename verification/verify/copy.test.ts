// A copy of a database is whole although a server writes it meanwhile.

import { appendFileSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach, expect, test } from "vitest";

import { copyWhole, removeCopy } from "./copy.ts";
import { refusal } from "./state.fixture.ts";

const ROW_COUNT = 400;

let folder: string;
let source: string;
let copy: string;
let database: DatabaseSync;
let count: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "doorbuster-copy-"));
  source = join(folder, "moving.sqlite");
  copy = join(folder, "copy.sqlite");
  count = 0;
  database = new DatabaseSync(source);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 200");
  database.exec("CREATE TABLE units (id INTEGER PRIMARY KEY, n INTEGER, pad TEXT)");
  const rows = Array.from({ length: ROW_COUNT }, (_, id) => `(${id}, 100, '${"x".repeat(1000)}')`);
  database.exec(`INSERT INTO units VALUES ${rows.join()}`);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Moves a unit between two rows, so that their sum stays. */
function move(): void {
  count += 1;
  const [from, to] = [(count * 37) % ROW_COUNT, (count * 91 + 1) % ROW_COUNT];
  database.exec(`BEGIN; UPDATE units SET n = n - 1 WHERE id = ${from}; UPDATE units SET n = n + 1 WHERE id = ${to}; COMMIT`);
}

/** Moves so many units that the log begins anew more than once. */
function moveMany(): void {
  for (let moves = 0; moves < 300; moves += 1) move();
}

function isWhole(): boolean {
  const copied = new DatabaseSync(copy);
  try {
    const [units] = copied.prepare("SELECT sum(n) AS sum FROM units").all();
    const [integrity] = copied.prepare("PRAGMA integrity_check").all();
    return units?.["sum"] === 100 * ROW_COUNT && integrity?.["integrity_check"] === "ok";
  } catch {
    return false;
  } finally {
    copied.close();
  }
}

test("twenty copies are whole while the file is written", async () => {
  const writing = setInterval(move, 1);
  for (let copies = 0; copies < 20; copies += 1) {
    expect(await copyWhole(source, copy)).toBe(true);
    expect(isWhole()).toBe(true);
  }
  clearInterval(writing);
  await removeCopy(copy);
});

test("a plain copy of the database and then of its log is broken", () => {
  copyFileSync(source, copy);
  moveMany();
  copyFileSync(`${source}-wal`, `${copy}-wal`);
  expect(isWhole()).toBe(false);
});

test("a copy is made again when the log begins anew meanwhile", async () => {
  let rounds = 0;
  // Writes between any two steps of the first copies.
  setImmediate(function write(): void {
    rounds += 1;
    moveMany();
    if (rounds < 20) setImmediate(write);
  });
  expect(await copyWhole(source, copy)).toBe(true);
  expect([rounds, isWhole()]).toEqual([20, true]);
});

test("a file that changes during every copy is refused", async () => {
  const growing = join(folder, "growing.sqlite");
  expect(await copyWhole(growing, copy)).toBe(false);
  let growth = setImmediate(grow);
  function grow(): void {
    appendFileSync(growing, "x");
    growth = setImmediate(grow);
  }
  appendFileSync(growing, "x");
  const why = await refusal(copyWhole(growing, copy));
  clearImmediate(growth);
  expect(why).toBe(`${growing} changes so fast that 50 copies were not whole: try again with less load`);
});
