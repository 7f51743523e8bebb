// Which requests the Worker sends to the object once more after a failed call, through the real routes and to real objects.

import { describe, expect, test, vi } from "vitest";

import { list, pathOf } from "../sale/sale.ts";
import { claim, create, created, freshName, look, send } from "../../support/api.ts";
import { answerLost, lost, platform, platformError, type Fate } from "../../support/platform-faults.ts";
import { visits } from "./visits.ts";

const FAULT = platformError({ retryable: true, durableObjectReset: true });

type Asked = { readonly path: string; readonly body?: unknown; readonly headers?: Record<string, string> };

/** A coupon with a winner and a holder. */
async function sale(): Promise<string> {
  const name = await created(5);
  await claim(name, "winner");
  expect((await send("POST", pathOf(name, "holds"), { body: { user_id: "holder", ttl_seconds: 600 } })).status).toBe(201);
  return name;
}

/** The ledger's head and how many units are held, or the status where there is no coupon. */
async function state(name: string): Promise<unknown> {
  const { status, body, headers } = await look(name);
  return status === 200 ? { seq: Number(headers.get("Coupon-Seq")), held: body["held_amount"] } : status;
}

/** Requests that do something else when they are carried out twice: the call, and the state before and after. */
const ONCE: readonly (readonly [string, string, string, (name: string) => Promise<Asked> | Asked, unknown, unknown])[] = [
  ["a deletion", "DELETE", "remove", (name) => ({ path: pathOf(name) }), { seq: 3, held: 1 }, 404],
  [
    "a revocation without a position",
    "DELETE",
    "release",
    (name) => ({ path: pathOf(name, "claims", "winner") }),
    { seq: 3, held: 1 },
    { seq: 4, held: 1 },
  ],
  [
    "the release of a hold",
    "DELETE",
    "releaseHold",
    (name) => ({ path: pathOf(name, "holds", "holder") }),
    { seq: 3, held: 1 },
    { seq: 4, held: 0 },
  ],
  [
    "the end of all holds",
    "DELETE",
    "releaseAllHolds",
    (name) => ({ path: pathOf(name, "holds") }),
    { seq: 3, held: 1 },
    { seq: 4, held: 0 },
  ],
  [
    "a change with If-Match",
    "PATCH",
    "change",
    async (name) => ({ path: pathOf(name), body: { amount: 9 }, headers: { "If-Match": (await look(name)).headers.get("ETag") ?? "" } }),
    { seq: 3, held: 1 },
    { seq: 4, held: 1 },
  ],
];

const FATES: readonly (readonly [string, Fate, boolean])[] = [
  ["before the object", lost(FAULT), false],
  ["behind the object", answerLost(FAULT), true],
];

describe.for(ONCE)("%s", ([, method, call, ask, before, after]) => {
  test.for(FATES)("that fails %s is sent once, and its outcome is unknown", async ([, fate, isDone]) => {
    const name = await sale();
    const { path, body, headers } = await ask(name);
    expect(await state(name)).toEqual(before);
    const over = platform(fate);
    const answer = await visits(over).send(method, path, body, headers);
    expect([answer.status, answer.body["code"]]).toEqual([503, "outcome_unknown"]);
    expect(over.calls).toEqual([{ method: call, stub: 1 }]);
    expect(await state(name)).toEqual(isDone ? after : before);
  });
});

describe("a creation", () => {
  test.for(FATES)("that fails %s is sent once, and its outcome is unknown", async ([, fate, isDone]) => {
    const name = freshName();
    const over = platform(fate);
    const answer = await visits(over).send("POST", "/api/coupons", { name, amount: 5 });
    expect([answer.status, answer.body["code"]]).toEqual([503, "outcome_unknown"]);
    expect(over.calls).toEqual([{ method: "create", stub: 1 }]);
    expect((await create(name, 5)).status).toBe(isDone ? 409 : 201);
  });
});

const claimBody = (name: string, user: string) => ({ user_id: user, coupon_name: name });

/** Requests that do the same however often they are carried out: the call, the answer, and the ledger's head afterwards. */
const REPEATED: readonly (readonly [string, string, string, (name: string) => Asked, number, number])[] = [
  ["a claim", "POST", "claim", (name) => ({ path: "/api/coupons/claim", body: claimBody(name, "ada") }), 201, 4],
  ["a hold", "POST", "hold", (name) => ({ path: pathOf(name, "holds"), body: { user_id: "ada", ttl_seconds: 60 } }), 201, 4],
  ["a bulk claim", "POST", "claimMany", (name) => ({ path: pathOf(name, "claims"), body: { user_ids: ["ada", "bob"] } }), 200, 5],
  ["a revocation with a position", "DELETE", "release", (name) => ({ path: `${pathOf(name, "claims", "winner")}?position=1` }), 200, 4],
  ["a change without If-Match", "PATCH", "change", (name) => ({ path: pathOf(name), body: { amount: 9 } }), 200, 4],
  ["a read of the coupon", "GET", "read", (name) => ({ path: pathOf(name) }), 200, 3],
  ["a read of the status", "GET", "read", (name) => ({ path: pathOf(name, "status") }), 200, 3],
  ["a read of the claims", "GET", "page", (name) => ({ path: pathOf(name, "claims") }), 200, 3],
  ["a read of a claim", "GET", "own", (name) => ({ path: pathOf(name, "claims", "winner") }), 200, 3],
  ["a read of the holds", "GET", "holds", (name) => ({ path: pathOf(name, "holds") }), 200, 3],
  ["a read of the metrics", "GET", "metrics", (name) => ({ path: pathOf(name, "metrics") }), 200, 3],
];

describe.for(REPEATED)("%s", ([, method, call, ask, status, seq]) => {
  test("that fails before and behind the object is sent again and carried out once", async () => {
    const name = await sale();
    const { path, body, headers } = ask(name);
    const over = platform(answerLost(FAULT), lost(FAULT));
    const answer = await visits(over).send(method, path, body, headers);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("Idempotent-Replayed")).toBeNull();
    expect(over.calls).toEqual([1, 2, 3].map((stub) => ({ method: call, stub })));
    expect(await state(name)).toMatchObject({ seq });
  });

  test("that fails three times is sent no fourth time", async () => {
    const name = await sale();
    const { path, body, headers } = ask(name);
    const over = platform(lost(FAULT), lost(FAULT), lost(FAULT));
    const answer = await visits(over).send(method, path, body, headers);
    const code = method === "GET" ? "unavailable" : "outcome_unknown";
    expect([answer.status, answer.body["code"]]).toEqual([503, code]);
    expect(over.calls).toHaveLength(3);
    expect(await state(name)).toMatchObject({ seq: 3 });
  });
});

test("a bulk claim that the Worker sends again answers granted, as the first time", async () => {
  const name = await sale();
  const ask = { user_ids: ["winner", "ada", "bob"] };
  const answer = await visits(platform(answerLost(FAULT))).send("POST", pathOf(name, "claims"), ask);
  expect(answer.body).toMatchObject({
    granted_count: 2,
    results: [
      { user_id: "winner", outcome: "already_claimed" },
      { user_id: "ada", outcome: "granted" },
      { user_id: "bob", outcome: "granted" },
    ],
  });
  expect((await list(name)).body["claims"]).toHaveLength(3);
});

test("LOCATION_HINT goes with each call of each route", async () => {
  const name = await sale();
  const over = platform();
  const get = vi.spyOn(over.coupons, "get");
  const { send: sendNow } = visits(over, { LOCATION_HINT: "weur" });
  for (const [, method, , ask] of [...REPEATED, ...ONCE]) {
    const { path, body, headers } = await ask(name);
    await sendNow(method, path, body, headers);
  }
  expect(get.mock.calls.map(([, options]) => options)).toEqual(over.calls.map(() => ({ locationHint: "weur" })));
  expect(new Set(over.calls.map(({ method }) => method))).toEqual(new Set([...REPEATED, ...ONCE].map(([, , call]) => call)));
});

test("a revocation without a position spares the claim that its user made meanwhile", async () => {
  const name = await sale();
  const meanwhile: Fate = async (deliver) => {
    await deliver();
    expect((await claim(name, "winner")).status).toBe(201);
    throw FAULT;
  };
  const answer = await visits(platform(meanwhile)).send("DELETE", pathOf(name, "claims", "winner"));
  expect([answer.status, answer.body["code"]]).toEqual([503, "outcome_unknown"]);
  expect((await look(name)).body["claimed_by"]).toEqual(["winner"]);
});
