// The check of arrivals finds each way in which a delivery can go wrong.

import { expect, test } from "vitest";

import type { EventRow } from "../verify/tables.ts";
import { ALL_EVENTS, judge, type Ledgers } from "./arrivals.ts";
import type { Entry } from "./receiver.ts";

const AT = "2026-11-27T09:00:00.000Z";
const at = Date.parse(AT);
const ENDPOINTS = [
  { events: ALL_EVENTS, coupons: null },
  { events: ALL_EVENTS, coupons: null },
  { events: ["claim.granted", "coupon.deleted"], coupons: ["promo"] },
];
const ADA = { coupon: "promo", userId: "ada", position: 1, claimedAt: AT };
const BOB = { coupon: "promo", userId: "bob", position: 1, claimedAt: AT };

const row = { at, userId: null, position: null, data: null };
const EVENTS: readonly EventRow[] = [
  { ...row, seq: 1, kind: "created" },
  { ...row, seq: 2, kind: "claimed", userId: "ada", position: 1 },
];
const LEDGERS: Ledgers = new Map([["promo", { epoch: "new", events: EVENTS }]]);

/** The coupon's name was deleted and created again: the messages of both incarnations. */
const MESSAGES: readonly (readonly [id: string, type: string, data?: object])[] = [
  ["old_1", "coupon.created"],
  ["old_1_started", "coupon.started"],
  ["old_2", "claim.granted", { user_id: "bob", position: 1 }],
  ["old_3", "coupon.deleted"],
  ["new_1", "coupon.created"],
  ["new_1_started", "coupon.started"],
  ["new_2", "claim.granted", { user_id: "ada", position: 1 }],
];

function sent(endpoint: number, [id, type, more = {}]: (typeof MESSAGES)[number]): Entry[] {
  const [epoch, seq] = id.split("_");
  const data = { coupon_name: "promo", epoch, seq: Number(seq), ...more };
  const body = JSON.stringify({ type, timestamp: AT, data });
  const message = { endpoint, id: `msg_${id}` };
  return [
    { is: "arrived", ...message, body, signatureFault: null },
    { is: "taken", ...message },
  ];
}

function wholeLog(): Entry[] {
  return ENDPOINTS.flatMap(({ events }, endpoint) =>
    MESSAGES.filter(([, type]) => events.includes(type)).flatMap((message) => sent(endpoint, message)),
  );
}

const without = (name: string, endpoint?: number) => (log: Entry[]) =>
  log.filter((entry) => entry.id !== `msg_${name}` || (endpoint !== undefined && entry.endpoint !== endpoint));
const edited = (name: string, change: (entry: Entry & { is: "arrived" }) => Entry) => (log: Entry[]) =>
  log.map((entry) => (entry.id === `msg_${name}` && entry.is === "arrived" ? change(entry) : entry));
const SWAPPED = sent(0, ["new_2", "claim.granted", { user_id: "ada", position: 1 }]);

test("a log with a repeated message has no fault", () => {
  const { faults, living, messageCount, repeatedCount } = judge([...wholeLog(), ...SWAPPED], ENDPOINTS, LEDGERS, [ADA, BOB]);
  expect({ faults, living, messageCount, repeatedCount }).toEqual({ faults: [], living: [ADA], messageCount: 17, repeatedCount: 1 });
});

test.for<[fault: string, damage: (log: Entry[]) => Entry[], found: string]>([
  ["a message lost by one endpoint", without("new_2", 2), "endpoint 2: claim.granted of promo (msg_new_2) is missing"],
  ["a milestone lost by one endpoint", without("new_1_started", 1), "endpoint 1: coupon.started of promo (msg_new_1_started) is missing"],
  ["an event of the ledger lost by all", without("new_2"), "endpoint 2: claim.granted of promo (msg_new_2) is missing"],
  ["a claim of a deleted coupon lost by all", without("old_2"), `endpoint 2: the receipt promo bob 1 ${AT} is missing`],
  ["a gap before a deletion", without("old_2"), "endpoint 0: the incarnation old has no event between 1 and 3"],
  [
    "a deletion that never arrived",
    without("old_3", 0),
    "coupon.created of promo (msg_new_1) arrived after claim.granted of promo (msg_old_2)",
  ],
  ["two messages in the wrong order", (log) => [...SWAPPED, ...log], "coupon.created of promo (msg_old_1) arrived after claim.granted"],
  [
    "a milestone before its event",
    (log) => [...sent(0, ["old_1_started", "coupon.started"]), ...log],
    "(msg_old_1) arrived after coupon.started",
  ],
  [
    "a message that did not wait for the one before",
    (log) => log.filter((entry) => entry.is !== "taken" || entry.id !== "msg_new_1"),
    "coupon.started of promo (msg_new_1_started) arrived before 200 for msg_new_1",
  ],
  [
    "a repeated message with another body",
    (log) => [...log, ...sent(0, ["new_2", "claim.granted", { user_id: "eve" }])],
    "msg_new_2 arrived with two bodies",
  ],
  [
    "a claim that is not the ledger's",
    edited("new_2", (entry) => ({ ...entry, body: entry.body.replace(`"position":1`, `"position":2`) })),
    "claim.granted of promo (msg_new_2) is not the ledger's",
  ],
  ["a wrong signature", edited("new_2", (entry) => ({ ...entry, signatureFault: "no match" })), "msg_new_2 is not signed: no match"],
  [
    "a message that the endpoint does not want",
    (log) => [...log, ...sent(2, ["new_1_started", "coupon.started"])],
    "endpoint 2: coupon.started of promo (msg_new_1_started) was not wanted",
  ],
])("%s is found", ([, damage, found]) => {
  expect(judge(damage(wholeLog()), ENDPOINTS, LEDGERS, [ADA, BOB]).faults.join("\n")).toContain(found);
});
