// Answers that a closing connection loses are asked for again, and planted faults on a socket are found.

import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

import { Pool } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";

import type { RawCase } from "./raw-cases.ts";
import { answersIn, faultOf, receive } from "./raw-sockets.ts";
import { send, type FuzzRequest } from "./request.ts";

const OURS = answer(400, { error: "no", code: "no", request_id: "r" });
const RUNTIMES = "HTTP/1.1 400 Bad Request\r\nContent-Length: 11\r\n\r\nBad Request";
const CASE: RawCase = { name: "a case", bytes: "POST", statuses: [400] };

function answer(status: number, body: object): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status} X\r\nX-Request-Id: r\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}

/** A server that resets its first connections, after it has sent `before`, and sends `bytes` on the others. */
async function resetting(resets: number, bytes = OURS, before = ""): Promise<{ readonly url: string; readonly count: () => number }> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    const isReset = count <= resets;
    socket
      .on("error", () => undefined)
      .once("data", () => {
        if (!isReset) return socket.end(bytes);
        if (before === "") return socket.resetAndDestroy();
        // The client has read `before` when it sends more.
        return socket.once("data", () => socket.resetAndDestroy()).write(before);
      });
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => count };
}

describe("a request whose connection is reset", () => {
  const chunked: FuzzRequest = { method: "POST", target: "/", headers: [], body: "x".repeat(20_000), isChunked: true };

  test.for([
    ["gets its answer after three resets if it is chunked", chunked, 3, { status: 400, tries: 4 }],
    ["fails after 60 tries if it is chunked", chunked, Infinity, { status: null, tries: 60 }],
    ["fails at once with a known length", { ...chunked, isChunked: false }, 1, { status: null, tries: 1 }],
  ] as const)("%s", async ([, request, resets, due]) => {
    const { url, count } = await resetting(resets);
    const dispatcher = new Pool(url);
    onTestFinished(() => void dispatcher.destroy());
    const received = await send(dispatcher, request).catch(() => null);
    expect({ status: received?.status ?? null, tries: count() }).toEqual(due);
  });
});

describe("a socket case whose connection is reset", () => {
  const dripping: RawCase = { ...CASE, drip: { bytes: "x", everyMs: 5 } };

  test.for([
    ["passes after two resets if it keeps sending", 2, "", dripping, { fault: null, tries: 3 }],
    ["fails after five tries if it keeps sending", Infinity, "", dripping, { fault: "answered [] instead of [400]", tries: 5 }],
    ["fails at once after part of an answer", 1, OURS.slice(0, 20), dripping, { fault: "answered [] instead of [400]", tries: 1 }],
    ["fails at once if it sends nothing more", 1, "", CASE, { fault: "answered [] instead of [400]", tries: 1 }],
    ["passes at once without expected answers", 1, "", { ...dripping, statuses: [] }, { fault: null, tries: 1 }],
  ] as const)("%s", async ([, resets, before, rawCase, due]) => {
    const { url, count } = await resetting(resets, OURS, before);
    const { answers } = await receive(url, rawCase, new AbortController().signal);
    expect({ fault: faultOf(rawCase, answers, true), tries: count() }).toEqual(due);
  });
});

describe("a socket case", () => {
  test.for([
    ["finds a missing answer", CASE, OURS.slice(0, -1), "answered [] instead of [400]"],
    ["finds an extra answer behind one of the runtime", CASE, OURS + RUNTIMES + OURS, "answered [400, 400]"],
    [
      "finds a 500, even an expected one",
      { ...CASE, statuses: [500] },
      answer(500, { error: "no", code: "no", request_id: "r" }),
      "status 500",
    ],
    ["finds a refusal of another form", CASE, answer(400, { message: "no" }), "no refusal"],
    ["finds leaked internals", CASE, answer(400, { error: "claim.ts", code: "no", request_id: "r" }), "leaks internals"],
  ] as const)("%s", ([, rawCase, bytes, fault]) => {
    expect(faultOf(rawCase, answersIn(bytes), true)).toContain(fault);
  });

  test("passes with its answers, and behind a proxy with fewer", () => {
    expect([faultOf(CASE, answersIn(OURS + RUNTIMES), true), faultOf(CASE, answersIn(RUNTIMES), false)]).toEqual([null, null]);
  });
});
