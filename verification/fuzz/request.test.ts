// One request of the fuzzer: sent until it is answered, and shown as it was sent.

import { Pool } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";

import { curlOf, send, type FuzzRequest } from "./request.ts";
import { resetting } from "./resetting-server.fixture.ts";

describe("a body that is cut off while it is sent", () => {
  const answer = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
  const chunked: FuzzRequest = { method: "POST", target: "/", headers: [], body: "x".repeat(20_000), isChunked: true };

  async function sent(request: FuzzRequest, resets: number, bytes: Parameters<typeof resetting>[0] = answer) {
    const { url, count } = await resetting(bytes, resets);
    const dispatcher = new Pool(url);
    onTestFinished(() => void dispatcher.destroy());
    const told = await send(dispatcher, request).catch(() => null);
    return { status: told?.status ?? null, tries: count() };
  }

  test("is sent again until its answer is heard", async () => {
    expect(await sent(chunked, 3)).toEqual({ status: 413, tries: 4 });
  });

  test("is sent again when its answer ends too early", async () => {
    const cutOff = answer.replace("Length: 2", "Length: 20");
    expect(await sent(chunked, 0, (connection) => (connection <= 3 ? cutOff : answer))).toEqual({ status: 413, tries: 4 });
  });

  test("fails when no answer is heard in sixty tries", async () => {
    expect(await sent(chunked, Infinity)).toEqual({ status: null, tries: 60 });
  });

  test.for([
    ["of a known length", { ...chunked, isChunked: false }],
    ["that is none", { ...chunked, body: null }],
  ] as const)("is sent once where it is one %s", async ([, request]) => {
    expect(await sent(request, 1)).toEqual({ status: null, tries: 1 });
  });
});

test("a request is shown as a line of shell", () => {
  const request: FuzzRequest = {
    method: "POST",
    target: "/x?y='",
    headers: [
      ["A", "b"],
      ["Empty", ""],
    ],
    body: "a\\\n\u00ff'",
    isChunked: true,
  };
  expect(curlOf(request, "http://h")).toBe(
    String.raw`printf %b 'a\\\0012\0377'\''' | curl -si --path-as-is --globoff -X POST -H 'A: b' -H 'Empty;' -H 'Transfer-Encoding: chunked' --data-binary @- 'http://h/x?y='\'''`,
  );
});
