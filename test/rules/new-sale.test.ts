// The form that creates a sale: times in a zone, the preview, what is sent, and when a request is a repeated one.

import { expect, test, vi } from "vitest";

import { newKey as clientKey } from "../../packages/client/src/key-store.ts";
import { newKey as pageKey } from "../../src/web/islands/_key.ts";
import * as rules from "../../src/web/islands/console/new-sale.ts";
import { duration, shortTime, typedTime, wallTime } from "../../src/web/islands/console/zoned-time.ts";

const BERLIN = "Europe/Berlin";

test.for([
  ["2026-12-03T10:00", BERLIN, "2026-12-03T09:00:00.000Z", null],
  ["2026-07-03T10:00:30", BERLIN, "2026-07-03T08:00:30.000Z", null],
  ["2026-12-03T10:00", "UTC", "2026-12-03T10:00:00.000Z", null],
  ["2026-12-03T10:00", "Asia/Kathmandu", "2026-12-03T04:15:00.000Z", null],
  ["2026-12-31T23:59", "Pacific/Kiritimati", "2026-12-31T09:59:00.000Z", null],
  // The clocks go forward at 02:00.
  ["2026-03-29T01:59", BERLIN, "2026-03-29T00:59:00.000Z", null],
  ["2026-03-29T02:30", BERLIN, null, "02:30 does not exist that day: the clocks go forward"],
  ["2026-03-29T03:00", BERLIN, "2026-03-29T01:00:00.000Z", null],
  // The clocks go back at 03:00.
  ["2026-10-25T01:59", BERLIN, "2026-10-24T23:59:00.000Z", null],
  ["2026-10-25T02:30", BERLIN, "2026-10-25T00:30:00.000Z", "02:30 happens twice that day: the first is meant"],
  ["2026-10-25T03:00", BERLIN, "2026-10-25T02:00:00.000Z", null],
  ["2026-11-01T01:30", "America/New_York", "2026-11-01T05:30:00.000Z", "01:30 happens twice that day: the first is meant"],
  // Half an hour of summer time, and a day that was left out.
  ["2026-10-04T02:15", "Australia/Lord_Howe", null, "02:15 does not exist that day: the clocks go forward"],
  ["2011-12-30T12:00", "Pacific/Apia", null, "12:00 does not exist that day: the clocks go forward"],
] as const)("%s in %s is %s", ([typed, zone, instant, note]) => {
  const time = typedTime(typed, zone);
  expect(time).toEqual(instant === null ? { kind: "skipped", note } : { kind: "instant", at: Date.parse(instant), note });
  const shown = time.kind === "instant" ? wallTime(time.at, zone) : typed;
  expect(shown).toBe(typed.slice(0, 16));
});

test.for(["", "10:00", "2026-12-03", "2026-13-03T10:00", "2026-02-30T10:00Z", "<script>"])("%j is no complete time", (typed) => {
  expect(typedTime(typed, BERLIN)).toEqual({ kind: "incomplete" });
});

test.for([
  [0, "less than a second"],
  [1_000, "one second"],
  [90_000, "one minute and 30 seconds"],
  [3_600_000, "one hour"],
  [86_400_000 + 59_000, "one day"],
  [3 * 86_400_000 + 2 * 3_600_000, "3 days and 2 hours"],
] as const)("%d ms are %s", ([ms, words]) => expect(duration(ms)).toBe(words));

const NOW = Date.parse("2026-11-30T09:00:00Z");

test.for([
  ["2026-12-03T09:00:00Z", "Thu 10:00"],
  ["2026-12-13T09:00:00Z", "Sun 13 Dec 10:00"],
  ["2026-12-31T23:30:00Z", "Fri 1 Jan 2027 00:30"],
] as const)("%s is shown as %s", ([at, shown]) => expect(shortTime(Date.parse(at), NOW, BERLIN)).toBe(shown));

const FORM: rules.SaleForm = { ...rules.EMPTY_FORM, name: "SHOE", amount: "500" };
const later = (starts: string | null, ends: string | null): rules.SaleForm => ({
  ...FORM,
  ...(starts === null ? {} : { opens: "later", starts_at: starts }),
  ...(ends === null ? {} : { ends: "later", ends_at: ends }),
});

test.for([
  [rules.EMPTY_FORM, "Opens at once; has no end.", []],
  [FORM, "Opens at once; 500 units, one each; has no end.", []],
  [
    { ...FORM, name: "SHOE " },
    "Opens at once; 500 units, one each; has no end.",
    ["The name begins or ends with a space, which becomes a part of it."],
  ],
  [{ ...FORM, amount: "1" }, "Opens at once; one unit, for one user; has no end.", []],
  [{ ...FORM, amount: "12,000" }, "Opens at once; 12,000 units, one each; has no end.", []],
  [{ ...FORM, amount: "many" }, "Opens at once; has no end.", []],
  [
    later("2026-12-03T10:00", "2026-12-04T10:00"),
    "Opens Thu 10:00 Berlin, in 3 days; 500 units, one each; ends Fri 10:00, after one day.",
    [],
  ],
  [later(null, "2026-11-30T12:30"), "Opens at once; 500 units, one each; ends Mon 12:30 Berlin, after 2 hours and 30 minutes.", []],
  [later("", ""), "500 units, one each.", []],
  [
    later("2026-11-29T10:00", null),
    "Opens at once; 500 units, one each; has no end.",
    ["The opening is in the past, so the sale opens at once."],
  ],
  [
    later(null, "2026-11-29T10:00"),
    "Opens at once; 500 units, one each; ended Sun 10:00 Berlin.",
    ["The end is in the past, so the sale is over at once."],
  ],
  [
    later("2026-12-03T10:00", "2026-12-03T10:00"),
    "Opens Thu 10:00 Berlin, in 3 days; 500 units, one each; ends Thu 10:00.",
    ["The sale ends before it opens."],
  ],
  [
    later("2027-03-28T02:30", "2027-10-31T02:30"),
    "500 units, one each; ends Sun 31 Oct 2027 02:30 Berlin.",
    ["Opening: 02:30 does not exist that day: the clocks go forward.", "End: 02:30 happens twice that day: the first is meant."],
  ],
] as const)("the preview of form %#", ([form, sentence, warnings]) => {
  expect(rules.previewOf(form, NOW, BERLIN)).toEqual({ sentence, warnings });
});

test("a form sends only what is typed, and texts exactly as they are", () => {
  const name = ' "<b>/%?#\u202e🎟️ ';
  expect(rules.requestOf({ ...FORM, name }, BERLIN)).toEqual({ body: { name, amount: 500 }, faults: {} });
  const whole = { title: "T", description: "a\nb", image_url: "/x.jpg", hold_seconds_max: " 60 ", holds_max: "0", amount: "1 000" };
  expect(rules.requestOf({ ...later("2026-12-03T10:00", "2026-12-04T10:00"), ...whole }, BERLIN).body).toEqual({
    ...whole,
    name: "SHOE",
    amount: 1000,
    hold_seconds_max: 60,
    holds_max: 0,
    starts_at: "2026-12-03T09:00:00.000Z",
    ends_at: "2026-12-04T09:00:00.000Z",
  });
  // What is no number is sent as it is, so that the API says what it wants.
  for (const amount of ["-1", "1.5", "1e3", "many"]) expect(rules.requestOf({ ...FORM, amount }, BERLIN).body).toMatchObject({ amount });
  expect(rules.requestOf(later("2027-03-28T02:30", ""), BERLIN).faults).toEqual({
    starts_at: "02:30 does not exist that day: the clocks go forward.",
    ends_at: "Choose a date and a time.",
  });
});

const REFUSED = { ok: false, status: 400, code: "invalid_request", error: "Invalid.", fields: {} } as const;
const ENDED = "Nothing is created, because your session has ended. This page keeps what you typed while you log in.";
const LOST = "No answer arrived, so the sale may exist already. Try again: it is created at most once.";

test.for([
  [{ ...REFUSED, fields: { amount: "must be at least 1" } }, { amount: "The number of units must be at least 1." }, null, false],
  [{ ...REFUSED, fields: { unheard_of: "is unknown" } }, {}, "Invalid.", false],
  [{ ...REFUSED, status: 409, code: "coupon_exists" }, { name: "A sale of this name exists already. Choose another name." }, null, false],
  [{ ...REFUSED, status: 401, code: "unauthorized" }, {}, ENDED, false],
  [{ ...REFUSED, status: 503, code: "outcome_unknown" }, {}, LOST, true],
  [{ ...REFUSED, status: 503, code: "unavailable" }, {}, "Invalid.", false],
  [{ ...REFUSED, status: 502, code: "unknown" }, {}, LOST, true],
  [{ ...REFUSED, status: 0, code: "no_answer" }, {}, LOST, true],
] as const)("the form shows the faults, the sentence and the retry of refusal %#", ([refused, faults, error, isLost]) => {
  expect(rules.outcomeOf(refused)).toEqual({ faults, error, isLost });
});

test("a request keeps its key until the form changes", () => {
  let keys = 0;
  const newKey = (): string => String((keys += 1));
  const first = rules.attemptOf({ name: "A" }, null, newKey);
  expect(rules.attemptOf({ name: "A" }, first, newKey)).toBe(first);
  expect(rules.attemptOf({ name: "B" }, first, newKey).key).toBe("2");
});

test.for([
  ["a page", pageKey],
  ["the client", clientKey],
] as const)("a key of %s is new, has 32 hexadecimal digits, and needs no randomUUID", ([, newKey]) => {
  vi.stubGlobal("crypto", { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => bytes.fill(bytes.length - 1) });
  expect(newKey()).toBe("0f".repeat(16));
  vi.unstubAllGlobals();
  const keys = Array.from({ length: 1000 }, newKey);
  expect(keys.filter((key) => !/^[\da-f]{32}$/.test(key))).toEqual([]);
  expect(new Set(keys).size).toBe(1000);
});
