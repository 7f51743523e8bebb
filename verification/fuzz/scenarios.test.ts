// The scenarios of the fuzzer find each broken promise. That they accept a correct coupon is shown by `npm
// run fuzz`.

import { expect, test } from "vitest";

import type { Call } from "../model/types.ts";
import { answers, AT, COUPON, RECEIPT, refuses } from "./document.fixture.ts";
import type { FuzzAnswer } from "./request.ts";
import { follows, newModel } from "./scenario-model.ts";
import type { Step } from "./scenario-steps.ts";

type Answered = readonly [step: Step, answer: FuzzAnswer];

const LATER = "2026-11-21T09:56:15.000Z";

const call = (asked: Call, isTagged = false): Step => ({ kind: "call", call: asked, isTagged });
const claimOf = (userId: string, key: string | null = null): Step => call({ kind: "claim", userId, key });
const bulkOf = (...userIds: readonly string[]): Step => ({ kind: "bulk", userIds, key: null });

function ok(seq: number, body: object, more: Readonly<Record<string, string>> = {}, status = 200): FuzzAnswer {
  return answers(status, body, { "coupon-seq": String(seq), ...more });
}

function refused(seq: number, status: number, code: string, more: object = {}): FuzzAnswer {
  return refuses(status, code, more, { "coupon-seq": String(seq) });
}

const SOLD_OUT = { ...COUPON, remaining_amount: 0, state: "sold_out", claimed_by: ["ann"] };
const granted = (seq: number, more: object = {}): FuzzAnswer => ok(seq, { ...RECEIPT, remaining_amount: 0, ...more }, {}, 201);
const replayed = (more: object = {}): FuzzAnswer =>
  ok(2, { ...RECEIPT, remaining_amount: 0, ...more }, { "idempotent-replayed": "true" }, 201);

const READ = call({ kind: "read" });
const STATUS: Step = { kind: "status", isTagged: false };
const LIST: Step = { kind: "list", after: 0, limit: 1 };
const PAUSE = call({ kind: "change", paused: true }, true);
const RELEASE = call({ kind: "release", userId: "ann", position: null });
const RELEASED = { ...RECEIPT, released_at: LATER, remaining_amount: 1 };

const CREATED: Answered = [call({ kind: "create", amount: 1, startsAt: null, endsAt: null }), ok(1, COUPON, { etag: '"1"' }, 201)];
const GRANTED: Answered = [claimOf("ann", "key"), granted(2)];
const REVOKED: Answered = [RELEASE, ok(3, RELEASED)];
const bulkOk = (granted_count: number, ...results: readonly object[]) => ok(2, { granted_count, remaining_amount: 0, results });
const bulkGranted = { user_id: "ann", outcome: "granted", position: 1, claimed_at: AT };

/** What is wrong with the answer to the last step. The earlier ones are right. */
function faultOf(...steps: readonly Answered[]): string | null {
  const model = newModel("PROMO");
  const faults = steps.map(([step, answer]) => follows(model, step, answer));
  expect(faults.slice(0, -1)).toEqual(faults.slice(0, -1).map(() => null));
  return faults.at(-1) ?? null;
}

test.for<readonly [string, readonly Answered[], string]>([
  ["a unit too many", [CREATED, GRANTED, [claimOf("bob"), granted(3, { user_id: "bob", position: 2 })]], "out_of_stock"],
  ["a second unit for one user", [CREATED, GRANTED, [claimOf("ann"), granted(3, { position: 2 })]], "already_claimed"],
  ["a winner who is refused", [CREATED, GRANTED, [claimOf("ann"), refused(2, 400, "out_of_stock")]], "already_claimed"],
  ["a lost grant", [CREATED, GRANTED, [READ, ok(2, { ...SOLD_OUT, claimed_by: [] })]], "claimants"],
  ["a replay with another receipt", [CREATED, GRANTED, [claimOf("ann", "key"), replayed({ claimed_at: LATER })]], "claimedAt"],
  ["an ignored key", [CREATED, GRANTED, [claimOf("bob", "key"), refused(2, 400, "out_of_stock")]], "idempotency_key_reused"],
  ["a refusal of an open sale", [CREATED, [claimOf("ann"), refused(1, 403, "sale_ended")]], "sale_ended"],
  ["a wrong remaining amount", [CREATED, [claimOf("ann"), granted(2, { remaining_amount: 1 })]], "remaining"],
  ["a reused position", [CREATED, GRANTED, REVOKED, [claimOf("bob"), granted(4, { user_id: "bob" })]], "position"],
  ["a unit that returns twice", [CREATED, GRANTED, REVOKED, [RELEASE, ok(4, { ...RELEASED, remaining_amount: 2 })]], "remaining"],
  ["an event without a ledger entry", [CREATED, [claimOf("ann"), granted(1)]], "Coupon-Seq is 1 instead of 2"],
  ["a ledger entry without an event", [CREATED, [READ, ok(2, COUPON)]], "Coupon-Seq is 2 instead of 1"],
  ["a change by a stale tag", [CREATED, GRANTED, [PAUSE, ok(3, { ...SOLD_OUT, paused: true })]], "precondition_failed"],
  ["time that goes back", [CREATED, [claimOf("ann"), granted(2, { claimed_at: "2026-11-21T09:00:00.000Z" })]], "time went back"],
  ["a claim missing from the list", [CREATED, GRANTED, [LIST, ok(2, { claims: [], next: null })]], "claims is []"],
  ["an old status", [CREATED, GRANTED, [STATUS, ok(2, { state: "open", amount: 1, remaining_amount: 1, seq: 1 })]], "state"],
  [
    "a unit too many in bulk",
    [CREATED, [bulkOf("ann", "bob"), bulkOk(2, bulkGranted, { ...bulkGranted, user_id: "bob", position: 2 })]],
    "for user 2",
  ],
])("the scenario model finds %s", ([, steps, fault]) => {
  expect(faultOf(...steps)).toContain(fault);
});
