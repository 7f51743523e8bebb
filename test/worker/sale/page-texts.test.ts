// The texts of a sale's page: title, description and picture, which the operator sets.

import { expect, test } from "vitest";

import { steps } from "../../../src/domain/webhook-events.ts";
import { payload } from "../../../src/webhooks/payload.ts";
import { change, create, created, etagOf, freshName, outcomeOf, pathOf, read, readStatus, send, seqOf } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stored, stubOf } from "../../support/storage.ts";
import { expectRefused } from "../../support/wire.ts";
import { workerWith } from "../../support/worker.ts";
import { deliver } from "../delivery/deliver.ts";

const TEXTS = {
  title: ` <script>alert("1")</script> '; -- \u202eé e\u0301 🎉 `,
  description: "\n\tFirst line\r\n\u2028{{second}} \\ line\n",
  image_url: `/pictures/"shoe"%20<1>.jpg?a=b#c`,
};
const NONE = { title: null, description: null, image_url: null };

test("texts are the same to the code point in every answer, and not in the status", async () => {
  const name = freshName();
  expect((await create(name, 2, TEXTS)).body).toMatchObject(TEXTS);
  expect((await read(name)).body).toMatchObject(TEXTS);
  const asUser = workerWith({ ADMIN_AUTH: "on", ADMIN_TOKEN: "operator" });
  expect((await asUser("GET", pathOf(name))).body).toMatchObject(TEXTS);
  expect(Object.keys((await readStatus(name)).body).filter((field) => field in TEXTS)).toEqual([]);
  await change(name, NONE);
  await change(name, { title: TEXTS.title });
  const { body: history } = await send("GET", pathOf(name, "history"));
  expect(history["events"]).toMatchObject([TEXTS, NONE, { ...NONE, title: TEXTS.title }]);
  await deliver(name);
  const { body: list } = await send("GET", `/api/coupons?q=${name}`);
  expect(list["coupons"]).toMatchObject([{ ...NONE, title: TEXTS.title }]);
  const outbox = await stubOf(name).outbox(null, 1);
  if (!outbox.ok || outbox.page === null) throw new Error("there is a page");
  const [message] = Array.from(steps(null, name, outbox.page)).flatMap(({ messages }) => messages);
  expect(message === undefined ? null : payload(message)).toMatchObject({ type: "coupon.created", data: TEXTS });
  await expectConserved(name);
});

test("a change sets the texts that it names, null removes them, and a repetition changes nothing", async () => {
  const name = await created(2, TEXTS);
  const before = await read(name);
  const changed = await change(name, { title: "Shoe", description: null }, { "If-Match": etagOf(before) });
  expect(changed.body).toMatchObject({ title: "Shoe", description: null, image_url: TEXTS.image_url });
  expect(etagOf(changed)).not.toBe(etagOf(before));
  expect(seqOf(await change(name, { title: "Shoe", description: null }))).toBe(2);
  expect(outcomeOf(await change(name, { title: "Hat" }, { "If-Match": etagOf(before) }))).toBe("412 precondition_failed");
  await expectConserved(name);
});

test("a create with the same key returns the coupon for the same texts, and 422 for others", async () => {
  const name = freshName();
  const again = (texts: object) =>
    send("POST", "/api/coupons", { body: { name, amount: 1, ...texts }, headers: { "Idempotency-Key": "key" } });
  expect(outcomeOf(await again(TEXTS))).toBe("201");
  expect((await again(TEXTS)).headers.get("Idempotent-Replayed")).toBe("true");
  for (const field of Object.keys(TEXTS)) expect(outcomeOf(await again({ ...TEXTS, [field]: null }))).toBe("422 idempotency_key_reused");
});

const PATH_FAULT = "must be a path of this server, such as /pictures/shoe.jpg";
test.for<[field: keyof typeof TEXTS, value: unknown, fault: string]>([
  ["title", "", "cannot be whitespace only"],
  ["title", " \u3000", "cannot be whitespace only"],
  ["title", "🎉".repeat(256), "exceeds maximum length of 255"],
  ["title", "two\nlines", "is invalid"],
  ["title", "\ud83d", "is invalid"],
  ["title", 5, "is invalid"],
  ["description", "\n", "cannot be whitespace only"],
  ["description", "🎉".repeat(2001), "exceeds maximum length of 2000"],
  ["description", "\u0000", "is invalid"],
  ["description", ["text"], "is invalid"],
  ["image_url", "", PATH_FAULT],
  ["image_url", "https://evil.example/shoe.jpg", PATH_FAULT],
  ["image_url", "//evil.example/shoe.jpg", PATH_FAULT],
  ["image_url", false, PATH_FAULT],
])("a create and a change with the %s %j get 400 and do nothing", async ([field, value, fault]) => {
  const [missing, name] = [freshName(), await created(1, TEXTS)];
  for (const answer of [await create(missing, 1, { [field]: value }), await change(name, { [field]: value })]) {
    expectRefused(answer, "400 invalid_request", `invalid request: ${field} ${fault}`);
    expect(answer.body["fields"]).toEqual({ [field]: fault });
  }
  expect((await read(missing)).status).toBe(404);
  expect([(await stored(name)).coupon.seq, (await read(name)).body]).toEqual([1, expect.objectContaining(TEXTS)]);
});
