// What the hostile sockets heard: read rightly, and held to what was foretold.

import { describe, expect, test } from "vitest";

import { RAW_CASES, type RawCase } from "./raw-cases.ts";
import { answersIn, faultOf, hear } from "./raw-sockets.ts";
import { resetting } from "./resetting-server.fixture.ts";

const OURS = ours(400, { error: "no", code: "no", request_id: "r" });
const RUNTIMES = "HTTP/1.1 400 Bad Request\r\nContent-Length: 11\r\n\r\nBad Request";
const CASE: RawCase = { name: "a case", bytes: "", told: ["ours 400"], isClosed: true };

function ours(status: number, body: object): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status} X\r\nX-Request-Id: r\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}

function told(text: string, isClosed = true) {
  return { answers: answersIn(text), isClosed, isResetUnheard: false };
}

describe("answers on a socket", () => {
  test("are told apart, by who gave them", () => {
    expect(answersIn(OURS + RUNTIMES).map((answer) => answer.told)).toEqual(["ours 400", "runtime 400"]);
    expect(answersIn("")).toEqual([]);
  });

  test("count once they are whole", () => {
    expect(answersIn(OURS + RUNTIMES.slice(0, -1))).toHaveLength(1);
    expect(answersIn("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nx")).toHaveLength(1);
  });
});

describe("an answer that was lost with its connection", () => {
  const sending: RawCase = { ...CASE, bytes: "POST", drip: { bytes: "x", everyMs: 5 } };
  const signal = new AbortController().signal;

  test("is heard in another try", async () => {
    const { url, count } = await resetting(OURS, 2);
    expect(faultOf(sending, await hear(url, sending, signal), true)).toBeNull();
    expect(count()).toBe(3);
  });

  test("fails the case when none is heard in five", async () => {
    const { url, count } = await resetting(OURS, Infinity);
    expect(faultOf(sending, await hear(url, sending, signal), true)).toBe("told [] and not [ours 400]");
    expect(count()).toBe(5);
  });

  test.for([
    ["the connection was closed in order", 0, OURS, sending],
    ["something was heard before the reset", 1, OURS, sending],
    ["half an answer was heard before the reset", 1, OURS.slice(0, 20), sending],
    ["nothing was to be heard", 1, "", { ...sending, told: [] }],
    ["the case sends nothing more", 1, "", { ...CASE, bytes: "POST" }],
  ] as const)("is not asked for again where %s", async ([, resets, before, rawCase]) => {
    const { url, count } = await resetting(OURS, resets, before);
    await hear(url, rawCase, signal);
    expect(count()).toBe(1);
  });
});

describe("a case", () => {
  test("passes when it ends as foretold", () => {
    expect(faultOf(CASE, told(OURS), true)).toBeNull();
  });

  test.for([
    ["no answer", CASE, told(""), "told [] and not [ours 400]"],
    ["another's answer", CASE, told(RUNTIMES), "told [runtime 400] and not [ours 400]"],
    ["an answer too many", CASE, told(OURS + OURS), "told [ours 400, ours 400]"],
    ["a connection that stays open", CASE, told(OURS, false), "still open"],
    ["a connection that was closed", { ...CASE, isClosed: false }, told(OURS), "closed"],
    [
      "a 500 of ours, even where it was foretold",
      { ...CASE, told: ["ours 500"] },
      told(ours(500, { error: "no", code: "no", request_id: "r" })),
      "told ours 500",
    ],
    ["a refusal of another form", CASE, told(ours(400, { message: "no" })), "no refusal"],
    ["a refusal that tells of its insides", CASE, told(ours(400, { error: "claim.ts", code: "no", request_id: "r" })), "its insides"],
  ] as const)("fails on %s", ([, rawCase, heard, fault]) => {
    expect(faultOf(rawCase, heard, true)).toContain(fault);
  });

  test("on a server that is not workerd alone is held to our own rules only", () => {
    expect(faultOf(CASE, told(RUNTIMES), false)).toBeNull();
    expect(faultOf(CASE, told(ours(500, {})), false)).toBe("told ours 500");
  });
});

describe("the cases", () => {
  test("are many, and each is named once", () => {
    expect(RAW_CASES.length).toBeGreaterThan(40);
    expect(new Set(RAW_CASES.map(({ name }) => name)).size).toBe(RAW_CASES.length);
  });

  test("none foretells a fault of ours", () => {
    expect(RAW_CASES.filter(({ told: foretold }) => foretold.some((each) => each.startsWith("ours 5")))).toEqual([]);
  });

  test("no smuggler's name is used twice", () => {
    const smugglers = RAW_CASES.flatMap(({ bytes }) => Array.from(bytes.matchAll(/smuggled-[\w.-]+/g), ([user]) => user));
    expect(smugglers.length).toBeGreaterThan(15);
    expect(new Set(smugglers).size).toBe(smugglers.length);
  });
});
