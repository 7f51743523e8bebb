// Instants: RFC 3339 with an offset, kept in milliseconds, told in UTC.

import { describe, expect, test } from "vitest";

import { create, freshName, read } from "../../support/api.ts";
import { expectRefused } from "../../support/wire.ts";

describe("an instant", () => {
  test.for([
    ["in UTC", "2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z"],
    ["east of UTC", "2030-01-01T02:30:00+02:30", "2030-01-01T00:00:00.000Z"],
    ["west of UTC", "2029-12-31T16:00:00-08:00", "2030-01-01T00:00:00.000Z"],
    ["with the offset +00:00", "2030-01-01T00:00:00+00:00", "2030-01-01T00:00:00.000Z"],
    ["with the offset -00:00", "2030-01-01T00:00:00-00:00", "2030-01-01T00:00:00.000Z"],
    ["with the widest offsets east", "2030-01-01T23:59:00+23:59", "2030-01-01T00:00:00.000Z"],
    ["with the widest offset west", "2029-12-31T00:01:00-23:59", "2030-01-01T00:00:00.000Z"],
    ["with one digit of a second", "2030-01-01T00:00:00.5Z", "2030-01-01T00:00:00.500Z"],
    ["with milliseconds", "2030-01-01T00:00:00.123+01:00", "2029-12-31T23:00:00.123Z"],
    ["with nanoseconds, which are cut", "2030-01-01T00:00:00.123999999Z", "2030-01-01T00:00:00.123Z"],
    ["on a leap day", "2028-02-29T12:00:00Z", "2028-02-29T12:00:00.000Z"],
    ["before 1970", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"],
    ["at the end of the calendar", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
    // RFC 3339 section 5.6: "T" and "Z" may alternatively be lower case.
    ["with a lower-case z", "2030-01-01T00:00:00z", "2030-01-01T00:00:00.000Z"],
    ["with a lower-case t", "2030-01-01t00:00:00Z", "2030-01-01T00:00:00.000Z"],
  ] as const)("%s is told in UTC with milliseconds", async ([, sent, told]) => {
    const starting = freshName();
    const started = await create(starting, 1, { starts_at: sent });
    expect(started.status).toBe(201);
    expect(started.body).toMatchObject({ starts_at: told, ends_at: null });
    expect((await read(starting)).body).toMatchObject({ starts_at: told, ends_at: null });

    const ended = await create(freshName(), 1, { ends_at: sent });
    expect(ended.body).toMatchObject({ starts_at: null, ends_at: told });
  });

  test.for([
    ["without an offset", "2030-01-01T00:00:00"],
    ["without a time", "2030-01-01"],
    ["without seconds", "2030-01-01T00:00Z"],
    ["with an offset of hours alone", "2030-01-01T00:00:00+02"],
    ["with an offset without a colon", "2030-01-01T00:00:00+0200"],
    ["with an offset of 24 hours", "2030-01-01T00:00:00+24:00"],
    ["with an offset of 60 minutes", "2030-01-01T00:00:00+01:60"],
    ["on February 30", "2030-02-30T00:00:00Z"],
    ["on February 29 of no leap year", "2030-02-29T00:00:00Z"],
    ["on February 29 of 2100", "2100-02-29T00:00:00Z"],
    ["on April 31", "2030-04-31T00:00:00Z"],
    ["in month 13", "2030-13-01T00:00:00Z"],
    ["on day 0", "2030-01-00T00:00:00Z"],
    ["at 24:00", "2030-01-01T24:00:00Z"],
    ["at minute 60", "2030-01-01T00:60:00Z"],
    ["with a comma in the seconds", "2030-01-01T00:00:00,5Z"],
    ["with a point and no digits", "2030-01-01T00:00:00.Z"],
    ["with a space at the end", "2030-01-01T00:00:00Z "],
    ["with a line end at the end", "2030-01-01T00:00:00Z\n"],
    ["in full-width digits", "２０３０-01-01T00:00:00Z"],
    ["with a year of five digits", "+12030-01-01T00:00:00Z"],
    ["as HTTP writes it", "Tue, 01 Jan 2030 00:00:00 GMT"],
    ["as nothing", ""],
    ["as a word", "tomorrow"],
    ["as seconds in a string", "1893456000"],
    ["as a number", 1_893_456_000_000],
    ["as true", true],
    ["as a list", ["2030-01-01T00:00:00Z"]],
    ["as an object", {}],
    // In UTC these have no year of four digits, so no answer could write them as RFC 3339.
    ["in the year 10000 of UTC", "9999-12-31T23:59:59.999-23:59"],
    ["before the year 0 of UTC", "0000-01-01T00:00:00+23:59"],
  ] as const)("%s is refused", async ([, sent]) => {
    for (const field of ["starts_at", "ends_at"]) {
      const name = freshName();
      const answer = await create(name, 1, { [field]: sent });
      expectRefused(answer, "400 invalid_request", `invalid request: ${field} is invalid`);
      expect(answer.body["fields"]).toEqual({ [field]: "is invalid" });
      expect((await read(name)).status).toBe(404);
    }
  });
});

describe("a window", () => {
  test("is open at an end that is null or missing", async () => {
    const { status, body } = await create(freshName(), 1, { starts_at: null });
    expect(status).toBe(201);
    expect(body).toMatchObject({ starts_at: null, ends_at: null });
  });

  test.for([
    ["a millisecond", "2030-01-01T00:00:00.000Z", "2030-01-01T00:00:00.001Z"],
    ["an hour, though the offsets hide it", "2030-01-01T10:00:00+02:00", "2030-01-01T09:00:00Z"],
  ] as const)("may last %s", async ([, startsAt, endsAt]) => {
    const { status, body } = await create(freshName(), 1, { starts_at: startsAt, ends_at: endsAt });
    expect(status).toBe(201);
    expect(body).toMatchObject({ starts_at: new Date(startsAt).toISOString(), ends_at: new Date(endsAt).toISOString() });
  });

  test.for([
    ["at its start", "2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"],
    ["at its start, written with another offset", "2030-01-01T02:00:00+02:00", "2030-01-01T00:00:00Z"],
    ["before its start", "2030-01-01T00:00:00Z", "2029-12-31T23:59:59.999Z"],
    ["before its start, though the offsets hide it", "2030-01-01T09:00:00Z", "2030-01-01T10:00:00+02:00"],
    ["at its start, once nanoseconds are cut", "2030-01-01T00:00:00.0001Z", "2030-01-01T00:00:00.0002Z"],
  ] as const)("can't end %s", async ([, startsAt, endsAt]) => {
    const answer = await create(freshName(), 1, { starts_at: startsAt, ends_at: endsAt });
    expectRefused(answer, "400 invalid_request", "invalid request: ends_at is invalid");
    expect(answer.body["fields"]).toEqual({ ends_at: "is invalid" });
  });
});
