// What clients were told against what is stored, and the file that they write it into.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { CommandFailure } from "../cli/command.ts";
import { toldIn } from "./told.ts";
import { verify, type Told } from "./verify.ts";
import { BUSY, newState, putBusyCoupon, putCoupon, type State } from "./state.fixture.ts";

let state: State;
let told: Told[];

beforeEach(() => {
  state = newState();
  told = putBusyCoupon(state);
});

afterEach(() => state.remove());

/** How the last check of each coupon ended. */
async function ended(receipts: readonly Told[]): Promise<string[]> {
  const checks = await verify({ state: state.folder, told: receipts });
  expect(checks.filter(({ number, verdict }) => number !== 8 && verdict === "FAIL")).toEqual([]);
  return checks.filter(({ number }) => number === 8).map(({ coupon, verdict, detail }) => `${coupon} ${verdict} ${detail}`);
}

const U2: Told = { coupon: BUSY, userId: "u2", position: 2, claimedAt: "2023-11-14T22:13:21.000Z" };
const STORED = '"u2" at position 2 at 2023-11-14T22:13:21.000Z is stored';

test("all that was told is there, what was told twice too", async () => {
  expect(await ended([...told, ...told])).toEqual([`${BUSY} PASS 16 told: 14 stored, 2 released later`]);
});

test.for<[told: string, Told, found: string]>([
  ["at another position", { ...U2, position: 3 }, STORED],
  ["at another instant", { ...U2, claimedAt: "2023-11-14T22:13:21.001Z" }, STORED],
  ["of no instant", { ...U2, claimedAt: "then" }, STORED],
  ["to another user", { ...U2, userId: "nobody" }, "nothing of this user is stored"],
  [
    "at a position that this user had before",
    { ...U2, userId: "u4", position: 5 },
    '"u4" at position 7 at 2023-11-14T22:13:23.005Z is stored',
  ],
])("a claim told %s is lost", async ([, receipt, found]) => {
  const [verdict] = await ended([...told, receipt]);
  expect(verdict).toContain(`${BUSY} FAIL ${JSON.stringify(receipt.userId)} at position ${receipt.position} at `);
  expect(verdict).toContain(`, told, but ${found}`);
});

test("a claim of a coupon that is nowhere in the state is lost", async () => {
  expect(await ended([...told, { ...U2, coupon: "GONE" }])).toEqual([
    `${BUSY} PASS 8 told: 7 stored, 1 released later`,
    "GONE FAIL 1 claim told, and there is no such coupon in the state",
  ]);
});

test("each coupon is held against what was told of it alone", async () => {
  putCoupon(state, "EMPTY", 3);
  expect((await ended(told)).sort()).toEqual([`${BUSY} PASS 8 told: 7 stored, 1 released later`, "EMPTY PASS nobody was told"]);
});

test("many losses are counted, and the first are named", async () => {
  const lost = Array.from({ length: 9 }, (_, index) => ({ ...U2, userId: `lost-${index + 1}` }));
  const [verdict] = await ended(lost);
  expect(verdict).toMatch(/"lost-1".*"lost-2".*"lost-3".*; and 6 more$/);
});

function written(text: string): string {
  const file = join(state.folder, "told.ndjson");
  writeFileSync(file, text);
  return file;
}

async function refusal(file: string): Promise<string> {
  const cause: unknown = await toldIn(file).catch((thrown: unknown) => thrown);
  if (cause instanceof CommandFailure && cause.exitCode === 64) return cause.message;
  throw new Error(`no refusal: ${JSON.stringify(cause)}`);
}

describe("the file", () => {
  test("has a receipt on each line, as ours or as the API's answer", async () => {
    const answer = { coupon_name: BUSY, user_id: "u2", position: 2, claimed_at: U2.claimedAt, remaining_amount: 3 };
    expect(await toldIn(written(`${JSON.stringify(U2)}\n\n${JSON.stringify(answer)}\r\n`))).toEqual([U2, U2]);
  });

  test.for([
    "{",
    "[]",
    "7",
    "null",
    '{"coupon":"C","userId":"u","position":"1","claimedAt":"t"}',
    '{"coupon":"C","position":1,"claimedAt":"t"}',
  ])("is refused where a line is %s", async (line) => {
    const file = written(`${JSON.stringify(U2)}\n${line}\n`);
    expect(await refusal(file)).toBe(`line 2 of ${file} is no receipt: it takes coupon, userId, position and claimedAt`);
  });

  test("that is not there is named", async () => {
    expect(await refusal("/no/such/file")).toBe("--told /no/such/file can't be read: ENOENT");
  });
});
