// The API's numbers against the file's: a small server of the test's own answers, rightly or wrongly.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { CommandFailure } from "../cli/command.ts";
import type { ApiOptions } from "./api.ts";
import { verify, type Check } from "./verify.ts";
import { asks, crowd, newCoupon, T0 } from "../../test/rules/coupon.ts";
import { BUSY, newState, putBusyCoupon, withEngine, type State } from "./state.fixture.ts";

type Said = { readonly status?: number; readonly seq?: number | null; readonly body: object };

/** What the API says of the busy coupon at its last event, which is its 17th. */
const RIGHT = {
  name: BUSY,
  amount: 8,
  remaining_amount: 1,
  state: "ended",
  starts_at: "2023-11-14T22:13:21.000Z",
  ends_at: "2023-11-14T22:26:40.000Z",
  paused: false,
  held_amount: 1,
  hold_seconds_max: 86_400,
  holds_max: 4,
  created_at: "2023-11-14T22:13:20.000Z",
  claimed_by: ["u1", "u2", "u3", "u5", "u6", "u4"],
};
const { claimed_by: _shownToOperators, ...PUBLIC } = RIGHT;

let state: State;
let server: Server;
let url: string;
/** What the server says, each time that it is asked. */
let say: () => Said;
let asked: (string | undefined)[];

beforeEach(async () => {
  state = newState();
  putBusyCoupon(state);
  asked = [];
  say = () => ({ body: RIGHT });
  server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? ""}`.trim());
    const { status = 200, seq = 17, body } = say();
    response.writeHead(status, { "content-type": "application/json", ...(seq === null ? {} : { "coupon-seq": seq }) });
    response.end(JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  state.remove();
});

/** How the comparison ended, in words. */
async function compared(api: Partial<ApiOptions> = {}): Promise<string> {
  const checks: readonly Check[] = await verify({ state: state.folder, api: { url, ...api } });
  expect(checks.filter(({ number, verdict }) => number !== 4 && verdict === "FAIL")).toEqual([]);
  return checks
    .filter(({ number }) => number === 4)
    .map(({ verdict, detail }) => `${verdict} ${detail}`)
    .join();
}

test("numbers and names that are the file's pass", async () => {
  expect(await compared({ adminToken: "secret" })).toBe("PASS event 17: remaining_amount 1, claimed_by 6 users in this order");
  expect(asked).toEqual(["/api/coupons/BUSY%20%F0%9F%8E%89%2F1 Bearer secret"]);
});

test("what is shown to the operator only is not compared without being one", async () => {
  say = () => ({ body: PUBLIC });
  expect(await compared()).toBe("PASS event 17: remaining_amount 1, claimed_by not compared: shown to the operator only");
});

test.for<[said: string, Said]>([
  ["FAIL remaining_amount is 2, and 1 in the file", { body: { ...RIGHT, remaining_amount: 2 } }],
  ["FAIL amount is 9, and 8 in the file", { body: { ...RIGHT, amount: 9 } }],
  ['FAIL name is "BUSY", and "BUSY 🎉/1" in the file', { body: { ...RIGHT, name: "BUSY" } }],
  ["FAIL paused is true, and false in the file", { body: { ...RIGHT, paused: true } }],
  ["FAIL held_amount is 0, and 1 in the file", { body: { ...RIGHT, held_amount: 0 } }],
  ["FAIL hold_seconds_max is 900, and 86400 in the file", { body: { ...RIGHT, hold_seconds_max: 900 } }],
  ["FAIL holds_max is null, and 4 in the file", { body: { ...RIGHT, holds_max: null } }],
  ['FAIL ends_at is null, and "2023-11-14T22:26:40.000Z" in the file', { body: { ...RIGHT, ends_at: null } }],
  ["FAIL claimed_by is in another order from place 4 on", { body: { ...RIGHT, claimed_by: ["u1", "u2", "u3", "u6", "u5", "u4"] } }],
  [
    'FAIL claimed_by lacks "u2"; claimed_by has 5 names, and 6 in the file',
    { body: { ...RIGHT, claimed_by: ["u1", "u3", "u5", "u6", "u4"] } },
  ],
  [
    'FAIL claimed_by lacks "u2"; claimed_by has "thief", who are not in the file',
    { body: { ...RIGHT, claimed_by: ["u1", "thief", "u3", "u5", "u6", "u4"] } },
  ],
  ["FAIL claimed_by has 7 names, and 6 in the file", { body: { ...RIGHT, claimed_by: [...RIGHT.claimed_by, "u4"] } }],
  ["FAIL claimed_by is no list", { body: { ...RIGHT, claimed_by: "u1" } }],
  ['FAIL GET was answered with 404 "coupon_not_found"', { status: 404, seq: 0, body: { code: "coupon_not_found" } }],
  ['FAIL GET was answered with 503 "unavailable"', { status: 503, body: { code: "unavailable" } }],
  ["FAIL GET told of event 18, and the file ends with 17", { seq: 18, body: RIGHT }],
  ["FAIL GET told of event 16 when 17 was stored already", { seq: 16, body: { ...RIGHT, remaining_amount: 2 } }],
])("%s", async ([said, wrong]) => {
  say = () => wrong;
  expect(await compared()).toBe(said);
});

describe("an answer of a moment before the file's last event", () => {
  test("is asked for once more where it is what all users are shown", async () => {
    say = () => ({ body: PUBLIC, seq: asked.length === 1 ? 16 : 17 });
    expect(await compared({ publicAgeMs: 1 })).toBe(
      "PASS event 17: remaining_amount 1, claimed_by not compared: shown to the operator only",
    );
    expect(asked).toHaveLength(2);
  });

  test("is found stale where it stays the same", async () => {
    say = () => ({ body: PUBLIC, seq: 16 });
    expect(await compared({ publicAgeMs: 1 })).toBe("FAIL GET told of event 16 when 17 was stored already");
    expect(asked).toHaveLength(2);
  });

  test("is found stale at once where it is the operator's", async () => {
    say = () => ({ body: RIGHT, seq: 16 });
    expect(await compared({ publicAgeMs: 1 })).toBe("FAIL GET told of event 16 when 17 was stored already");
    expect(asked).toHaveLength(1);
  });
});

test("an answer without a seq is compared with the file as it is", async () => {
  say = () => ({ seq: null, body: RIGHT });
  expect(await compared()).toBe("PASS event 17: remaining_amount 1, claimed_by 6 users in this order");
});

/** Answers as of the 17th event, and lets more happen before the answer arrives: the hold ends, one more claims. */
function answerThenGoOn(body: object): void {
  say = () => {
    withEngine(state, BUSY, (engine) => {
      engine.releaseHold("h1", T0 + 5000);
      engine.revoke({ userId: "u1", position: 1 }, T0 + 5000);
      engine.claimAll([asks("u9")], T0 + 5001);
    });
    return { body };
  };
}

describe("an answer from before what the file has by now", () => {
  test("is held against the file as it was then", async () => {
    answerThenGoOn(RIGHT);
    expect(await compared()).toBe("PASS event 17: remaining_amount 1, claimed_by 6 users in this order");
  });

  test("is found wrong where it tells of what came later", async () => {
    answerThenGoOn({ ...RIGHT, remaining_amount: 2, claimed_by: ["u2", "u3", "u5", "u6", "u4", "u9"] });
    expect(await compared()).toBe(
      'FAIL remaining_amount is 2, and 1 in the file; claimed_by lacks "u1"; claimed_by has "u9", who are not in the file',
    );
  });
});

test("a coupon that was created anew meanwhile is asked for once more", async () => {
  say = () => {
    if (asked.length === 1) {
      state.alter(BUSY, (database) => database.exec("UPDATE coupon SET epoch = 'epoch-2'"));
      return { seq: 1, body: {} };
    }
    return { body: RIGHT };
  };
  expect(await compared()).toBe("PASS event 17: remaining_amount 1, claimed_by 6 users in this order");
  expect(asked).toHaveLength(2);
});

test("a coupon that was deleted meanwhile is nothing to check", async () => {
  say = () => {
    state.alter(BUSY, (database) => {
      for (const table of ["coupon", "claims", "holds", "releases", "released_holds", "ledger"]) database.exec(`DROP TABLE ${table}`);
    });
    return { status: 404, seq: 0, body: {} };
  };
  expect(await compared()).toBe("");
});

describe("more claimants than one answer of the object has", () => {
  const users = crowd(10_001).map(({ userId }) => userId);
  const many = {
    ...RIGHT,
    name: "MANY",
    held_amount: 0,
    holds_max: null,
    amount: 20_000,
    remaining_amount: 9999,
    starts_at: null,
    ends_at: null,
    claimed_by: users,
  };

  beforeEach(() => {
    state.remove();
    state = newState();
    withEngine(state, "MANY", (engine) => {
      engine.create(newCoupon(20_000, { name: "MANY" }), "epoch-1", T0);
      engine.claimAll(crowd(10_001), T0);
    });
  });

  test("are compared while nothing happens", async () => {
    say = () => ({ seq: 10_002, body: many });
    expect(await compared()).toBe("PASS event 10002: remaining_amount 9999, claimed_by 10001 users in this order");
    say = () => ({ seq: 10_002, body: { ...many, claimed_by: users.toSpliced(5000, 1) } });
    expect(await compared()).toBe('FAIL claimed_by lacks "user-5001"; claimed_by has 10000 names, and 10001 in the file');
  });

  test("are streamed while claims go on, so only the numbers are compared", async () => {
    say = () => {
      withEngine(state, "MANY", (engine) => engine.claimAll([asks("one-more")], T0));
      return { seq: 10_002, body: { ...many, claimed_by: [...users, "one-more"] } };
    };
    expect(await compared()).toBe(
      "PASS event 10002: remaining_amount 9999, claimed_by not compared: streamed while claims went on, of no one instant",
    );
  });
});

/** Why the verification was not made. */
async function refusal(api: Partial<ApiOptions> = {}): Promise<string> {
  const cause: unknown = await compared(api).catch((thrown: unknown) => thrown);
  if (cause instanceof CommandFailure && cause.exitCode === 69) return cause.message;
  throw new Error(`no refusal: ${String(cause)}`);
}

describe("it is refused to go on", () => {
  test("where nobody answers", async () => {
    server.close();
    server.closeAllConnections();
    expect(await refusal()).toBe(`no answer from ${url} about the coupon "BUSY 🎉/1": ECONNREFUSED`);
  });

  test("where the answer does not come", async () => {
    server.removeAllListeners("request");
    expect(await refusal({ timeoutMs: 200 })).toBe(`no answer from ${url} about the coupon "BUSY 🎉/1": UND_ERR_HEADERS_TIMEOUT`);
  });

  test("where the token is not the operator's", async () => {
    say = () => ({ body: PUBLIC });
    expect(await refusal({ adminToken: "wrong" })).toBe(
      `${url} does not take this admin token: it does not show who claimed the coupon "BUSY 🎉/1"`,
    );
  });
});
