// Instants: RFC 3339 with an offset, stored in milliseconds, answered in UTC.

import { expect, test } from "vitest";

import { create, freshName, read } from "../../support/api.ts";
import { expectRefused } from "../../support/wire.ts";

test.for([
  ["2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z"],
  ["2030-01-01T02:30:00+02:30", "2030-01-01T00:00:00.000Z"],
  ["2029-12-31T16:00:00-08:00", "2030-01-01T00:00:00.000Z"],
  ["2030-01-01T00:00:00-00:00", "2030-01-01T00:00:00.000Z"],
  ["2030-01-01T23:59:00+23:59", "2030-01-01T00:00:00.000Z"],
  ["2029-12-31T00:01:00-23:59", "2030-01-01T00:00:00.000Z"],
  ["2030-01-01T00:00:00.5Z", "2030-01-01T00:00:00.500Z"],
  ["2030-01-01T00:00:00.123999999Z", "2030-01-01T00:00:00.123Z"],
  ["2028-02-29T12:00:00Z", "2028-02-29T12:00:00.000Z"],
  ["1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"],
  ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
  // RFC 3339 section 5.6: "T" and "Z" may be lower case.
  ["2030-01-01t00:00:00z", "2030-01-01T00:00:00.000Z"],
] as const)("the instant %s is answered as %s", async ([sent, answered]) => {
  const starting = freshName();
  const started = await create(starting, 1, { starts_at: sent });
  expect(started.status).toBe(201);
  expect(started.body).toMatchObject({ starts_at: answered, ends_at: null });
  expect((await read(starting)).body).toMatchObject({ starts_at: answered, ends_at: null });
  expect((await create(freshName(), 1, { ends_at: sent })).body).toMatchObject({ starts_at: null, ends_at: answered });
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
  ["on February 29 of 2100", "2100-02-29T00:00:00Z"],
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
  ["in HTTP's format", "Tue, 01 Jan 2030 00:00:00 GMT"],
  ["that is empty", ""],
  ["as seconds in a string", "1893456000"],
  ["as a number", 1_893_456_000_000],
  ["as a list", ["2030-01-01T00:00:00Z"]],
  // In UTC these have no year of four digits, so RFC 3339 can't express them.
  ["in the year 10000 of UTC", "9999-12-31T23:59:59.999-23:59"],
  ["before the year 0 of UTC", "0000-01-01T00:00:00+23:59"],
] as const)("an instant %s gets 400", async ([, sent]) => {
  for (const field of ["starts_at", "ends_at"]) {
    const name = freshName();
    const answer = await create(name, 1, { [field]: sent });
    const fault = "must be RFC 3339 with an offset, such as 2026-12-01T18:00:00+01:00";
    expectRefused(answer, "400 invalid_request", `invalid request: ${field} ${fault}`);
    expect(answer.body["fields"]).toEqual({ [field]: fault });
    expect((await read(name)).status).toBe(404);
  }
});

test.for([
  ["of one millisecond", "2030-01-01T00:00:00.000Z", "2030-01-01T00:00:00.001Z"],
  ["of an hour that its offsets hide", "2030-01-01T10:00:00+02:00", "2030-01-01T09:00:00Z"],
] as const)("a window %s is accepted", async ([, startsAt, endsAt]) => {
  const { status, body } = await create(freshName(), 1, { starts_at: startsAt, ends_at: endsAt });
  expect(status).toBe(201);
  expect(body).toMatchObject({ starts_at: new Date(startsAt).toISOString(), ends_at: new Date(endsAt).toISOString() });
});

test.for([
  ["at its start", "2030-01-01T02:00:00+02:00", "2030-01-01T00:00:00Z"],
  ["before its start", "2030-01-01T00:00:00Z", "2029-12-31T23:59:59.999Z"],
  ["before its start, which its offsets hide", "2030-01-01T09:00:00Z", "2030-01-01T10:00:00+02:00"],
  ["at its start once nanoseconds are cut", "2030-01-01T00:00:00.0001Z", "2030-01-01T00:00:00.0002Z"],
] as const)("a window that ends %s gets 400", async ([, startsAt, endsAt]) => {
  const answer = await create(freshName(), 1, { starts_at: startsAt, ends_at: endsAt });
  expectRefused(answer, "400 invalid_request", "invalid request: ends_at must be after starts_at");
  expect(answer.body["fields"]).toEqual({ ends_at: "must be after starts_at" });
});
