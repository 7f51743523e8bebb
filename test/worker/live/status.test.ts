// The status: the small snapshot that clients poll.

import { expect, test } from "vitest";

import {
  change,
  claim,
  create,
  created,
  etagOf,
  freshName,
  hold,
  pathOf,
  read,
  readStatus,
  releaseHold,
  remove,
  revoke,
  send,
} from "../../support/api.ts";
import { iso, MINUTE, SECOND, setClock, T0 } from "../../support/clock.ts";

async function statusEtag(name: string): Promise<string> {
  return etagOf(await readStatus(name));
}

test("a coupon's status has state, units, window, time, seq and epoch", async () => {
  setClock(T0 + 250);
  const name = await created(5, { starts_at: "2031-03-01T14:00:00+02:00", ends_at: "2031-03-02T00:00:00Z" });
  await claim(name, "ada");
  const { status, body, headers } = await readStatus(name);
  expect(status).toBe(200);
  expect(body).toEqual({
    name,
    state: "open",
    amount: 5,
    remaining_amount: 4,
    held_amount: 0,
    starts_at: iso(T0),
    ends_at: "2031-03-02T00:00:00.000Z",
    server_time: iso(T0 + 250),
    seq: 2,
    epoch: expect.stringMatching(/^[\da-f-]{36}$/),
  });
  expect([headers.get("Content-Type"), headers.get("Coupon-Seq")]).toEqual(["application/json", "2"]);
});

test("a coupon's status is cacheable and has a weak ETag", async () => {
  const name = await created(1);
  const [status, coupon] = [await readStatus(name), await read(name)];
  expect(status.headers.get("Cache-Control")).toBe("public, max-age=1, no-transform");
  expect(coupon.headers.get("Cache-Control")).toBe("no-store, no-transform");
  expect(etagOf(coupon)).toMatch(/^"[\x21\x23-\x7e]+"$/);
  expect(etagOf(status)).toBe(`W/${etagOf(coupon).replace("-claimants", "")}`);
});

test.for(["missing", "deleted"])("the status of a %s coupon is 404 and not cached", async (what) => {
  const name = freshName();
  if (what === "deleted") {
    await create(name, 1);
    await remove(name);
  }
  const { status, body, headers } = await readStatus(name, { "If-None-Match": "*" });
  expect([status, body["code"], headers.get("Cache-Control"), headers.get("ETag")]).toEqual([
    404,
    "coupon_not_found",
    "no-store, no-transform",
    null,
  ]);
});

test("a HEAD of the status has the same headers and no body", async () => {
  const name = await created(3);
  const [head, get] = [await send("HEAD", pathOf(name, "status")), await readStatus(name)];
  expect([head.status, head.body]).toEqual([200, {}]);
  for (const header of ["ETag", "Cache-Control", "Content-Type", "Coupon-Seq"]) {
    expect(head.headers.get(header)).toBe(get.headers.get(header));
  }
  expect((await send("HEAD", pathOf(name, "status"), { headers: { "If-None-Match": etagOf(get) } })).status).toBe(304);
  expect((await send("HEAD", pathOf(freshName(), "status"))).status).toBe(404);
});

test.for<[string, (tag: string) => string]>([
  ["its tag", (tag) => tag],
  ["the coupon's strong tag", (tag) => tag.slice("W/".length)],
  ["its tag in a list", (tag) => `"other", W/"another",${tag}`],
  ["a star", () => "*"],
])("the status with If-None-Match of %s is 304 without a body", async ([, sent]) => {
  const name = await created(3);
  const tag = await statusEtag(name);
  const { status, body, headers } = await readStatus(name, { "If-None-Match": sent(tag) });
  expect([status, body]).toEqual([304, {}]);
  expect(headers.get("ETag")).toBe(tag);
  expect(headers.get("Cache-Control")).toBe("public, max-age=1, no-transform");
  expect(headers.get("Coupon-Seq")).toBe("1");
  expect(headers.get("Content-Type")).toBeNull();
});

test.for<[string, (tag: string) => string]>([
  ["another tag", () => '"other"'],
  ["its tag without quotes", (tag) => tag.replaceAll('"', "")],
  ["the beginning of its tag", (tag) => `${tag.slice(0, -2)}"`],
  ["nothing", () => ""],
])("the status with If-None-Match of %s is 200", async ([, sent]) => {
  const name = await created(3);
  const { status, body } = await readStatus(name, { "If-None-Match": sent(await statusEtag(name)) });
  expect([status, body["remaining_amount"]]).toEqual([200, 3]);
});

test("the ETag of a status stays the same over reads and refused claims", async () => {
  const name = await created(1);
  await claim(name, "ada");
  const tag = await statusEtag(name);
  await Promise.all([claim(name, "ada"), claim(name, "bob"), read(name)]);
  expect(await statusEtag(name)).toBe(tag);
});

test("the ETag of a status is new after every change and never repeats", async () => {
  const name = await created(3);
  const changes = [
    () => claim(name, "ada"),
    () => change(name, { paused: true }),
    () => change(name, { paused: false }),
    () => change(name, { amount: 9 }),
    () => hold(name, "bob"),
    () => releaseHold(name, "bob"),
    () => revoke(name, "ada"),
    () => remove(name).then(() => create(name, 3)),
    () => claim(name, "ada"),
  ];
  const tags = [await statusEtag(name)];
  for (const make of changes) {
    expect((await make()).status).toBeLessThan(300);
    const stale = await readStatus(name, { "If-None-Match": tags.join(", ") });
    expect(stale.status).toBe(200);
    tags.push(etagOf(stale));
  }
  expect(new Set(tags).size).toBe(changes.length + 1);
});

test("the ETag of a status is new when the sale starts and ends", async () => {
  setClock(T0 - 1);
  const name = await created(5, { starts_at: iso(T0), ends_at: iso(T0 + MINUTE) });
  const seen: unknown[] = [];
  const tags = [await statusEtag(name)];
  for (const at of [T0, T0 + MINUTE - 1, T0 + MINUTE]) {
    setClock(at);
    const { status } = await readStatus(name, { "If-None-Match": tags.at(-1) ?? "" });
    const answer = await readStatus(name);
    seen.push([at - T0, answer.body["state"], status]);
    tags.push(etagOf(answer));
  }
  expect(seen).toEqual([
    [0, "open", 200],
    [MINUTE - 1, "open", 304],
    [MINUTE, "ended", 200],
  ]);
  expect(new Set(tags).size).toBe(3);
});

test("the ETag of a status is new when a hold expires", async () => {
  setClock(T0);
  const name = await created(1);
  await hold(name, "bob", 60);
  const tag = await statusEtag(name);
  setClock(T0 + 60 * SECOND);
  const after = await readStatus(name, { "If-None-Match": tag });
  expect(after.status).toBe(200);
  expect(after.body).toMatchObject({ state: "open", remaining_amount: 1, seq: 3 });
});
