// The fuzzer against servers with planted faults: it finds them, makes them small, and draws them again.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { answerCheck } from "./answers.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";
import { requestFor } from "./requests.ts";
import { openTokens } from "./tokens.ts";
import { replay, volley, type Failure, type Target } from "./volley.ts";
import { DOCUMENT, refuses } from "./document.fixture.ts";

const REQUESTS = requestFor(DOCUMENT, openTokens(undefined));

/** A server that refuses every request rightly, but those with the planted fault. */
function serverWith(isFaulty: (request: FuzzRequest) => boolean): Target {
  async function send(request: FuzzRequest): Promise<FuzzAnswer> {
    const ids = request.headers.filter(([name]) => name === "X-Request-Id").map(([, value]) => value);
    const id = ids.length === 1 && /^[\x21-\x7e]{1,255}$/.test(ids[0] ?? "") ? (ids[0] ?? "") : "r-1";
    const { status, headers, body } = isFaulty(request) ? refuses(500, "internal_error") : rightRefusal(request);
    const told = request.method === "HEAD" ? "" : body.replace('"r-1"', () => JSON.stringify(id));
    return { status, headers: { ...headers, "x-request-id": id }, body: told };
  }
  return { send, check: answerCheck(DOCUMENT) };
}

function rightRefusal({ method, target }: FuzzRequest): FuzzAnswer {
  const [, api, coupons, name = "", ...more] = target.replace(/[?#].*$/s, "").split("/");
  if (api !== "api" || coupons !== "coupons" || name === "" || more.length > 0) return refuses(404, "not_found");
  if (name === "claim" && method === "POST") return refuses(400, "out_of_stock");
  if (["GET", "HEAD", "DELETE"].includes(method)) return refuses(404, "coupon_not_found");
  const { headers, ...refusal } = refuses(405, "method_not_allowed");
  return { ...refusal, headers: { ...headers, allow: "GET, HEAD, DELETE" } };
}

async function fire(
  target: Target,
  options: { readonly inputs: number; readonly seed: number; readonly path?: string },
): Promise<Failure[]> {
  return volley(target, REQUESTS, { signal: new AbortController().signal, onAnswer: async () => undefined, ...options });
}

describe("a volley", () => {
  test("finds nothing where there is nothing", async () => {
    expect(
      await fire(
        serverWith(() => false),
        { inputs: 3000, seed: 1 },
      ),
    ).toEqual([]);
  });

  test("finds a fault of one field, makes it small, and draws it again", async () => {
    const target = serverWith(({ method, body }) => method === "POST" && body?.includes('"coupon_name":null') === true);
    const [failure] = await fire(target, { inputs: 3000, seed: 2 });
    expect(failure).toMatchObject({ fault: "status 500", isRepeated: true, request: { method: "POST", target: "/api/coupons/claim" } });
    expect(failure?.request.body?.length).toBeLessThan(80);
    const { request, drawn } = failure ?? { request: null, drawn: null };
    expect(await fire(target, { inputs: 1, ...(drawn ?? { seed: 0, path: "" }) })).toMatchObject([{ fault: "status 500", request }]);
  });

  test("finds a fault of one escape in a path", async () => {
    const failures = await fire(
      serverWith(({ target }) => target.includes("%ED%A0%80")),
      { inputs: 3000, seed: 3 },
    );
    expect(failures.length).toBeGreaterThan(0);
    expect(failures.every(({ request }) => request.target.includes("%ED%A0%80"))).toBe(true);
  });

  test("tells a fault that comes and goes from one that stays", async () => {
    let isBroken = true;
    const target = serverWith(() => isBroken);
    const failures = await replay(target, [{ method: "GET", target: "/", headers: [], body: null }], async () => {
      isBroken = false;
    });
    expect(failures).toMatchObject([{ fault: "status 500", drawn: null, isRepeated: false }]);
  });

  test("tells where there is no answer", async () => {
    const target = { ...serverWith(() => false), send: () => Promise.reject(new Error("closed")) };
    const [failure] = await fire(target, { inputs: 1, seed: 4 });
    expect(failure?.fault).toBe("no answer: closed");
  });
});

describe("the drawn requests", () => {
  const drawn = fc.sample(REQUESTS, { seed: 5, numRuns: 4000 });
  const count = (isSuch: (request: FuzzRequest) => boolean): number => drawn.filter(isSuch).length;

  test("are the same for the same seed", () => {
    expect(fc.sample(REQUESTS, { seed: 5, numRuns: 50 })).toEqual(drawn.slice(0, 50));
    expect(fc.sample(REQUESTS, { seed: 6, numRuns: 50 })).not.toEqual(drawn.slice(0, 50));
  });

  test.for<readonly [string, (request: FuzzRequest) => boolean]>([
    ["right claims", ({ body }) => /^\{"user_id":"user-\d+","coupon_name":"fuzz-open-\d"\}$/.test(body ?? "")],
    ["prototypes as fields", ({ body }) => body?.includes('"__proto__":') === true],
    ["fields twice", ({ body }) => /"user_id":.*"user_id":/s.test(body ?? "")],
    ["half surrogates", ({ body }) => /\\ud[89a-f]/.test(body ?? "")],
    ["bytes that are no UTF-8", ({ body }) => body !== null && Buffer.from(body, "latin1").toString().includes("\ufffd")],
    ["numbers beyond all", ({ body }) => body?.includes("1e400") === true],
    ["depths", ({ body }) => /(?:\[|\{"a":){1000}/.test(body ?? "")],
    ["bodies around 16 KiB", ({ body }) => Math.abs((body?.length ?? 0) - 16_384) <= 2],
    ["bodies around 1 MiB", ({ body }) => Math.abs((body?.length ?? 0) - 1_048_576) <= 2],
    ["bodies in chunks", ({ isChunked }) => isChunked === true],
    ["escapes that are none", ({ target }) => /%(?![0-9a-f]{2})/i.test(target)],
    ["NULs in paths", ({ target }) => target.includes("%00")],
    ["backslashes in paths", ({ target }) => target.includes("\\")],
    ["other methods", ({ method }) => method === "PROPFIND"],
    ["HEADs", ({ method }) => method === "HEAD"],
    ["keys twice", ({ headers }) => headers.filter(([name]) => name === "Idempotency-Key").length === 2],
    ["queries that nobody asked for", ({ target }) => target.includes("?__proto__=1")],
  ])("have %s among them", ([, isSuch]) => {
    expect(count(isSuch)).toBeGreaterThan(0);
  });
});
