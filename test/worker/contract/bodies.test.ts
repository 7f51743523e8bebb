// Request bodies: any JSON is read, whatever its content type. Anything else, or too much, is refused.

import { createExecutionContext } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import { createApp } from "../../../src/http/app.ts";
import { claim, created, freshName, read } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused, postRaw } from "../../support/wire.ts";
import { bindings } from "../../support/worker.ts";

const COUPONS = "/api/coupons";
const CLAIMS = "/api/coupons/claim";
const CLAIM_BYTES_MAX = 16 * 1024;
const CREATE_BYTES_MAX = 1024 * 1024;

const utf8 = new TextEncoder();

function bytes(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values);
}

/** A body that arrives in pieces and without a Content-Length. */
function inPieces(whole: Uint8Array, pieceLength = 4096): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream({
    pull(controller) {
      if (offset >= whole.length) return controller.close();
      controller.enqueue(whole.slice(offset, (offset += pieceLength)));
    },
  });
}

/** `fields` as JSON of exactly `length` bytes. */
function ofLength(length: number, fields: Record<string, unknown>): string {
  return JSON.stringify(fields).padEnd(length);
}

describe.for([COUPONS, CLAIMS])("POST %s", (path) => {
  test.for([
    ["no bytes", ""],
    ["white space", " \n"],
    ["null", "null"],
    ["a number", "5"],
    ["a string", '"x"'],
    ["a list with an object", '[{"user_id":"u","coupon_name":"c","name":"n","amount":1}]'],
    ["truncated JSON", '{"user_id":"u","coupon_name":"c"'],
    ["JSON and more text", '{"user_id":"u","coupon_name":"c"}x'],
    ["JSON with a trailing comma", '{"user_id":"u","coupon_name":"c",}'],
    ["JSON with a comment", '{"user_id":"u"/* me */,"coupon_name":"c"}'],
    ["a string with a line end", '{"user_id":"u\n","coupon_name":"c"}'],
    ["a form", "user_id=u&coupon_name=c&name=n&amount=1"],
    ["a byte that is not UTF-8", bytes(0x22, 0xff, 0x22)],
    ["a name that is not UTF-8", new Uint8Array([...utf8.encode('{"name":"'), 0xc3, 0x28, ...utf8.encode('","amount":1}')])],
    ["half a surrogate pair in UTF-8", bytes(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ["UTF-16", bytes(0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00)],
    ["zeros", new Uint8Array(1000)],
  ] as const)(`POST ${path} with a body of %s gets 400`, async ([, body]) => {
    expectRefused(await postRaw(path, body), "400 invalid_request", "invalid request body");
  });
});

test.for([
  ["white space around", (name: string) => ` \r\n\t{ "user_id" : "user" , "coupon_name" : "${name}" }\n`],
  ["a byte order mark", (name: string) => `\ufeff{"user_id":"user","coupon_name":"${name}"}`],
  ["escaped letters", (name: string) => String.raw`{"\u0075ser_id":"\u0075s\u0065r","coupon_name":"` + `${name}"}`],
  ["a key twice, of which the last counts", (name: string) => `{"user_id":"other","coupon_name":"${name}","user_id":"user"}`],
  ["unknown fields", (name: string) => `{"amount":-1,"position":7,"USER_ID":"other","user_id":"user","":[1],"coupon_name":"${name}"}`],
  ["fields of every object", (name: string) => `{"__proto__":{"user_id":1},"constructor":2,"user_id":"user","coupon_name":"${name}"}`],
  ["the fields of a refusal", (name: string) => `{"ok":false,"code":"unauthorized","user_id":"user","coupon_name":"${name}"}`],
  ["1,000 unknown fields", (name: string) => `{${'"x":0,'.repeat(1000)}"user_id":"user","coupon_name":"${name}"}`],
] as const)("a claim whose JSON has %s is granted", async ([, bodyFor]) => {
  const name = await created(1);
  const { status, body } = await postRaw(CLAIMS, bodyFor(name));
  expect(status).toBe(201);
  expect(body).toMatchObject({ user_id: "user", coupon_name: name, position: 1, remaining_amount: 0 });
  await expectConserved(name);
});

test("a claim whose fields stand in __proto__ is refused, and no prototype changes", async () => {
  const inherited = '{"__proto__":{"user_id":"u","coupon_name":"c"}}';
  expectRefused(await postRaw(CLAIMS, inherited), "400 invalid_request", "invalid request: user_id is required");
  expect({}).not.toHaveProperty("user_id");
});

test.for([
  ["20,000 nested lists", "[".repeat(20_000) + "]".repeat(20_000), "invalid request body"],
  ["1,000,000 lists that never end", "[".repeat(1_000_000), "invalid request body"],
  ["20,000 nested objects", '{"name":'.repeat(20_000) + "1" + "}".repeat(20_000), "invalid request: name is invalid"],
  ["a name of 20,000 nested lists", `{"amount":1,"name":${"[".repeat(20_000)}${"]".repeat(20_000)}}`, "invalid request: name is invalid"],
  [
    "500,000 lists in an unknown field",
    `{"amout":${"[".repeat(500_000)}${"]".repeat(500_000)}}`,
    "invalid request: amout is unknown: did you mean amount?",
  ],
] as const)("a create with a body of %s is refused", async ([, deep, sentence]) => {
  expectRefused(await postRaw(COUPONS, deep), "400 invalid_request", sentence);
});

test.for(["application/json; charset=utf-16", "application/x-www-form-urlencoded", "multipart/form-data", "; ;;/", ""])(
  "a body of content type %j is read as JSON",
  async (contentType) => {
    const name = await created(1);
    const headers = { "content-type": contentType };
    const granted = await postRaw(CLAIMS, JSON.stringify({ user_id: "user", coupon_name: name }), headers);
    expect(granted.status).toBe(201);
    expectRefused(await postRaw(CLAIMS, "user_id=user", headers), "400 invalid_request", "invalid request body");
  },
);

test("a claim without a content type, in bytes, is granted", async () => {
  const name = await created(1);
  expect((await postRaw(CLAIMS, utf8.encode(JSON.stringify({ user_id: "user", coupon_name: name })))).status).toBe(201);
});

describe.for(["with a Content-Length", "in pieces"] as const)("a body %s", (how) => {
  function bodyOf(text: string): BodyInit {
    return how === "in pieces" ? inPieces(utf8.encode(text)) : text;
  }

  test(`a body ${how} of exactly the maximum length is accepted`, async () => {
    const claiming = { user_id: "user", coupon_name: await created(1) };
    expect((await postRaw(CLAIMS, bodyOf(ofLength(CLAIM_BYTES_MAX, claiming)))).status).toBe(201);
    expect((await postRaw(COUPONS, bodyOf(ofLength(CREATE_BYTES_MAX, { name: freshName(), amount: 1 })))).status).toBe(201);
  });

  test.for([1, 5_000_000])(`a body ${how}, %i bytes too long, gets 413 and changes nothing`, async (more) => {
    const name = await created(1);
    const claiming = ofLength(CLAIM_BYTES_MAX + more, { user_id: "user", coupon_name: name });
    expectRefused(await postRaw(CLAIMS, bodyOf(claiming)), "413 payload_too_large");
    expect((await claim(name, "next")).body["position"]).toBe(1);

    const missing = freshName();
    const creating = ofLength(CREATE_BYTES_MAX + more, { name: missing, amount: 1 });
    expectRefused(await postRaw(COUPONS, bodyOf(creating)), "413 payload_too_large");
    expect((await read(missing)).status).toBe(404);
  });
});

test("a body in pieces that is too large is read to its end, so that no proxy fails", async () => {
  let rest = 50;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => ((rest -= 1) > 0 ? controller.enqueue(new Uint8Array(4096)) : controller.close()),
  });
  const request = new Request(`https://doorbuster.test${CLAIMS}`, { method: "POST", body });
  const response = await createApp().fetch(request, bindings, createExecutionContext());
  expect([response.status, rest]).toEqual([413, 0]);
});

test("a body in pieces is copied, so that it keeps no buffer of a piece", async () => {
  const name = await created(1);
  const sent = utf8.encode(JSON.stringify({ user_id: "user", coupon_name: name }));
  const [piece, rest] = [new Uint8Array(4096), Array.from(sent)];
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const [next] = rest.splice(0, 1);
        if (next === undefined) return controller.close();
        controller.enqueue(piece.fill(next).subarray(0, 1));
      },
    },
    { highWaterMark: 0 },
  );
  const request = new Request(`https://doorbuster.test${CLAIMS}`, { method: "POST", body });
  expect((await createApp().fetch(request, bindings, createExecutionContext())).status).toBe(201);
});

test("a body is measured in bytes, not in characters", async () => {
  const body = JSON.stringify({ user_id: "user", coupon_name: freshName(), junk: "🎉".repeat(4200) });
  expect(body.length).toBeLessThan(CLAIM_BYTES_MAX);
  expectRefused(await postRaw(CLAIMS, body), "413 payload_too_large");
});

test("a claim that arrives byte by byte is granted with its characters whole", async () => {
  const name = await created(1);
  const body = inPieces(utf8.encode(JSON.stringify({ user_id: "用户 🎉", coupon_name: name })), 1);
  const answer = await postRaw(CLAIMS, body);
  expect([answer.status, answer.body["user_id"]]).toEqual([201, "用户 🎉"]);
});
