// The rules of the console's page of one sale.

import { expect, test } from "vitest";

import { isReadDue } from "../../src/web/islands/console/reading.ts";
import { changeSince, newest, restockOf, stateSentence, type Coupon } from "../../src/web/islands/console/sale/coupon.ts";
import { embedCode } from "../../src/web/islands/console/sale/embed.ts";
import {
  claimsPerSecond,
  joined,
  LIVE_POINTS_MAX,
  spread,
  timelinePoints,
  withPoint,
  type Point,
} from "../../src/web/islands/console/sale/points.ts";
import { textsForm, textsOf, windowForm, windowOf } from "../../src/web/islands/console/sale/settings-forms.ts";
import { tailBegin, withEvents } from "../../src/web/islands/console/sale/events.ts";
import { refusedBy, sinkState, type LedgerEvent, type Sink } from "../../src/web/islands/console/sale/words.ts";

const COUPON: Coupon = {
  name: "DROP",
  state: "open",
  amount: 500,
  remaining_amount: 380,
  held_amount: 20,
  starts_at: null,
  ends_at: null,
  paused: false,
  title: null,
  description: null,
  image_url: null,
  created_at: "2026-12-03T09:00:00.000Z",
  seq: 7,
};

test.for([
  [[], 10_000, 0],
  [[[9_500, 100]], 10_000, 0],
  // Five claims a second ago in a page that is open for a second.
  [
    [
      [9_000, 100],
      [10_000, 105],
    ],
    10_000,
    5,
  ],
  // A burst right after the page was opened is taken over a second at least.
  [
    [
      [9_900, 0],
      [10_000, 50],
    ],
    10_000,
    50,
  ],
  [
    [
      [0, 0],
      [4_000, 10],
      [7_000, 35],
      [9_000, 60],
    ],
    10_000,
    10,
  ],
  // No claim for more than five seconds.
  [
    [
      [0, 0],
      [4_000, 60],
    ],
    10_000,
    0,
  ],
  // A revoke is no negative claim.
  [
    [
      [4_000, 60],
      [9_000, 55],
    ],
    10_000,
    0,
  ],
] as const)("claims %# of a second are those of the last five seconds", ([samples, now, rate]) => {
  expect(
    claimsPerSecond(
      samples.map(([at, claimed]) => ({ at, claimed })),
      now,
    ),
  ).toBe(rate);
});

test("a timeline becomes points at the ends of its buckets, and live points come behind it", () => {
  const at = Date.parse("2026-12-03T10:00:00.000Z");
  const buckets = [
    { at: "2026-12-03T10:00:00.000Z", granted: 12, revoked: 0 },
    { at: "2026-12-03T10:00:05.000Z", granted: 3, revoked: 1 },
  ];
  const timeline = timelinePoints({ bucket_seconds: 5, buckets, as_of: "2026-12-03T10:00:07.000Z" });
  expect(timeline).toEqual([
    { at, claimed: 0 },
    { at: at + 5_000, claimed: 12 },
    { at: at + 7_000, claimed: 14 },
  ]);
  const live = [
    { at: at + 6_000, claimed: 13 },
    { at: at + 9_000, claimed: 20 },
  ];
  expect(joined(timeline, live, at + 10_000).slice(3)).toEqual([
    { at: at + 9_000, claimed: 20 },
    { at: at + 10_000, claimed: 20 },
  ]);
  expect(timelinePoints({ bucket_seconds: 1, buckets: [], as_of: null })).toEqual([]);
});

test("live points are bounded, in order, and keep the first and the latest half", () => {
  let points: readonly Point[] = [];
  for (let at = 0; at < 5 * LIVE_POINTS_MAX; at += 1) points = withPoint(withPoint(points, { at, claimed: at }), { at, claimed: -1 });
  expect(points.length).toBeLessThanOrEqual(LIVE_POINTS_MAX);
  expect(points[0]).toEqual({ at: 0, claimed: 0 });
  const latest = points.slice(-LIVE_POINTS_MAX / 2).map(({ claimed }) => claimed);
  expect(latest).toEqual(latest.map((_, index) => 5 * LIVE_POINTS_MAX - latest.length + index));
  expect(spread(points, 3).map(({ at }) => at)).toEqual([0, expect.any(Number), 5 * LIVE_POINTS_MAX - 1]);
});

test("a page shows the newer of what the stream and its own reads have", () => {
  const snapshot = { state: "paused", amount: 500, remaining_amount: 1, held_amount: 0, starts_at: null, ends_at: null };
  expect(newest(COUPON, { ...snapshot, seq: 6 })).toEqual(COUPON);
  expect(newest(COUPON, { ...snapshot, seq: 7 })).toEqual({ ...COUPON, ...snapshot });
  expect(newest(COUPON, null)).toEqual(COUPON);
});

test.for([
  [600, 600, "From 500 to 600: 100 more. 480 are then left."],
  [450, 450, "From 500 to 450: 50 fewer. 330 are then left."],
  [121, 121, "From 500 to 121: 379 fewer. One is then left."],
  [120, 120, "From 500 to 120: 380 fewer. The sale is then sold out."],
  [119, null, "120 units are claimed or held, so that is the least."],
  [500, null, "The sale has 500 units already."],
  [0, null, "Type the new number of units."],
  ["many", null, "Type the new number of units."],
  [undefined, null, "Type the new number of units."],
] as const)("a restock to %s shows its difference", ([typed, amount, sentence]) => {
  expect(restockOf(COUPON, typed)).toEqual({ amount, sentence });
});

const CHECK = "You see the new state now: check it, and try again.";

test.for([
  [{ remaining_amount: 3, held_amount: 9, state: "sold_out" }, null],
  [{ amount: 600 }, `Somebody else has changed the number of units. ${CHECK}`],
  [
    { ends_at: "2027-01-01T00:00:00.000Z", title: "T", paused: true },
    `Somebody else has changed the end, the pause and the title. ${CHECK}`,
  ],
  [{ state: "archived" }, "Somebody else has archived this sale."],
  [{ created_at: "2026-12-04T09:00:00.000Z" }, "Another operator has deleted this sale and created another one of its name."],
] as const)("a change by somebody else %# is named, and claims are none", ([part, sentence]) => {
  expect(changeSince(COUPON, { ...COUPON, ...part })).toBe(sentence);
});

test.for([
  ["open", {}, /^Users can claim now\. The sale has no end\.$/],
  [
    "scheduled",
    { starts_at: "2026-12-03T12:00:00Z", paused: true },
    /^The sale opens .*, in 2 hours, but it is paused: resume it before\./,
  ],
  ["paused", { ends_at: "2026-12-03T13:00:00Z" }, /^The sale is paused: .* The sale ends .*, in 3 hours\.$/],
  ["sold_out", {}, /^No unit is left\./],
  ["ended", { ends_at: "2026-12-03T09:00:00Z" }, /^The sale ended .*, 1 hour ago\.$/],
  ["archived", {}, /^The sale is closed for good\./],
] as const)("a sale that is %s says so in a sentence", ([state, part, sentence]) => {
  expect(stateSentence({ ...COUPON, ...part, state }, Date.parse("2026-12-03T10:00:00Z"))).toMatch(sentence);
});

test("a window sends only the end that was touched, and an untouched time keeps its seconds", () => {
  const coupon = { starts_at: "2026-12-03T09:00:07.500Z", ends_at: "2026-12-04T09:00:00.000Z" };
  const form = windowForm(coupon, "Europe/Berlin");
  expect(form).toMatchObject({ opens: "later", starts_at: "2026-12-03T10:00", ends: "later", ends_at: "2026-12-04T10:00" });
  const sent = (part: object): unknown => windowOf({ ...form, ...part }, coupon, "Europe/Berlin");
  expect(sent({})).toEqual({ body: {}, faults: {} });
  expect(sent({ ends_at: "2026-12-04T11:30" })).toEqual({ body: { ends_at: "2026-12-04T10:30:00.000Z" }, faults: {} });
  expect(sent({ opens: "now", ends: "never" })).toEqual({ body: { starts_at: null, ends_at: null }, faults: {} });
  expect(sent({ ends_at: "" })).toEqual({ body: {}, faults: { ends_at: "Choose a date and a time." } });
});

test("texts send only what was changed, and an empty text as null", () => {
  const coupon = { title: "Shoes", description: null, image_url: "/a.png" };
  const form = textsForm(coupon);
  expect(textsOf(form, coupon)).toEqual({ body: {}, changed: "" });
  const edited = { ...form, description: " two\nlines ", image_url: "" };
  expect(textsOf(edited, coupon)).toEqual({
    body: { description: " two\nlines ", image_url: null },
    changed: "the description and the picture",
  });
});

function event(seq: number, kind: LedgerEvent["kind"] = "claimed"): LedgerEvent {
  return { seq, at: "2026-12-03T10:00:00.000Z", kind, actor: null, user_id: null, position: null };
}

test("a tail has the latest 50 events, and notices settings that it has skipped", () => {
  expect([tailBegin(0, 12), tailBegin(0, 200), tailBegin(190, 200), tailBegin(10, 200), tailBegin(200, 3)]).toEqual([0, 150, 190, 150, 0]);
  const first = withEvents({ events: [], settingsSeq: 0 }, 0, [event(1, "created"), event(2)]);
  expect(first).toEqual({ events: [event(2), event(1, "created")], settingsSeq: 1 });
  expect(withEvents(first, 2, [event(3)])).toEqual({ events: [event(3), event(2), event(1, "created")], settingsSeq: 1 });
  expect(withEvents(first, 2, [event(3, "changed")]).settingsSeq).toBe(3);
  expect(withEvents(first, 150, [event(151)])).toEqual({ events: [event(151)], settingsSeq: 150 });
  const many = Array.from({ length: 60 }, (_, index) => event(3 + index));
  expect(withEvents(first, 2, many).events.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, index) => 62 - index));
});

test("refusals are shown by reason, the most frequent first, without granted and replayed claims", () => {
  const shown = refusedBy({ granted: 50, replayed: 9, already_claimed: 2, out_of_stock: 70, sale_ended: 0 });
  expect(shown).toEqual([
    { code: "out_of_stock", words: "Nothing was left", count: 70 },
    { code: "already_claimed", words: "The user has one already", count: 2 },
  ]);
});

const SINK: Sink = {
  sink: "d1",
  status: "active",
  lag_events: 0,
  lag_seconds: 0,
  failed_attempts: 0,
  next_attempt_at: null,
  last_error: null,
};

test.for([
  [{}, "Has everything"],
  [{ lag_events: 3 }, "Is catching up"],
  [{ lag_events: 3, failed_attempts: 2 }, "Failed 2 times, tries again"],
  [{ status: "parked", failed_attempts: 90 }, "Gave up after three days of failures"],
  [{ status: "disabled" }, "Disabled: its endpoint answered 410"],
] as const)("the state of sink %# is in words", ([part, words]) => {
  expect(sinkState({ ...SINK, ...part })).toBe(words);
});

test.for([
  [{ isHidden: false, sinceMs: 2_000, hasMoved: true }, true],
  [{ isHidden: true, sinceMs: 2_000, hasMoved: true }, false],
  [{ isHidden: false, sinceMs: 1_999, hasMoved: true }, false],
  [{ isHidden: false, sinceMs: 9_000, hasMoved: false }, false],
] as const)("a page reads only what is new, late enough, and not in a hidden tab: case %#", ([part, isDue]) => {
  expect(isReadDue({ ...part, everyMs: 2_000 })).toBe(isDue);
});

test("a hostile name can't leave the attribute of the code that embeds a sale", () => {
  expect(embedCode("https://sale.example", `"><script>&`)).toBe(
    `<script src="https://sale.example/embed.js" data-coupon="&quot;&gt;&lt;script&gt;&amp;" async></script>`,
  );
});
