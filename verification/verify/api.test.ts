// The check of the API's numbers, with a small server that gives right and wrong answers.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { asks, T0 } from "../../test/rules/coupon.ts";
import type { ApiOptions } from "./api.ts";
import { BUSY, newState, putBusyCoupon, refusal, withEngine, type State } from "./state.fixture.ts";
import { verify } from "./verify.ts";

type Reply = { readonly status?: number; readonly seq?: number | null; readonly body: object };

/** The right answer about the busy coupon at its last event, which has seq 17. */
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
  title: "/shoe",
  description: null,
  image_url: "/shoe",
  created_at: "2023-11-14T22:13:20.000Z",
  claimed_by: ["u1", "u2", "u3", "u5", "u6", "u4"],
};
const { claimed_by: _ofOperators, ...PUBLIC } = RIGHT;
const PASS = "PASS event 17: remaining_amount 1, claimed_by 6 users in this order";
const PASS_PUBLIC = "PASS event 17: remaining_amount 1, claimed_by not compared: only the operator gets it";
const STALE = "FAIL GET returned event 16 after 17 was stored";

let state: State;
let server: Server;
let url: string;
/** Makes the next answer. */
let reply: () => Reply;
let requests: string[];

beforeEach(async () => {
  state = newState();
  putBusyCoupon(state);
  requests = [];
  reply = () => ({ body: RIGHT });
  server = createServer((request, response) => {
    requests.push(`${request.url} ${request.headers.authorization ?? ""}`.trim());
    const { status = 200, seq = 17, body } = reply();
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

/** The outcome of check 4. No other check may fail. */
async function compared(api: Partial<ApiOptions> = {}): Promise<string> {
  const checks = await verify({ state: state.folder, api: { url, publicAgeMs: 1, ...api } });
  expect(checks.filter(({ number, verdict }) => number !== 4 && verdict === "FAIL")).toEqual([]);
  return checks
    .filter(({ number }) => number === 4)
    .map(({ verdict, detail }) => `${verdict} ${detail}`)
    .join();
}

test("the operator's answer with the file's numbers and users passes", async () => {
  expect(await compared({ adminToken: "secret" })).toBe(PASS);
  expect(requests).toEqual(["/api/coupons/BUSY%20%F0%9F%8E%89%2F1 Bearer secret"]);
});

test("an answer without a seq is compared with the file as it is", async () => {
  reply = () => ({ seq: null, body: RIGHT });
  expect(await compared()).toBe(PASS);
});

test.for<[fault: string, Reply]>([
  ["remaining_amount is 2, and 1 in the file", { body: { ...RIGHT, remaining_amount: 2 } }],
  ["amount is 9, and 8 in the file", { body: { ...RIGHT, amount: 9 } }],
  ['name is "BUSY", and "BUSY 🎉/1" in the file', { body: { ...RIGHT, name: "BUSY" } }],
  ["paused is true, and false in the file", { body: { ...RIGHT, paused: true } }],
  ["held_amount is 0, and 1 in the file", { body: { ...RIGHT, held_amount: 0 } }],
  ['description is "/shoe", and null in the file', { body: { ...RIGHT, description: "/shoe" } }],
  ["hold_seconds_max is 900, and 86400 in the file", { body: { ...RIGHT, hold_seconds_max: 900 } }],
  ["holds_max is null, and 4 in the file", { body: { ...RIGHT, holds_max: null } }],
  ['ends_at is null, and "2023-11-14T22:26:40.000Z" in the file', { body: { ...RIGHT, ends_at: null } }],
  ["claimed_by is in another order from place 4 on", { body: { ...RIGHT, claimed_by: ["u1", "u2", "u3", "u6", "u5", "u4"] } }],
  [
    'claimed_by lacks "u2"; claimed_by has "thief", who are not in the file',
    { body: { ...RIGHT, claimed_by: ["u1", "thief", "u3", "u5", "u6", "u4"] } },
  ],
  ["claimed_by has 7 names, and 6 in the file", { body: { ...RIGHT, claimed_by: [...RIGHT.claimed_by, "u4"] } }],
  ["claimed_by is no list", { body: { ...RIGHT, claimed_by: "u1" } }],
  ['GET was answered with 404 "coupon_not_found"', { status: 404, seq: 0, body: { code: "coupon_not_found" } }],
  ['GET was answered with 503 "unavailable"', { status: 503, body: { code: "unavailable" } }],
  ["GET returned event 18, and the file ends with 17", { seq: 18, body: RIGHT }],
])("check 4 finds that %s", async ([fault, wrong]) => {
  reply = () => wrong;
  expect(await compared()).toBe(`FAIL ${fault}`);
});

test("a public answer that is older than the file is read again", async () => {
  reply = () => ({ body: PUBLIC, seq: requests.length === 1 ? 16 : 17 });
  expect(await compared()).toBe(PASS_PUBLIC);
  expect(requests).toHaveLength(2);
});

test("an old answer fails check 4, a public one after a second read", async () => {
  reply = () => ({ body: PUBLIC, seq: 16 });
  expect([await compared(), requests.length]).toEqual([STALE, 2]);
  reply = () => ({ body: RIGHT, seq: 16 });
  expect([await compared(), requests.length]).toEqual([STALE, 3]);
});

test("an answer is compared with the file as it was at the answer's seq", async () => {
  const later = (body: object) => () => {
    withEngine(state, BUSY, (engine) => {
      engine.releaseHold("h1", T0 + 5000);
      engine.revoke({ userId: "u1", position: 1 }, T0 + 5000);
      engine.claimAll([asks("u9")], T0 + 5001);
    });
    return { body };
  };
  reply = later(RIGHT);
  expect(await compared()).toBe(PASS);

  state.remove();
  state = newState();
  putBusyCoupon(state);
  reply = later({ ...RIGHT, remaining_amount: 2, claimed_by: ["u2", "u3", "u5", "u6", "u4", "u9"] });
  expect(await compared()).toBe(
    'FAIL remaining_amount is 2, and 1 in the file; claimed_by lacks "u1"; claimed_by has "u9", who are not in the file',
  );
});

test("a coupon that is created again meanwhile is read again", async () => {
  reply = () => {
    if (requests.length > 1) return { body: RIGHT };
    state.alter(BUSY, (database) => database.exec("UPDATE coupon SET epoch = 'epoch-2'"));
    return { seq: 1, body: {} };
  };
  expect(await compared()).toBe(PASS);
  expect(requests).toHaveLength(2);
});

test("a coupon that is deleted meanwhile has no checks", async () => {
  reply = () => {
    state.alter(BUSY, (database) => {
      for (const table of ["coupon", "claims", "holds", "releases", "released_holds", "ledger"]) database.exec(`DROP TABLE ${table}`);
    });
    return { status: 404, seq: 0, body: {} };
  };
  expect(await compared()).toBe("");
});

describe("refused verifications", () => {
  const about = `about the coupon "BUSY 🎉/1"`;

  test("the verification is refused when the API does not connect or answer in time", async () => {
    server.removeAllListeners("request");
    expect(await refusal(compared({ timeoutMs: 200 }))).toBe(`no answer from ${url} ${about}: UND_ERR_HEADERS_TIMEOUT`);
    server.close();
    server.closeAllConnections();
    expect(await refusal(compared())).toBe(`no answer from ${url} ${about}: ECONNREFUSED`);
  });

  test("the verification is refused when the API does not accept the admin token", async () => {
    reply = () => ({ body: PUBLIC });
    expect(await refusal(compared({ adminToken: "wrong" }))).toBe(
      `${url} does not accept this admin token: the coupon "BUSY 🎉/1" has no claimed_by`,
    );
  });
});
