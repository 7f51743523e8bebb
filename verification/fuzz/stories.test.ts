// The stories of the fuzzer: a coupon that keeps its promises passes, and each one that is broken is found.

import { describe, expect, test } from "vitest";

import type { Call } from "../history/history.ts";
import { follows, newModel } from "./story-model.ts";
import { requestOf, type Step } from "./story-steps.ts";
import type { FuzzAnswer } from "./request.ts";
import { answers, refuses } from "./document.fixture.ts";

type Told = readonly [step: Step, answer: FuzzAnswer];

const AT = "2026-11-21T09:56:14.724Z";
const LATER = "2026-11-21T09:56:15.000Z";

function call(asked: Call, isTagged = false): Step {
  return { kind: "call", call: asked, isTagged };
}

function seq(head: number, { headers, ...answer }: FuzzAnswer, more: Readonly<Record<string, string>> = {}): FuzzAnswer {
  return { ...answer, headers: { ...headers, "coupon-seq": String(head), ...more } };
}

const COUPON = { name: "c", amount: 1, remaining_amount: 1, state: "open", starts_at: null, ends_at: null, paused: false, created_at: AT };
const RECEIPT = { coupon_name: "c", user_id: "ann", position: 1, claimed_at: AT };

const CREATE: Told = [
  call({ kind: "create", amount: 1, startsAt: null, endsAt: null }),
  seq(1, answers(201, { ...COUPON, claimed_by: [] }, { etag: '"1"' })),
];
const claimOf = (userId: string, key: string | null = null): Step => call({ kind: "claim", userId, key });
const GRANTED: Told = [claimOf("ann", "key"), seq(2, answers(201, { ...RECEIPT, remaining_amount: 0 }))];
const SOLD_OUT = { ...COUPON, remaining_amount: 0, state: "sold_out", claimed_by: ["ann"] };
const READ = call({ kind: "read" });
const PAUSE = call({ kind: "change", paused: true }, true);
const RELEASE = call({ kind: "release", userId: "ann", position: null });
const RELEASED = { ...RECEIPT, released_at: LATER, remaining_amount: 1 };

/** What is wrong with the last of the steps; those before it have to be right. */
function faultOf(...story: readonly Told[]): string | null {
  const model = newModel();
  const faults = story.map(([step, answer]) => follows(model, step, answer));
  expect(faults.slice(0, -1).every((fault) => fault === null)).toBe(true);
  return faults.at(-1) ?? null;
}

describe("what keeps to the promises passes", () => {
  test.for<readonly [string, readonly Told[]]>([
    ["a claim", [CREATE, GRANTED]],
    [
      "a replay",
      [
        CREATE,
        GRANTED,
        [claimOf("ann", "key"), seq(2, answers(201, { ...RECEIPT, remaining_amount: 0 }, { "idempotent-replayed": "true" }))],
      ],
    ],
    ["a second claim of one user", [CREATE, GRANTED, [claimOf("ann"), seq(2, refuses(409, "already_claimed", { claim: RECEIPT }))]]],
    ["nothing left", [CREATE, GRANTED, [claimOf("bob"), seq(2, refuses(400, "out_of_stock"))]]],
    [
      "a release, and another claim",
      [
        CREATE,
        GRANTED,
        [RELEASE, seq(3, answers(200, RELEASED))],
        [claimOf("bob"), seq(4, answers(201, { ...RECEIPT, user_id: "bob", position: 2, claimed_at: LATER, remaining_amount: 0 }))],
      ],
    ],
    ["a change by a tag that is stale", [CREATE, GRANTED, [PAUSE, seq(2, refuses(412, "precondition_failed"))]]],
    ["a list", [CREATE, GRANTED, [{ kind: "list", after: 0, limit: 1 }, seq(2, answers(200, { claims: [RECEIPT], next: null }))]]],
    [
      "claims in bulk",
      [
        CREATE,
        [
          { kind: "bulk", userIds: ["ann", "bob", "ann"], key: null },
          seq(
            2,
            answers(200, {
              granted_count: 1,
              remaining_amount: 0,
              results: [
                { user_id: "ann", outcome: "granted", position: 1, claimed_at: AT },
                { user_id: "bob", outcome: "out_of_stock" },
                { user_id: "ann", outcome: "replayed", position: 1, claimed_at: AT },
              ],
            }),
          ),
        ],
      ],
    ],
    ["no coupon", [[claimOf("ann"), seq(0, refuses(404, "coupon_not_found"))]]],
  ])("%s", ([, story]) => {
    expect(faultOf(...story)).toBeNull();
  });
});

describe("what breaks them is found", () => {
  test.for<readonly [string, readonly Told[], string]>([
    [
      "a unit too many",
      [CREATE, GRANTED, [claimOf("bob"), seq(3, answers(201, { ...RECEIPT, user_id: "bob", position: 2 }))]],
      'told is "claimed" and not "out_of_stock"',
    ],
    [
      "a second unit for one user",
      [CREATE, GRANTED, [claimOf("ann"), seq(3, answers(201, { ...RECEIPT, position: 2 }))]],
      'told is "claimed" and not "already_claimed"',
    ],
    [
      "a winner who is told that they lost",
      [CREATE, GRANTED, [claimOf("ann"), seq(2, refuses(400, "out_of_stock"))]],
      'told is "out_of_stock" and not "already_claimed"',
    ],
    [
      "a grant that is forgotten",
      [CREATE, GRANTED, [READ, seq(2, answers(200, { ...SOLD_OUT, claimed_by: [] }))]],
      'told claimants [] and not ["ann"]',
    ],
    [
      "a replay with another receipt",
      [
        CREATE,
        GRANTED,
        [claimOf("ann", "key"), seq(2, answers(201, { ...RECEIPT, claimed_at: LATER }, { "idempotent-replayed": "true" }))],
      ],
      "told claimedAt",
    ],
    [
      "a key that is ignored",
      [CREATE, GRANTED, [claimOf("bob", "key"), seq(2, refuses(400, "out_of_stock"))]],
      'not "idempotency_key_reused"',
    ],
    [
      "a refusal with an open sale",
      [CREATE, [claimOf("ann"), seq(1, refuses(403, "sale_ended"))]],
      'told is "sale_ended" and not "claimed"',
    ],
    [
      "what is left, miscounted",
      [CREATE, [claimOf("ann"), seq(2, answers(201, { ...RECEIPT, remaining_amount: 1 }))]],
      "told remaining 1 and not 0",
    ],
    [
      "a position that is used twice",
      [CREATE, GRANTED, [RELEASE, seq(3, answers(200, RELEASED))], [claimOf("bob"), seq(4, answers(201, { ...RECEIPT, user_id: "bob" }))]],
      "told position 1 and not 2",
    ],
    [
      "a unit that returns twice",
      [CREATE, GRANTED, [RELEASE, seq(3, answers(200, RELEASED))], [RELEASE, seq(4, answers(200, { ...RELEASED, remaining_amount: 2 }))]],
      "told remaining 2 and not 1",
    ],
    ["an event without a line in the ledger", [CREATE, [claimOf("ann"), seq(1, answers(201, RECEIPT))]], "Coupon-Seq is 1 and not 2"],
    [
      "a line in the ledger without an event",
      [CREATE, [READ, seq(2, answers(200, { ...COUPON, claimed_by: [] }))]],
      "Coupon-Seq is 2 and not 1",
    ],
    [
      "a change by a stale tag",
      [CREATE, GRANTED, [PAUSE, seq(3, answers(200, { ...SOLD_OUT, paused: true }))]],
      'not "precondition_failed"',
    ],
    [
      "time that goes back",
      [CREATE, [claimOf("ann"), seq(2, answers(201, { ...RECEIPT, claimed_at: "2026-11-21T09:00:00.000Z" }))]],
      "its time went back",
    ],
    [
      "a claim that is not on the list",
      [CREATE, GRANTED, [{ kind: "list", after: 0, limit: 1 }, seq(2, answers(200, { claims: [], next: null }))]],
      "told claims []",
    ],
    [
      "a status of before",
      [
        CREATE,
        GRANTED,
        [{ kind: "status", isTagged: false }, seq(2, answers(200, { state: "open", amount: 1, remaining_amount: 1, seq: 1 }))],
      ],
      "told state",
    ],
    [
      "a unit too many in bulk",
      [
        CREATE,
        [
          { kind: "bulk", userIds: ["ann", "bob"], key: null },
          seq(
            3,
            answers(200, {
              results: [
                { user_id: "ann", outcome: "granted", position: 1, claimed_at: AT },
                { user_id: "bob", outcome: "granted", position: 2, claimed_at: AT },
              ],
            }),
          ),
        ],
      ],
      'for user 2: told is "claimed" and not "out_of_stock"',
    ],
  ])("%s", ([, story, fault]) => {
    expect(faultOf(...story)).toContain(fault);
  });
});

test("a step is sent as the API takes it", () => {
  expect(requestOf(claimOf("用", "k"), "a/b", "token", null)).toEqual({
    method: "POST",
    target: "/api/coupons/claim",
    headers: [
      ["Authorization", "Bearer token"],
      ["Idempotency-Key", "k"],
    ],
    body: Buffer.from('{"user_id":"用","coupon_name":"a/b"}').toString("latin1"),
  });
  expect(requestOf(PAUSE, "a/b", undefined, '"tag"')).toEqual({
    method: "PATCH",
    target: "/api/coupons/a%2Fb",
    headers: [["If-Match", '"tag"']],
    body: '{"paused":true}',
  });
});
