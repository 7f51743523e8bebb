// The client's `verifyWebhook` against messages that the library of Standard Webhooks and the Worker sign.

import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";

import { verifyWebhook } from "../../packages/client/src/webhooks.ts";
import { newSecret, sign } from "../../src/webhooks/sign.ts";

const NOW = 1_795_770_000_000;
const SECRET = newSecret();
const BODY = `{"type":"coupon.deleted","timestamp":"2026-11-27T09:00:00.000Z","data":{"coupon_name":"Ä","epoch":"e","seq":1,"actor":null}}`;

function headersOf(secret: string, body = BODY, at = NOW): Record<string, string> {
  const signature = new Webhook(secret).sign("msg_1", new Date(at), body);
  return { "webhook-id": "msg_1", "webhook-timestamp": String(Math.floor(at / 1_000)), "webhook-signature": signature };
}

const SIGNED = headersOf(SECRET);

test("a message that the library signed is verified as text and bytes, with both kinds of headers", async () => {
  const verified = { ok: true, id: "msg_1", message: JSON.parse(BODY) as unknown };
  expect(await verifyWebhook(BODY, SIGNED, SECRET, { now: NOW })).toEqual(verified);
  expect(await verifyWebhook(new TextEncoder().encode(BODY), new Headers(SIGNED), SECRET, { now: NOW })).toEqual(verified);
});

test("a message that the Worker signs with both secrets of a rotation is verified with either", async () => {
  const [before, after] = [newSecret(), newSecret()];
  const headers = { ...SIGNED, "webhook-signature": await sign([after, before], "msg_1", NOW / 1_000, BODY) };
  for (const secrets of [before, after, [before, SECRET], [SECRET, after]])
    expect(await verifyWebhook(BODY, headers, secrets, { now: NOW })).toMatchObject({ ok: true });
});

test.for([
  ["another body", `${BODY} `, SIGNED, NOW, "wrong_signature"],
  ["another secret", BODY, headersOf(newSecret()), NOW, "wrong_signature"],
  ["another id", BODY, { ...SIGNED, "webhook-id": "msg_2" }, NOW, "wrong_signature"],
  ["another time", BODY, { ...SIGNED, "webhook-timestamp": String(NOW / 1_000 + 1) }, NOW, "wrong_signature"],
  [
    "another version",
    BODY,
    { ...SIGNED, "webhook-signature": (SIGNED["webhook-signature"] ?? "").replace("v1", "v2") },
    NOW,
    "wrong_signature",
  ],
  ["no base64", BODY, { ...SIGNED, "webhook-signature": "v1,**** v1" }, NOW, "wrong_signature"],
  ["a body that is no message", "[]", headersOf(SECRET, "[]"), NOW, "not_a_message"],
  ["no signature", BODY, { ...SIGNED, "webhook-signature": undefined }, NOW, "header_missing"],
  ["no time", BODY, { ...SIGNED, "webhook-timestamp": "soon" }, NOW, "too_old_or_new"],
  ["an old time", BODY, SIGNED, NOW + 301_000, "too_old_or_new"],
  ["a future time", BODY, SIGNED, NOW - 301_000, "too_old_or_new"],
] as const)("a message with %s is refused", async ([, body, headers, now, reason]) => {
  expect(await verifyWebhook(body, headers, [SECRET], { now })).toEqual({ ok: false, reason });
});

test("the tolerance is adjustable, and an empty secret throws", async () => {
  expect(await verifyWebhook(BODY, SIGNED, SECRET, { now: NOW + 301_000, toleranceSeconds: 301 })).toMatchObject({ ok: true });
  await expect(verifyWebhook(BODY, SIGNED, "whsec_", { now: NOW })).rejects.toThrow("a secret is");
});
