// The export of all claims: CSV that is safe in a spreadsheet, NDJSON, and 100,000 claims in constant memory.

import { describe, expect, test, vi } from "vitest";

import { claim, create, created, freshName, listClaims, outcomeOf, pathOf, read, remove, revoke, users } from "../../support/api.ts";
import { iso, setClock, T0 } from "../../support/clock.ts";
import { delivered, lost, platform, PLATFORM_WORDS, platformError, type Delivery } from "../../support/platform-faults.ts";
import { fetchWith } from "../../support/worker.ts";
import { cellsOf, exported, fetchExport, plant, soldInPart, streamed, textOf } from "./export.ts";

const NDJSON = "application/x-ndjson";

describe("media types", () => {
  const CSV = "text/csv; charset=utf-8; header=present";
  test.for([
    ["*/*", "application/json"],
    ["application/json", "application/json"],
    ["text/csv", CSV],
    ["application/x-ndjson", NDJSON],
    ["text/csv;q=0, */*;q=0.1", "application/json"],
  ] as const)("a list of claims for Accept: %s has the type %s", async ([accept, contentType]) => {
    const { headers } = await exported(await created(1), accept);
    expect(headers.get("Content-Type")).toBe(contentType);
  });
});

test.for([
  ["csv", NDJSON, "text/csv; charset=utf-8; header=present"],
  ["ndjson", "text/html,*/*;q=0.8", NDJSON],
  ["json", "text/csv", "application/json"],
] as const)("a link with format=%s overrides Accept: %s", async ([format, accept, contentType]) => {
  const { status, headers } = await exported(await created(1), accept, `?format=${format}`);
  expect([status, headers.get("Content-Type")]).toEqual([200, contentType]);
});

test("an export has no line separator of Unicode inside a line", async () => {
  const name = await created(2);
  for (const user of ["anna\u2028b", "x\u2029y"]) await claim(name, user);
  const { text } = await exported(name, NDJSON);
  expect(text).not.toMatch(/[\u2028\u2029]/);
  const ids = text.split(/(?<=\n)/).map((line) => (JSON.parse(line) as { user_id: string }).user_id);
  expect(ids).toEqual(["anna\u2028b", "x\u2029y"]);
  expect(cellsOf((await exported(name, "text/csv")).text).map(([, id]) => id)).toEqual(["user_id", "anna\\u2028b", "x\\u2029y"]);
});

test.for([
  ["TICKETS_1", "csv", 'filename="claims-TICKETS_1.csv"'],
  ["TICKETS_1", "x-ndjson", 'filename="claims-TICKETS_1.ndjson"'],
  ['../a"b\\c', "csv", 'filename="claims-.._a_b_c.csv"'],
  ["50% (Zoë's) 🎉", "csv", `filename="claims-50_ (Zo_'s) _.csv"; filename*=UTF-8''claims-50%25%20%28Zo%C3%AB%27s%29%20%F0%9F%8E%89.csv`],
] as const)("the export of %s as %s is a file", async ([name, type, file]) => {
  await create(name, 1);
  const accept = type === "csv" ? "text/csv" : NDJSON;
  expect((await exported(name, accept)).headers.get("Content-Disposition")).toBe(`attachment; ${file}`);
});

describe("the CSV", () => {
  const HEADER = ["coupon_name", "user_id", "position", "claimed_at"];

  test("the CSV has a header and a line for each claim", async () => {
    setClock(T0);
    const name = await created(5);
    for (const user of users(2)) await claim(name, user);
    const { status, text, headers } = await exported(name, "text/csv");
    expect([status, headers.get("Coupon-Seq"), headers.get("Cache-Control")]).toEqual([200, "3", "no-store, no-transform"]);
    const bytes = new Uint8Array(await (await fetchExport(name, "text/csv")).arrayBuffer());
    expect(Array.from(bytes.slice(0, 4))).toEqual([0xef, 0xbb, 0xbf, "c".charCodeAt(0)]);
    const at = iso(T0);
    expect(text).toBe(`coupon_name,user_id,position,claimed_at\r\n${name},user-1,1,${at}\r\n${name},user-2,2,${at}\r\n`);
  });

  test("the CSV without claims is the header alone", async () => {
    expect((await exported(await created(1), "text/csv")).text).toBe("coupon_name,user_id,position,claimed_at\r\n");
    const { text } = await exported(await soldInPart(), "text/csv", "?after=20&limit=2");
    expect(cellsOf(text).map(([, , position]) => position)).toEqual(["position", "21", "22", "23", "24", "26"]);
  });

  test("the CSV has no formula of a spreadsheet and every character of a text", async () => {
    setClock(T0);
    const name = `=cmd|' /C calc'!A0 ${freshName()}`;
    await create(name, 100);
    const formulas = ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\u00a0=1", "\u3000@x", '=HYPERLINK("https://evil.test","x")', "=1,2", "-"];
    // In some locales a semicolon ends a cell.
    const hidden = ['a;"=1+1;', "a;=1+1", "a; @x", 'a";=1', ";;-1", "=1;=2"];
    const made = ["a;'\"=1+1;", "a;'=1+1", "a;' @x", "a\";'=1", ";;'-1", "'=1;'=2"];
    const harmless = ["plain", "a=b", "a,b", 'say "hi"', '"=1+1"', '"', '""', ",", "it's", " spaced ", "100%", "用户 🎉", "a;b", "a|b"];
    for (const user of [...formulas, ...hidden, ...harmless]) expect((await claim(name, user)).status).toBe(201);

    const { text } = await exported(name, "text/csv");
    const [header, ...rows] = cellsOf(text);
    expect(header).toEqual(HEADER);
    const ids = [...formulas.map((user) => `'${user}`), ...made, ...harmless];
    expect(rows).toEqual(ids.map((id, index) => [`'${name}`, id, String(index + 1), iso(T0)]));
    expect(rows.flat().filter((cell) => /^\s*[=+\-@]/.test(cell))).toEqual([]);
    expect(text.split(/[;\r\n]/).filter((cell) => /^[\s"]*[=+\-@]/.test(cell))).toEqual([]);
  });

  test.for([
    ["a line feed", "\n"],
    ["a carriage return", "\r"],
    ["a CRLF", "\r\n"],
    ["a tab", "\t"],
  ] as const)("a user with %s, which would break the CSV, is refused", async ([, breaking]) => {
    const name = await created(5);
    for (const user of [`a${breaking}b`, `${breaking}=1`]) expect(outcomeOf(await claim(name, user))).toBe("400 invalid_request");
    expect((await exported(name, "text/csv")).text.split("\r\n")).toHaveLength(2);
  });
});

test("the NDJSON has a line for each receipt of the list", async () => {
  const name = await soldInPart();
  const { status, text, headers } = await exported(name, NDJSON);
  expect([status, headers.get("Coupon-Seq")]).toEqual([200, "30"]);
  expect(text.endsWith("}\n")).toBe(true);
  const lines = text.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual((await listClaims(name)).body["claims"]);
  expect((await exported(await created(1), NDJSON)).text).toBe("");
});

test.for([
  ["text/csv", 1],
  ["application/x-ndjson", 0],
] as const)("an export of 100,000 claims as %s is read in 20 pages and has each claim once", async ([accept, headerLines]) => {
  setClock(T0);
  const name = await created(200_000);
  await plant(name, 100_000);
  expect((await read(name)).body["remaining_amount"]).toBe(100_000);
  const over = platform();
  const response = await fetchWith({ COUPONS: over.coupons }, "GET", pathOf(name, "claims"), { headers: { accept } });
  const { lineCount, byteCount, isOrdered, lastLine } = await streamed(response);

  expect([lineCount, over.calls.length, isOrdered]).toEqual([100_000 + headerLines, 20, true]);
  expect(lastLine).toContain("user-100000");
  expect(byteCount).toBeGreaterThan(8_000_000);
});

test("an export of 100,000 claims includes a claim that is made meanwhile", async () => {
  setClock(T0);
  const name = await created(200_000);
  await plant(name, 100_000);
  const { lineCount, isOrdered, lastLine } = await streamed(await fetchExport(name, NDJSON), () => claim(name, "new-user"));
  expect([lineCount, isOrdered]).toEqual([100_001, true]);
  expect(JSON.parse(lastLine)).toMatchObject({ user_id: "new-user", position: 100_001 });
});

test("claimed_by has 100,000 users in order, and is not read for 304, 412 and HEAD", async () => {
  const name = await created(200_000);
  await plant(name, 100_000);
  const { body, headers } = await read(name);
  expect(body["claimed_by"]).toEqual(users(100_000));

  const over = platform();
  const ask = async (method: string, sent: Record<string, string>) =>
    (await fetchWith({ COUPONS: over.coupons }, method, pathOf(name), { headers: sent })).status;
  const etag = headers.get("ETag") ?? "";
  expect([await ask("GET", { "If-None-Match": etag }), await ask("GET", { "If-Match": '"other"' }), await ask("HEAD", {})]).toEqual([
    304, 412, 200,
  ]);
  expect(over.calls.map(({ method }) => method)).toEqual(["read", "read", "read"]);
});

test("a list of 100,000 claimants is of one instant during claims and revokes", async () => {
  const name = await created(200_000);
  await plant(name, 100_000);
  const response = await fetchWith({}, "GET", pathOf(name));
  const text = await textOf(response, async () => {
    await claim(name, "new-user");
    for (const user of ["user-1", "user-99999"]) expect((await revoke(name, user)).status).toBe(200);
    await claim(name, "user-1");
  });
  expect(JSON.parse(text)).toMatchObject({ remaining_amount: 100_000, claimed_by: users(100_000) });
  expect(response.headers.get("Coupon-Seq")).toBe("100001");
});

test("a reader who stops gets no further page; read pages are emptied", async () => {
  const name = await created(200_000);
  await plant(name, 100_000);
  const pages: { json: string }[] = [];
  const kept: Delivery = async (deliver) => {
    const page = (await deliver()) as { json: string };
    if ("json" in page) pages.push(page);
    return page;
  };
  const over = platform(...Array.from({ length: 100 }, () => kept));
  const failed = vi.spyOn(console, "error");
  const { body } = await fetchWith({ COUPONS: over.coupons }, "GET", pathOf(name));
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  // Each of these waits behind any page that the object was asked for.
  for (let count = 0; count < 5; count += 1) await listClaims(name);
  expect(pages.map(({ json }) => json === "")).toEqual([true]);
  await reader.cancel();
  await listClaims(name);
  expect(failed).not.toHaveBeenCalled();
});

async function createAgain(name: string): Promise<void> {
  await remove(name);
  await create(name, 200_000);
}

const sold = (name: string) => plant(name, 30_000);
const claims = (name: string) => fetchExport(name, NDJSON);
const claimants = (name: string) => fetchWith({}, "GET", pathOf(name));

test.for([
  ["an export", "deleted", claims, remove],
  ["an export", "deleted and created again", claims, createAgain],
  ["an export", "deleted, created again and sold as far", claims, (name: string) => createAgain(name).then(() => sold(name))],
  ["a list of claimants", "deleted and created again", claimants, createAgain],
] as const)("%s breaks off when its coupon is %s", async ([, , ask, end]) => {
  setClock(T0);
  const name = await created(200_000);
  await sold(name);
  await expect(textOf(await ask(name), () => end(name))).rejects.toThrow("the export ended early");
});

test.for([
  ["an export as CSV", "/claims", "text/csv"],
  ["an export as NDJSON", "/claims", NDJSON],
  ["a list of claimants", "", "application/json"],
] as const)("%s whose object fails after the first page breaks off, logged as export_failed", async ([, path, accept]) => {
  setClock(T0);
  const name = await created(200_000);
  await sold(name);
  const failed = vi.spyOn(console, "error").mockReturnValue();
  // The list of claimants reads the coupon before its first page.
  const answered = path === "" ? [delivered, delivered] : [delivered];
  const over = platform(...answered, ...Array.from({ length: 3 }, () => lost(platformError({ retryable: true }))));
  const headers = { accept, "X-Request-Id": "export-1" };
  const response = await fetchWith({ COUPONS: over.coupons }, "GET", `${pathOf(name)}${path}`, { headers });
  let meanwhile = 0;
  const broken = textOf(response, () => Promise.resolve((meanwhile += 1)));
  await expect(broken).rejects.toThrow("the export ended early: unavailable");
  expect(meanwhile).toBe(1);
  const lines = failed.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown);
  expect(lines).toEqual([{ event: "export_failed", request_id: "export-1", coupon: name, cause: `Error: ${PLATFORM_WORDS}` }]);
});
