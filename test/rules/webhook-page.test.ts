// The page of webhooks: what its form sends, and what it says about webhooks and answers.

import { expect, test } from "vitest";

import { WEBHOOK_EVENTS } from "../../src/domain/webhook-events.ts";
import * as rules from "../../src/web/islands/console/webhook.ts";

const AT = "2026-11-27T09:00:00.000Z";
const WEBHOOK: rules.Webhook = {
  id: "wh_1",
  url: "https://shop.example/",
  events: ["claim.granted", "coupon.ended"],
  coupons: ["A", " b"],
  paused: false,
  disabled_at: null,
  created_at: AT,
};
const FAILING: rules.Failing = { coupon_name: "A", sink: "wh_1", status: "active", failed_attempts: 2 };
const REFUSED = { ok: false, status: 400, code: "invalid_request", error: "Refused.", fields: {} } as const;

test("a form sends all or what is listed, and the form of a webhook sends the webhook", () => {
  expect(rules.settingsOf({ ...rules.EMPTY_FORM, url: " https://x " })).toEqual({
    url: "https://x",
    events: WEBHOOK_EVENTS,
    coupons: null,
  });
  const { url, events, coupons } = WEBHOOK;
  expect(rules.settingsOf(rules.formOf(WEBHOOK))).toEqual({ url, events, coupons });
  const toAll = { ...WEBHOOK, events: WEBHOOK_EVENTS, coupons: null };
  expect(rules.settingsOf(rules.formOf(toAll))).toEqual({ url, events: WEBHOOK_EVENTS, coupons: null });
});

test("a changed form sends what differs alone", () => {
  const form = rules.formOf(WEBHOOK);
  expect(rules.changesOf(form, WEBHOOK)).toEqual({});
  expect(rules.changesOf({ ...form, url: "https://y" }, WEBHOOK)).toEqual({ url: "https://y" });
  expect(rules.changesOf({ ...form, couponChoice: "all" }, WEBHOOK)).toEqual({ coupons: null });
  expect(rules.changesOf({ ...form, eventChoice: "all" }, WEBHOOK)).toEqual({ events: WEBHOOK_EVENTS });
});

test.for([
  ["", [], "0 so far."],
  [" \n\n", [], "0 so far."],
  ["A\nB\nA\n", ["A", "B"], "2 so far."],
  ["A\n b\nc ", ["A", " b", "c "], "3 so far. Spaces at the start or end of a line are a part of the name: line 2, 3."],
  ["<b>/%?#\n\u202eOHCS", ["<b>/%?#", "\u202eOHCS"], "2 so far."],
] as const)("the names in %j are %j", ([text, names, hint]) => {
  expect(rules.namesIn(text)).toEqual(names);
  expect(rules.namesHint(text)).toBe(`One name a line, as in the list of sales. ${hint}`);
});

test.for([
  ["a refusal of fields", { fields: { url: "must begin with https://" } }, { url: "The address must begin with https://." }, null],
  ["no events", { fields: { events: "must be a list" } }, { events: "Choose at least one event." }, null],
  ["no names", { fields: { coupons: "must be a list" } }, { coupons: "Type 1 to 100 names, one a line, or choose all sales." }, null],
  [
    "malformed names",
    { fields: { "coupons.1": "is invalid", "coupons.2": "is too long" } },
    { coupons: "The name in line 3 is invalid. The name in line 4 is too long." },
    null,
  ],
  ["a refusal of the whole", { code: "webhook_limit_reached" }, {}, "Refused."],
  ["no answer", { status: 0 }, {}, "Again."],
  ["a failed server", { status: 503 }, {}, "Again."],
] as const)("%s is shown where it belongs", ([, refused, faults, error]) => {
  const form = { ...rules.EMPTY_FORM, coupons: "A\n\nB\nC" };
  expect(rules.outcomeOf({ ...REFUSED, ...refused }, form, "Again.")).toEqual({ faults, error });
});

test("faults of a replay stand at their fields", () => {
  expect(rules.replayFaults({ ...REFUSED, code: "coupon_not_found" })).toEqual({ coupon: "There is no sale of this name." });
  const fields = { coupon: "is required", from_seq: "must be an integer" };
  const faults = { coupon: "The name is required.", from: "Type a whole number, 1 or more." };
  expect(rules.replayFaults({ ...REFUSED, fields })).toEqual(faults);
});

const at = (instant: string): string => `<${instant}>`;

test.for([
  ["without failures", {}, [], "active", null],
  ["that fails", {}, [FAILING], "failing", "It does not take the messages of one sale."],
  ["that has parked messages", {}, [FAILING, { ...FAILING, status: "parked" as const }], "failing", "Some have failed for three days"],
  ["that is paused", { paused: true }, [FAILING], "paused", "Its messages wait until you resume it."],
  ["that answered 410", { paused: true, disabled_at: AT }, [FAILING], "disabled", `It answered 410 (gone) on <${AT}>`],
] as const)("a webhook %s says so", ([, part, failing, label, meaning]) => {
  const state = rules.stateOf({ ...WEBHOOK, ...part }, failing, at);
  expect(state.label).toBe(label);
  expect(state.meaning ?? "null").toContain(meaning ?? "null");
});

const SINK: rules.Sink = { sink: "wh_1", lag_events: 3, next_attempt_at: AT, last_error: "status 500: boom" };

test.for([
  [{}, null, "2 attempts have failed."],
  [{}, SINK, `2 attempts have failed, 3 events wait, the next attempt is <${AT}>. The last answer: status 500: boom`],
  [
    { failed_attempts: 1 },
    { ...SINK, lag_events: 1, last_error: null },
    `one attempt has failed, one event waits, the next attempt is <${AT}>.`,
  ],
  [
    { status: "parked" },
    { ...SINK, last_error: "status 502: " },
    "2 attempts have failed, 3 events wait, it is not tried again by itself. The last answer: status 502",
  ],
] as const)("a failing sale of %j is described", ([part, sink, sentence]) => {
  expect(rules.failingSentence({ ...FAILING, ...part }, sink, at)).toBe(sentence);
});

test.for([
  [{ delivered: true, status: 204, error: null }, "Delivered: it answered 204 in 1,200 ms."],
  [{ delivered: false, status: 500, error: "status 500: <b>" }, "Not delivered: it answered 500 in 1,200 ms, with “<b>”. Only 2xx counts."],
  [{ delivered: false, status: 302, error: "status 302: " }, "Not delivered: it answered 302 in 1,200 ms. Only 2xx counts."],
  [
    { delivered: false, status: null, error: "no answer within the deadline" },
    "Not delivered: no answer in 1,200 ms (no answer within the deadline).",
  ],
] as const)("a test's answer %j is described", ([answer, sentence]) => {
  expect(rules.testSentence({ duration_ms: 1200, ...answer })).toBe(sentence);
});
