// The rule that suggests a known name for an unknown one.

import { expect, test } from "vitest";

import { unknownFault } from "../../src/http/nearest-name.ts";

const FIELDS = ["name", "amount", "starts_at", "ends_at", "paused", "hold_seconds_max", "holds_max", "title", "description", "image_url"];

test.for([
  ["starts_at", "start_at start-at startsAt StartsAt STARTS_AT strats_at start startTime begins_at"],
  ["ends_at", "end_at end endDate until expires_at"],
  ["amount", "Amount amout amuont max_amount stock quantity units"],
  ["name", "nmae coupon_name code"],
  ["paused", "pause isPaused"],
  ["holds_max", "hold_max holds"],
  ["hold_seconds_max", "hold_seconds holdSecondMax"],
  ["title", "Title headline"],
  ["description", "desc text"],
  ["image_url", "image imageUrl picture"],
  [undefined, "note id claimed discount at units_per_user __proto__ 数量"],
] as const)("%s is suggested for %s", ([suggested, names]) => {
  const faults = names.split(" ").map((name) => unknownFault(name, FIELDS, "body fields"));
  const expected =
    suggested === undefined
      ? `is unknown: this route takes the body fields ${FIELDS.join(", ")}`
      : `is unknown: did you mean ${suggested}?`;
  expect(faults).toEqual(faults.map(() => expected));
});

test("a route that takes nothing says so", () => {
  expect(unknownFault("stock", [], "query parameters")).toBe("is unknown: this route takes no query parameters");
});
