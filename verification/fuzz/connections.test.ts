// Requests survive connections that are reset, and planted faults on a bare socket are found.

import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

import { Pool } from "undici";
import { expect, onTestFinished, test } from "vitest";

import { asks } from "./document.fixture.ts";
import type { RawCase } from "./raw-cases.ts";
import { answersIn, faultOf } from "./raw-sockets.ts";
import { send, type FuzzRequest } from "./request.ts";

const OURS = answer(400, { error: "no", code: "no", request_id: "r" });
const RUNTIMES = "HTTP/1.1 400 Bad Request\r\nContent-Length: 11\r\n\r\nBad Request";
const CASE: RawCase = { name: "a case", bytes: "POST", statuses: [400] };
const CHUNKED: FuzzRequest = { ...asks("POST", "/", "x".repeat(20_000)), isChunked: true };

function answer(status: number, body: object): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status} X\r\nX-Request-Id: r\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}

test.for([
  ["gets its answer after three resets if it is chunked", CHUNKED, 3, "", { status: 400, tries: 4 }],
  ["fails after 60 tries if it is chunked", CHUNKED, Infinity, "", { status: null, tries: 60 }],
  ["fails at once with a known length", { ...CHUNKED, isChunked: false }, 1, "", { status: null, tries: 1 }],
  ["gets its answer after three incomplete ones", { ...CHUNKED, isChunked: false }, 3, OURS.slice(0, -1), { status: 400, tries: 4 }],
] as const)("a request whose connection is cut off %s", async ([, request, cuts, part, due]) => {
  let tries = 0;
  const server = createServer((socket) => {
    tries += 1;
    const bytes = tries > cuts ? OURS : part;
    socket.on("error", () => undefined).once("data", () => (bytes === "" ? socket.resetAndDestroy() : socket.end(bytes)));
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const dispatcher = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => void dispatcher.destroy());
  const received = await send(dispatcher, request).catch(() => null);
  expect({ status: received?.status ?? null, tries }).toEqual(due);
});

test.for([
  ["a missing answer", CASE, OURS.slice(0, -1), "answered [] instead of [400]"],
  ["an extra answer behind one of the runtime", CASE, OURS + RUNTIMES + OURS, "answered [400, 400]"],
  ["a 500, even an expected one", { ...CASE, statuses: [500] }, answer(500, { error: "no", code: "no", request_id: "r" }), "status 500"],
  ["a refusal of another form", CASE, answer(400, { message: "no" }), "no refusal"],
  ["leaked internals", CASE, answer(400, { error: "claim.ts", code: "no", request_id: "r" }), "leaks internals"],
] as const)("a socket case finds %s", ([, rawCase, bytes, fault]) => {
  expect(faultOf(rawCase, answersIn(bytes), true)).toContain(fault);
});

test("a socket case passes with its answers, and behind a proxy with fewer", () => {
  expect([faultOf(CASE, answersIn(OURS + RUNTIMES), true), faultOf(CASE, answersIn(RUNTIMES), false)]).toEqual([null, null]);
});
