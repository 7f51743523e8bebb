// The list of claims: pages in the order of positions.

import { expect, test } from "vitest";

import { claim, created, freshName, listClaims, pathOf, send, seqOf, users, type Answer } from "../../support/api.ts";
import { setClock, T0 } from "../../support/clock.ts";
import { expectRefused } from "../../support/wire.ts";
import { plant, soldInPart } from "./export.ts";

type Listed = { readonly user_id: string; readonly position: number };

function claimsIn({ body }: Answer): Listed[] {
  return body["claims"] as Listed[];
}

function positionsIn(answer: Answer): number[] {
  return claimsIn(answer).map(({ position }) => position);
}

/** The positions of the claims that {@link soldInPart} leaves. */
const POSITIONS = Array.from({ length: 26 }, (_, index) => index + 1).filter((position) => ![3, 10, 25].includes(position));

/** Every page from the first to the last. */
async function walk(name: string, limit: number): Promise<Answer[]> {
  const pages = [await listClaims(name, `?limit=${limit}`)];
  for (let next = pages[0]?.body["next"]; typeof next === "number"; next = pages.at(-1)?.body["next"]) {
    pages.push(await listClaims(name, `?limit=${limit}&after=${next}`));
  }
  return pages;
}

test("a page of claims has receipts by position, and where the next page begins", async () => {
  setClock(T0);
  const name = await created(10);
  const receipts: unknown[] = [];
  for (const user of users(3)) {
    const { remaining_amount: _left, ...receipt } = (await claim(name, user)).body;
    receipts.push(receipt);
  }
  const first = await listClaims(name, "?limit=2");
  expect([first.status, first.headers.get("Content-Type"), seqOf(first)]).toEqual([200, "application/json", 4]);
  expect(first.body).toEqual({ claims: receipts.slice(0, 2), next: 2 });
  expect((await listClaims(name, "?limit=2&after=2")).body).toEqual({ claims: receipts.slice(2), next: null });
  expect((await listClaims(name)).body).toEqual({ claims: receipts, next: null });
});

test.for([1, 7, 22, 23, 24, 1000])("pages of at most %i claims together have each claim once", async (limit) => {
  const name = await soldInPart();
  const pages = await walk(name, limit);
  expect(pages.flatMap(positionsIn)).toEqual(POSITIONS);
  expect(pages).toHaveLength(Math.ceil(POSITIONS.length / limit));
  expect(pages.slice(0, -1).map((page) => claimsIn(page).length)).toEqual(Array(pages.length - 1).fill(limit));
  expect(pages.map(({ body }) => body["next"])).toEqual(
    pages.map((page, index) => (index < pages.length - 1 ? positionsIn(page).at(-1) : null)),
  );
});

test.for([
  ["0", POSITIONS],
  ["2", POSITIONS.slice(2)],
  ["3", POSITIONS.slice(2)],
  ["24", [26]],
  ["26", []],
  ["9007199254740991", []],
] as const)("a page of claims after position %s begins behind it, revoked or not", async ([after, positions]) => {
  expect(positionsIn(await listClaims(await soldInPart(), `?after=${after}`))).toEqual(positions);
});

test("a page of claims has 100 by default and 1,000 at most", async () => {
  const name = await created(2000);
  await plant(name, 1001);
  const counts = await Promise.all(["", "?limit=1000"].map(async (query) => claimsIn(await listClaims(name, query)).length));
  expect(counts).toEqual([100, 1000]);
  expect(positionsIn(await listClaims(name, "?limit=1000&after=1000"))).toEqual([1001]);
  expect((await listClaims(await created(1))).body).toEqual({ claims: [], next: null });
});

test.for([
  ["limit=0", "limit"],
  ["limit=01", "limit"],
  ["limit=1001", "limit"],
  ["limit=1.5", "limit"],
  ["limit=ten", "limit"],
  ["limit=", "limit"],
  ["after=-1", "after"],
  ["after=", "after"],
  ["after=1.0", "after"],
  ["after=9007199254740992", "after"],
] as const)("a list of claims with ?%s gets 400", async ([query, field]) => {
  const answer = await listClaims(await created(1), `?${query}`);
  const range = field === "limit" ? "1 to 1000" : "0 to 9007199254740991";
  expectRefused(answer, "400 invalid_request", `invalid request: ${field} must be an integer from ${range}`);
});

test.for(["application/json", "text/csv", "application/x-ndjson"])(
  "a list of a missing coupon gets 404 in JSON also for Accept: %s",
  async (Accept) => {
    const answer = await send("GET", pathOf(freshName(), "claims"), { headers: { Accept } });
    expectRefused(answer, "404 coupon_not_found", "coupon not found");
  },
);
