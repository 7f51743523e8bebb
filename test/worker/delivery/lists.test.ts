// Lists across coupons over a real D1 database: coupons, a user's claims, and the report.

import { env, exports } from "cloudflare:workers";
import { expect, test, vi } from "vitest";

import { FILTERED_ROWS_MAX } from "../../../src/domain/delivery-limits.ts";
import { EXPORT_PAGE_SIZE } from "../../../src/domain/limits.ts";
import { STATEMENTS } from "../../../src/read-model/queries.ts";
import { change, claim, create, freshName, pathOf, remove, revoke, send, type Answer } from "../../support/api.ts";
import { iso, MINUTE, passClock, SECOND, setClock, T0 } from "../../support/clock.ts";
import { expectRefused } from "../../support/wire.ts";
import { workerWith } from "../../support/worker.ts";
import { deliver } from "./deliver.ts";

type Row = Readonly<Record<string, unknown>>;
const REPORT = "/api/reports/claims.csv";

function rowsIn({ body }: Answer, list: "coupons" | "claims"): Row[] {
  return body[list] as Row[];
}

/** All rows of a list, page by page, and how many each page had. */
async function pagesOf(path: string, list: "coupons" | "claims"): Promise<{ rows: Row[]; counts: number[] }> {
  const [rows, counts] = [[] as Row[], [] as number[]];
  for (let query = path; query !== "";) {
    const answer = await send("GET", query);
    expect(answer.status).toBe(200);
    rows.push(...rowsIn(answer, list));
    counts.push(rowsIn(answer, list).length);
    const after = answer.body["next_after"] as string | null;
    query = after === null ? "" : `${path}&after=${encodeURIComponent(after)}`;
  }
  return { rows, counts };
}

async function report(query = ""): Promise<{ lines: string[]; asOf: string | null }> {
  const response = await exports.default.fetch(`https://doorbuster.test${REPORT}${query}`);
  const lines = (await response.text()).split("\r\n");
  return { lines: lines.slice(0, -1), asOf: response.headers.get("As-Of") };
}

test("before anything was delivered, each list says that it is as of nothing", async () => {
  await env.DB.prepare("DELETE FROM freshness").run();
  expect((await send("GET", "/api/coupons")).body).toEqual({ coupons: [], next_after: null, as_of: null });
  expect((await send("GET", "/api/users/ada/claims")).body).toEqual({ claims: [], next_after: null, as_of: null });
  expect(await report()).toEqual({ lines: ["coupon_name,user_id,position,claimed_at,released_at"], asOf: "none" });
});

test("the list of coupons has the states of now, filters, and pages", async () => {
  setClock(T0);
  const prefix = freshName("Sale");
  const settings: Record<string, Row> = {
    "a-archived": {},
    "b-deleted": {},
    "c-later": { starts_at: iso(T0 + MINUTE) },
    "d-open": {},
    "e-over": { ends_at: iso(T0 + MINUTE) },
    "f-paused": {},
    "g-sold": { amount: 1 },
  };
  const names = Object.keys(settings).map((name) => `${prefix}-${name}`);
  for (const [name, more] of Object.entries(settings)) expect((await create(`${prefix}-${name}`, 2, more)).status).toBe(201);
  await send("POST", pathOf(`${prefix}-a-archived`, "archive"));
  await remove(`${prefix}-b-deleted`);
  await change(`${prefix}-f-paused`, { paused: true });
  await claim(`${prefix}-g-sold`, "ada");
  await deliver(...names);

  const list = async (query: string) => rowsIn(await send("GET", `/api/coupons?q=${prefix}${query}`), "coupons");
  const states = async () => Object.fromEntries((await list("")).map(({ name, state }) => [String(name).slice(prefix.length + 1), state]));
  const before = {
    "a-archived": "archived",
    "c-later": "scheduled",
    "d-open": "open",
    "e-over": "open",
    "f-paused": "paused",
    "g-sold": "sold_out",
  };
  expect(await states()).toEqual(before);
  passClock(MINUTE);
  expect(await states()).toEqual({ ...before, "c-later": "open", "e-over": "ended" });
  expect((await list("&state=open")).map(({ name }) => name)).toEqual([`${prefix}-c-later`, `${prefix}-d-open`]);
  expect((await list("-G-SOLD")).map(({ name }) => name)).toEqual([`${prefix}-g-sold`]);

  const { rows, counts } = await pagesOf(`/api/coupons?q=${prefix}&limit=2`, "coupons");
  expect([rows.map(({ name }) => name), counts]).toEqual([names.filter((name) => !name.endsWith("deleted")), [2, 2, 2]]);
  const [sold] = await list("-g-sold");
  const { claimed_by: _winners, ...coupon } = (await send("GET", pathOf(`${prefix}-g-sold`))).body;
  expect(sold).toEqual({ ...coupon, claimed_amount: 1, as_of: iso(T0) });
});

test.for([
  ["<script>alert(1)</script>", "<SCRIPT>"],
  ["100%_off", "%_"],
  ["'; DROP TABLE coupons; --", "';"],
  ["مرحبا\u200f بالعالم", "بالعالم"],
  ["a+b & c=d", "+b &"],
  ["👩‍👩‍👧‍👦 tickets", "👩‍👧"],
  ["🎟".repeat(255), "🎟".repeat(255)],
  // A sigma at the end of a word has another small letter.
  ["ΟΔΟΣΑΛΕ", "οδος"],
  // The same letter, composed and decomposed.
  ["caf\u00e9", "CAFE\u0301"],
] as const)("a search finds the coupon %s by %s", async ([name, text]) => {
  await create(name, 1);
  await deliver(name);
  const found = rowsIn(await send("GET", `/api/coupons?q=${encodeURIComponent(text)}&state=open`), "coupons");
  expect(found.map((row) => row["name"])).toEqual([name]);
  expect((await send("GET", `/api/coupons?after=${encodeURIComponent(name)}&limit=1`)).status).toBe(200);
});

test("a filter reads a bounded number of coupons and goes on behind them", async () => {
  const prefix = freshName("!many");
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
     INSERT INTO coupons SELECT ?1 || i, ?1 || printf('-%05d', i), 1, 0, 0, NULL, NULL, 0, 900, NULL, 0, 1, NULL, NULL, 1, 1, NULL, NULL, NULL FROM n`,
  )
    .bind(prefix, FILTERED_ROWS_MAX + 1)
    .run();
  const last = `${prefix}-0${FILTERED_ROWS_MAX + 1}`;
  const { rows, counts } = await pagesOf(`/api/coupons?q=${last}&limit=1`, "coupons");
  expect([rows.map(({ name }) => name), counts]).toEqual([[last], [0, 1]]);
});

test("a user's list has the claims of all coupons without revoked and deleted ones, newest first", async () => {
  setClock(T0);
  const [user, names] = [freshName("ada"), [] as string[]];
  for (let index = 0; index < 5; index += 1) {
    const name = freshName(`sale-${index}`);
    names.push(name);
    await create(name, 1);
    // The first three claims are at the same instant, so that a page ends between two of them.
    if (index > 2) passClock(SECOND);
    await claim(name, user);
  }
  await revoke(names[1] ?? "", user);
  await remove(names[3] ?? "");
  await deliver(...names);
  const path = `/api/users/${user}/claims?limit=1`;
  const { rows, counts } = await pagesOf(path, "claims");
  expect(counts).toEqual([1, 1, 1]);
  const receipts = await Promise.all([4, 2, 0].map((index) => send("GET", pathOf(names[index] ?? "", "claims", user))));
  const expected = receipts.map(({ body }) => Object.assign(body, { state: "sold_out" }));
  expect(rows[0]).toEqual(expected[0]);
  expect(new Set(rows)).toEqual(new Set(expected));
  const first = await send("GET", path);
  expect(first.body["as_of"]).toBe(iso(Date.now()));
  expectRefused(await send("GET", `${path}&after=x`), "400 invalid_request", "invalid request: after must be the next_after of a page");
});

test("the report has each claim of its time once, with revoked ones, over several pages, or breaks off", async () => {
  setClock(T0 + 60 * MINUTE);
  const [name, user] = [freshName("sale"), `=${freshName("bob")}`];
  await create(name, 3);
  await claim(name, user);
  passClock(SECOND);
  await claim(name, "carol");
  await revoke(name, "carol");
  await deliver(name);
  const query = `?from=${iso(Date.now() - SECOND)}&to=${iso(Date.now())}`;
  expect((await report(query)).lines.slice(1)).toEqual([`${name},'${user},1,${iso(Date.now() - SECOND)},`]);
  const later = await report(`?from=${iso(Date.now())}`);
  expect(later).toMatchObject({ asOf: iso(Date.now()) });
  expect(later.lines.slice(1)).toEqual([`${name},carol,2,${iso(Date.now())},${iso(Date.now())}`]);

  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
     INSERT INTO claims SELECT epoch, i, 'user-' || i, ?3, NULL FROM coupons, n WHERE name = ?1`,
  )
    .bind(name, EXPORT_PAGE_SIZE + 2, Date.now())
    .run();
  const positions = (await report(`?from=${iso(Date.now())}`)).lines.slice(1).map((line) => Number(line.split(",")[2]));
  expect(positions).toEqual(Array.from({ length: EXPORT_PAGE_SIZE + 1 }, (_, index) => index + 2));

  // The database fails after the freshness and the first page.
  let reads = 0;
  const failing = (statement: string): D1PreparedStatement => {
    if ((reads += 1) > 2) throw new Error("D1_ERROR: overloaded");
    return env.DB.prepare(statement);
  };
  const failed = vi.spyOn(console, "error").mockReturnValue();
  const broken = workerWith({ DB: { prepare: failing } as unknown as D1Database })("GET", REPORT);
  await expect(broken).rejects.toThrow("the export ended early");
  const lines = failed.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown);
  expect(lines).toMatchObject([{ event: "export_failed", cause: expect.stringContaining("D1_ERROR: overloaded") }]);
});

test.for(Object.entries(STATEMENTS))(
  "%s scans neither claims nor events, and sorts at most one user's coupons",
  async ([name, statement]) => {
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${statement}`)
      .bind(...new Set(statement.match(/\?\d/g)))
      .all<{ detail: string }>();
    expect(
      results
        .map(({ detail }) => detail)
        .filter((detail) =>
          (name === "SELECT_COUPONS_OF_USER" ? /SCAN (claims|events|coupons)/ : /SCAN (claims|events|last)|TEMP B-TREE/).test(detail),
        ),
    ).toEqual([]);
  },
);

test.for(["/api/coupons", "/api/users/ada/claims", REPORT])("GET %s without a database gets 503 unavailable", async (path) => {
  expectRefused(await workerWith({ DB: undefined })("GET", path), "503 unavailable", "no database is bound: bind DB in wrangler.toml");
  const DB = {
    prepare: () => {
      throw new Error("D1_ERROR: overloaded");
    },
  } as unknown as D1Database;
  expectRefused(await workerWith({ DB })("GET", path), "503 unavailable", "the database can't answer right now: try again");
});

test("PUT /api/coupons gets 405 with both of its methods", async () => {
  expect((await send("PUT", "/api/coupons")).headers.get("Allow")).toBe("POST, GET, HEAD");
});
