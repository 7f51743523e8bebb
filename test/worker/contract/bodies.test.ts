// Bodies: what is JSON is taken, whatever it is called; what is none, too deep in junk or too large crashes nothing.

import { describe, expect, test } from "vitest";

import { claim, create, created, freshName, read } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused, postRaw } from "../../support/wire.ts";

const COUPONS = "/api/coupons";
const CLAIMS = "/api/coupons/claim";
const CLAIM_BYTES_MAX = 16 * 1024;
const CREATE_BYTES_MAX = 1024 * 1024;

const utf8 = new TextEncoder();

function bytes(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values);
}

/** Arrives in pieces and without a Content-Length. */
function inPieces(text: string, pieceLength = 4096): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream({
    pull(controller) {
      if (offset >= text.length) return controller.close();
      controller.enqueue(utf8.encode(text.slice(offset, offset + pieceLength)));
      offset += pieceLength;
    },
  });
}

/** The claim as JSON of exactly `length` bytes, made long by a field that is ignored. */
function claimOfLength(name: string, length: number): string {
  const bare = JSON.stringify({ user_id: "user", coupon_name: name, junk: "" });
  return JSON.stringify({ user_id: "user", coupon_name: name, junk: "x".repeat(length - bare.length) });
}

function couponOfLength(name: string, length: number): string {
  const bare = JSON.stringify({ name, amount: 1, junk: "" });
  return JSON.stringify({ name, amount: 1, junk: "x".repeat(length - bare.length) });
}

describe.for([COUPONS, CLAIMS])("a body that is no JSON object is refused by POST %s", (path) => {
  test.for([
    ["nothing", ""],
    ["white space", " \n"],
    ["null", "null"],
    ["true", "true"],
    ["a number", "5"],
    ["a string", '"x"'],
    ["an empty list", "[]"],
    ["a list with an object", '[{"user_id":"u","coupon_name":"c","name":"n","amount":1}]'],
    ["JSON cut off", '{"user_id":"u","coupon_name":"c"'],
    ["JSON cut off inside a string", '{"user_id":"u'],
    ["something after it", '{"user_id":"u","coupon_name":"c"}x'],
    ["two objects", '{"user_id":"u"}{"coupon_name":"c"}'],
    ["a comma too many", '{"user_id":"u","coupon_name":"c",}'],
    ["a comment", '{"user_id":"u"/* me */,"coupon_name":"c"}'],
    ["single quotes", "{'user_id':'u','coupon_name':'c'}"],
    ["names without quotes", '{user_id:"u",coupon_name:"c"}'],
    ["a line end inside a string", '{"user_id":"u\n","coupon_name":"c"}'],
    ["a form", "user_id=u&coupon_name=c&name=n&amount=1"],
    ["markup", "<user_id>u</user_id>"],
    ["a byte that is no UTF-8", bytes(0x22, 0xff, 0x22)],
    ["a name with a byte that is no UTF-8", new Uint8Array([...utf8.encode('{"name":"'), 0xc3, 0x28, ...utf8.encode('","amount":1}')])],
    ["half a surrogate pair in UTF-8", bytes(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ["an overlong slash in UTF-8", bytes(0x22, 0xc0, 0xaf, 0x22)],
    ["UTF-16", bytes(0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00)],
    ["zeros", new Uint8Array(1000)],
  ] as const)("%s", async ([, body]) => {
    expectRefused(await postRaw(path, body), "400 invalid_request", "invalid request body");
  });
});

describe("what JSON allows", () => {
  test.for([
    ["white space around", (name: string) => ` \r\n\t{ "user_id" : "user" , "coupon_name" : "${name}" }\n`],
    ["a byte order mark", (name: string) => `\ufeff{"user_id":"user","coupon_name":"${name}"}`],
    ["escaped letters", (name: string) => String.raw`{"\u0075ser_id":"\u0075s\u0065r","coupon_name":"` + `${name}"}`],
    ["a key twice: the last is taken", (name: string) => `{"user_id":"other","coupon_name":"x","coupon_name":"${name}","user_id":"user"}`],
    ["fields that nobody knows", (name: string) => `{"amount":-1,"position":7,"user_id":"user","junk":{"a":[1]},"coupon_name":"${name}"}`],
    ["a field in other letters", (name: string) => `{"USER_ID":"other","user_id":"user","coupon_name":"${name}"}`],
    ["an empty field name", (name: string) => `{"":"other","user_id":"user","coupon_name":"${name}"}`],
    [
      "JavaScript's own names",
      (name: string) => `{"__proto__":{"user_id":1},"constructor":2,"toString":3,"user_id":"user","coupon_name":"${name}"}`,
    ],
    ["1,000 fields", (name: string) => `{${'"x":0,'.repeat(1000)}"user_id":"user","coupon_name":"${name}"}`],
    ["8,000 levels of junk", (name: string) => `{"junk":${"[".repeat(8000)}${"]".repeat(8000)},"user_id":"user","coupon_name":"${name}"}`],
  ] as const)("is taken: %s", async ([, bodyFor]) => {
    const name = await created(1);
    const { status, body } = await postRaw(CLAIMS, bodyFor(name));
    expect(status).toBe(201);
    expect(body).toMatchObject({ user_id: "user", coupon_name: name, position: 1, remaining_amount: 0 });
    await expectConserved(name);
  });

  test("is not lent by the prototype: its fields are no fields of the body", async () => {
    const lent = '{"__proto__":{"user_id":"u","coupon_name":"c"}}';
    expectRefused(await postRaw(CLAIMS, lent), "400 invalid_request", "invalid request: user_id is required");
    expect({}).not.toHaveProperty("user_id");
  });

  test("sets no field that the caller doesn't own", async () => {
    const name = freshName();
    const facts = { claimed: 5, held: 5, paused: true, seq: 9, state: "ended", claimed_by: ["x"], remaining_amount: 0 };
    const { status, body, headers } = await create(name, 3, facts);
    expect(status).toBe(201);
    expect(body).toMatchObject({ amount: 3, remaining_amount: 3, paused: false, state: "open", claimed_by: [] });
    expect(headers.get("Coupon-Seq")).toBe("1");
    await expectConserved(name);
  });
});

describe("depth crashes nothing", () => {
  test.for([
    ["20,000 lists", `${"[".repeat(20_000)}${"]".repeat(20_000)}`],
    ["20,000 objects", `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`],
    ["500,000 lists", `${"[".repeat(500_000)}${"]".repeat(500_000)}`],
  ] as const)("%s deep in a field that is ignored are taken", async ([, deep]) => {
    const name = freshName();
    const { status } = await postRaw(COUPONS, `{"name":"${name}","junk":${deep},"amount":7}`);
    expect(status).toBe(201);
    expect((await read(name)).body["amount"]).toBe(7);
  });

  test.for([
    ["20,000 lists", "[".repeat(20_000) + "]".repeat(20_000), "invalid request body"],
    ["1,000,000 lists that never end", "[".repeat(1_000_000), "invalid request body"],
    ["20,000 objects", '{"name":'.repeat(20_000) + "1" + "}".repeat(20_000), "invalid request: name is invalid"],
  ] as const)("%s deep as the body are refused", async ([, deep, sentence]) => {
    expectRefused(await postRaw(COUPONS, deep), "400 invalid_request", sentence);
  });

  test("a list 20,000 deep where a name belongs is refused", async () => {
    const deep = "[".repeat(20_000) + "]".repeat(20_000);
    const answer = await postRaw(COUPONS, `{"amount":1,"name":${deep}}`);
    expectRefused(answer, "400 invalid_request", "invalid request: name is invalid");
  });
});

describe("the content type is not asked", () => {
  test.for([
    ["application/json", "application/json"],
    ["JSON with a charset", "application/json; charset=utf-8"],
    ["JSON with a charset that is not true", "application/json; charset=utf-16"],
    ["text/plain", "text/plain"],
    ["a form", "application/x-www-form-urlencoded"],
    ["a form of parts without a boundary", "multipart/form-data"],
    ["XML", "application/xml"],
    ["an image", "image/png"],
    ["nonsense", "; ;;/"],
    ["nothing in the header", ""],
  ] as const)("%s", async ([, contentType]) => {
    const name = await created(1);
    const headers = { "content-type": contentType };
    const taken = await postRaw(CLAIMS, JSON.stringify({ user_id: "user", coupon_name: name }), headers);
    expect(taken.status).toBe(201);
    const refused = await postRaw(CLAIMS, "user_id=user", headers);
    expectRefused(refused, "400 invalid_request", "invalid request body");
  });

  test("no header at all", async () => {
    const name = await created(1);
    const { status } = await postRaw(CLAIMS, utf8.encode(JSON.stringify({ user_id: "user", coupon_name: name })));
    expect(status).toBe(201);
  });
});

describe("a body at the limit is taken", () => {
  test.for(["with a length", "in pieces"] as const)("16 KiB of a claim, %s", async (how) => {
    const name = await created(1);
    const body = claimOfLength(name, CLAIM_BYTES_MAX);
    const { status } = await postRaw(CLAIMS, how === "in pieces" ? inPieces(body) : body);
    expect(status).toBe(201);
  });

  test.for(["with a length", "in pieces"] as const)("1 MiB of a coupon, %s", async (how) => {
    const body = couponOfLength(freshName(), CREATE_BYTES_MAX);
    const { status } = await postRaw(COUPONS, how === "in pieces" ? inPieces(body) : body);
    expect(status).toBe(201);
  });

  test("a claim that arrives byte by byte, its characters cut apart", async () => {
    const name = await created(1);
    const whole = utf8.encode(JSON.stringify({ user_id: "用户 🎉", coupon_name: name }));
    let sentCount = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sentCount === whole.length) return controller.close();
        controller.enqueue(whole.slice(sentCount, (sentCount += 1)));
      },
    });
    const answer = await postRaw(CLAIMS, body);
    expect([answer.status, answer.body["user_id"]]).toEqual([201, "用户 🎉"]);
  });
});

describe("a body above the limit is refused, and does nothing", () => {
  test.for([
    ["a byte more, with a length", 1, false],
    ["a byte more, in pieces", 1, true],
    ["5 MB, with a length", 5_000_000, false],
    ["5 MB, in pieces", 5_000_000, true],
  ] as const)("%s", async ([, more, isInPieces]) => {
    const name = await created(1);
    const large = claimOfLength(name, CLAIM_BYTES_MAX + more);
    expectRefused(await postRaw(CLAIMS, isInPieces ? inPieces(large) : large), "413 payload_too_large", "request body too large");
    expect((await claim(name, "next")).body["position"]).toBe(1);

    const unborn = freshName();
    const larger = couponOfLength(unborn, CREATE_BYTES_MAX + more);
    expectRefused(await postRaw(COUPONS, isInPieces ? inPieces(larger) : larger), "413 payload_too_large", "request body too large");
    expect((await read(unborn)).status).toBe(404);
  });

  test("counts bytes, not characters", async () => {
    const body = JSON.stringify({ user_id: "user", coupon_name: freshName(), junk: "🎉".repeat(4200) });
    expect(body.length).toBeLessThan(CLAIM_BYTES_MAX);
    expectRefused(await postRaw(CLAIMS, body), "413 payload_too_large", "request body too large");
  });
});
