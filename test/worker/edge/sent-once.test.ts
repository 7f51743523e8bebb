// Which requests the Worker repeats after a failed call, through the real routes and to real objects.

import { describe, expect, test } from "vitest";

import { claim, create, created, etagOf, freshName, listClaims, pathOf, read, send, outcomeOf } from "../../support/api.ts";
import { answerLost, lost, platform, platformError, type Delivery } from "../../support/platform-faults.ts";
import { isolate } from "./isolate.ts";

const FAULT = platformError({ retryable: true, durableObjectReset: true });

type Asked = { readonly path: string; readonly body?: unknown; readonly headers?: Record<string, string> };

/** A coupon with a winner and a holder. */
async function sale(): Promise<string> {
  const name = await created(5);
  await claim(name, "winner");
  expect((await send("POST", pathOf(name, "holds"), { body: { user_id: "holder", ttl_seconds: 600 } })).status).toBe(201);
  return name;
}

/** The ledger's head and the held units, or the status where there is no coupon. */
async function state(name: string): Promise<unknown> {
  const { status, body, headers } = await read(name);
  return status === 200 ? { seq: Number(headers.get("Coupon-Seq")), held: body["held_amount"] } : status;
}

/** What {@link state} answers of a fresh {@link sale}. */
const BEFORE = { seq: 3, held: 1 };

/** Requests that must not be done twice: the call, and the state afterwards. */
const ONCE: readonly (readonly [string, string, string, (name: string) => Promise<Asked> | Asked, unknown])[] = [
  ["a delete", "DELETE", "remove", (name) => ({ path: pathOf(name) }), 404],
  ["a revoke without a position", "DELETE", "revoke", (name) => ({ path: pathOf(name, "claims", "winner") }), { seq: 4, held: 1 }],
  ["the release of a hold", "DELETE", "releaseHold", (name) => ({ path: pathOf(name, "holds", "holder") }), { seq: 4, held: 0 }],
  ["the end of all holds", "DELETE", "releaseAllHolds", (name) => ({ path: pathOf(name, "holds") }), { seq: 4, held: 0 }],
  [
    "a change with If-Match",
    "PATCH",
    "change",
    async (name) => ({ path: pathOf(name), body: { amount: 9 }, headers: { "If-Match": etagOf(await read(name)) } }),
    { seq: 4, held: 1 },
  ],
];

const DELIVERIES: readonly (readonly [string, Delivery, boolean])[] = [
  ["whose call is lost", lost(FAULT), false],
  ["whose answer is lost", answerLost(FAULT), true],
];

describe.for(ONCE)("%s", ([what, method, call, ask, after]) => {
  test.for(DELIVERIES)(`${what} %s is sent once, with outcome_unknown`, async ([, delivery, isDone]) => {
    const name = await sale();
    const { path, body, headers } = await ask(name);
    expect(await state(name)).toEqual(BEFORE);
    const over = platform(delivery);
    const answer = await isolate(over).send(method, path, body, headers);
    expect(outcomeOf(answer)).toBe("503 outcome_unknown");
    expect(over.calls).toEqual([{ method: call, stub: 1 }]);
    expect(await state(name)).toEqual(isDone ? after : BEFORE);
  });
});

test.for(DELIVERIES)("a create %s is sent once, with outcome_unknown", async ([, delivery, isDone]) => {
  const name = freshName();
  const over = platform(delivery);
  const answer = await isolate(over).send("POST", "/api/coupons", { name, amount: 5 });
  expect(outcomeOf(answer)).toBe("503 outcome_unknown");
  expect(over.calls).toEqual([{ method: "create", stub: 1 }]);
  expect((await create(name, 5)).status).toBe(isDone ? 409 : 201);
});

const claimBody = (name: string, user: string) => ({ user_id: user, coupon_name: name });

/** Requests that may be done twice: the call, the answer, and the ledger's head afterwards. */
const REPEATED: readonly (readonly [string, string, string, (name: string) => Asked, number, number])[] = [
  ["a claim", "POST", "claim", (name) => ({ path: "/api/coupons/claim", body: claimBody(name, "ada") }), 201, 4],
  ["a hold", "POST", "hold", (name) => ({ path: pathOf(name, "holds"), body: { user_id: "ada", ttl_seconds: 60 } }), 201, 4],
  ["a bulk claim", "POST", "claimMany", (name) => ({ path: pathOf(name, "claims"), body: { user_ids: ["ada", "bob"] } }), 200, 5],
  ["a revoke with a position", "DELETE", "revoke", (name) => ({ path: `${pathOf(name, "claims", "winner")}?position=1` }), 200, 4],
  ["a change without If-Match", "PATCH", "change", (name) => ({ path: pathOf(name), body: { amount: 9 } }), 200, 4],
  ["a read of the coupon", "GET", "read", (name) => ({ path: pathOf(name) }), 200, 3],
  ["a read of the status", "GET", "read", (name) => ({ path: pathOf(name, "status") }), 200, 3],
  ["a read of the claims", "GET", "listClaims", (name) => ({ path: pathOf(name, "claims") }), 200, 3],
  ["a read of a claim", "GET", "getUserClaim", (name) => ({ path: pathOf(name, "claims", "winner") }), 200, 3],
  ["a read of the holds", "GET", "listHolds", (name) => ({ path: pathOf(name, "holds") }), 200, 3],
  ["a read of the metrics", "GET", "metrics", (name) => ({ path: pathOf(name, "metrics") }), 200, 3],
];

test.for(REPEATED)("%s that fails twice is repeated and done once", async ([, method, call, ask, status, seq]) => {
  const name = await sale();
  const { path, body, headers } = ask(name);
  const over = platform(answerLost(FAULT), lost(FAULT));
  const answer = await isolate(over).send(method, path, body, headers);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("Idempotent-Replayed")).toBeNull();
  expect(over.calls).toEqual([1, 2, 3].map((stub) => ({ method: call, stub })));
  expect(await state(name)).toMatchObject({ seq });
});

test.for(REPEATED)("%s that fails three times is not sent again", async ([, method, , ask]) => {
  const name = await sale();
  const { path, body, headers } = ask(name);
  const over = platform(lost(FAULT), lost(FAULT), lost(FAULT));
  const answer = await isolate(over).send(method, path, body, headers);
  const code = method === "GET" ? "unavailable" : "outcome_unknown";
  expect([answer.status, answer.body["code"]]).toEqual([503, code]);
  expect(over.calls).toHaveLength(3);
  expect(await state(name)).toMatchObject({ seq: 3 });
});

test("a bulk claim that the Worker repeats answers granted as the first time", async () => {
  const name = await sale();
  const ask = { user_ids: ["winner", "ada", "bob"] };
  const answer = await isolate(platform(answerLost(FAULT))).send("POST", pathOf(name, "claims"), ask);
  expect(answer.body).toMatchObject({
    granted_count: 2,
    results: [
      { user_id: "winner", outcome: "already_claimed" },
      { user_id: "ada", outcome: "granted" },
      { user_id: "bob", outcome: "granted" },
    ],
  });
  expect((await listClaims(name)).body["claims"]).toHaveLength(3);
});

test("a revoke without a position does not take the user's next claim", async () => {
  const name = await sale();
  const meanwhile: Delivery = async (deliver) => {
    await deliver();
    expect((await claim(name, "winner")).status).toBe(201);
    throw FAULT;
  };
  const answer = await isolate(platform(meanwhile)).send("DELETE", pathOf(name, "claims", "winner"));
  expect(outcomeOf(answer)).toBe("503 outcome_unknown");
  expect((await read(name)).body["claimed_by"]).toEqual(["winner"]);
});
