// The driver finds planted faults of a server, shrinks them and draws them again.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { DOCUMENT, refuses } from "./document.fixture.ts";
import { drive, replay, type DriverOptions, type Failure, type Target } from "./driver.ts";
import type { FuzzRequest } from "./request.ts";
import { requestFor } from "./requests.ts";
import { openTokens } from "./tokens.ts";

const REQUESTS = requestFor(DOCUMENT, openTokens(undefined));

/** A server whose answers are right, except those to requests with the planted fault. */
function serverWith(isFaulty: (request: FuzzRequest) => boolean): Target {
  const send = async (request: FuzzRequest) => refuses(isFaulty(request) ? 500 : 404, "a_code");
  return { send, check: (_request, { status }) => (status >= 500 ? `status ${status}` : null) };
}

function driveTo(target: Target, options: Pick<DriverOptions, "inputs" | "seed" | "path">): Promise<Failure[]> {
  return drive(target, REQUESTS, { signal: new AbortController().signal, onAnswer: () => undefined, ...options });
}

test("the fuzz driver finds a fault of one field, shrinks it and redraws it", async () => {
  const target = serverWith(({ method, body }) => method === "POST" && body?.includes('"coupon_name":null') === true);
  const [failure] = await driveTo(target, { inputs: 20_000, seed: 1 });
  expect(failure).toMatchObject({ fault: "status 500", isRepeated: true, request: { method: "POST", target: "/api/coupons/claim" } });
  expect(failure?.request.body?.length).toBeLessThan(80);
  const again = await driveTo(target, { inputs: 1, ...(failure?.drawn ?? { seed: 0, path: "" }) });
  expect(again).toMatchObject([{ fault: "status 500", request: failure?.request }]);
});

test("the fuzz driver finds only a fault of one escape in a path", async () => {
  const failures = await driveTo(
    serverWith(({ target }) => target.includes("%ED%A0%80")),
    { inputs: 10_000, seed: 3 },
  );
  expect(failures.length).toBeGreaterThan(0);
  expect(failures.every(({ request }) => request.target.includes("%ED%A0%80"))).toBe(true);
});

test("the fuzz driver distinguishes a fault that is gone when sent again", async () => {
  let isBroken = true;
  const target = serverWith(() => isBroken);
  const failures = await replay(target, [{ method: "GET", target: "/", headers: [], body: null }], () => void (isBroken = false));
  expect(failures).toMatchObject([{ fault: "status 500", drawn: null, isRepeated: false }]);
});

test("the fuzz driver reports a request without an answer", async () => {
  const target = { ...serverWith(() => false), send: () => Promise.reject(new Error("closed")) };
  const [failure] = await driveTo(target, { inputs: 1, seed: 4 });
  expect(failure?.fault).toBe("no answer: closed");
});

const DRAWN = fc.sample(REQUESTS, { seed: 5, numRuns: 15_000 });

test.for<readonly [string, (request: FuzzRequest) => boolean]>([
  ["valid claims", ({ body }) => /^\{"user_id":"user-\d+","coupon_name":"fuzz-open-\d"\}$/.test(body ?? "")],
  ["prototypes as fields", ({ body }) => body?.includes('"__proto__":') === true],
  ["repeated fields", ({ body }) => /"user_id":.*"user_id":/s.test(body ?? "")],
  ["half surrogates", ({ body }) => /\\ud[89a-f]/.test(body ?? "")],
  ["bytes that are not UTF-8", ({ body }) => body !== null && Buffer.from(body, "latin1").toString().includes("\ufffd")],
  ["numbers beyond all doubles", ({ body }) => body?.includes("1e400") === true],
  ["bodies 1,000 levels deep", ({ body }) => /(?:\[|\{"a":){1000}/.test(body ?? "")],
  ["bodies around 16 KiB", ({ body }) => Math.abs((body?.length ?? 0) - 16_384) <= 2],
  ["bodies around 1 MiB", ({ body }) => Math.abs((body?.length ?? 0) - 1_048_576) <= 2],
  ["chunked bodies", ({ isChunked }) => isChunked === true],
  ["invalid escapes", ({ target }) => /%(?![0-9a-f]{2})/i.test(target)],
  ["NULs in paths", ({ target }) => target.includes("%00")],
  ["backslashes in paths", ({ target }) => target.includes("\\")],
  ["other methods", ({ method }) => method === "PROPFIND"],
  ["repeated keys", ({ headers }) => headers.filter(([name]) => name === "Idempotency-Key").length === 2],
  ["unknown query parameters", ({ target }) => target.includes("?__proto__=1")],
])("15,000 drawn requests include %s", ([, isSuch]) => {
  expect(DRAWN.filter(isSuch).length).toBeGreaterThan(0);
});
