// The rules of the command line: times, servers and profiles, files of users, exit codes, what is shown.

import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { text as textOf } from "node:stream/consumers";

import { expect, test, vi } from "vitest";

import { checkedBackup, partsOf } from "../../packages/cli/src/backup-file.ts";
import { parse, type Command } from "../../packages/cli/src/args.ts";
import { COMMANDS } from "../../packages/cli/src/commands.ts";
import { fileOf } from "../../packages/cli/src/commands/backup.ts";
import { lotsOf } from "../../packages/cli/src/commands/import.ts";
import { liveLine } from "../../packages/cli/src/commands/watch.ts";
import { rowsIn, userIdsIn } from "../../packages/cli/src/csv.ts";
import { exitCodeOf, quoted } from "../../packages/cli/src/failure.ts";
import { bar, printable, rateOf, table } from "../../packages/cli/src/format.ts";
import { profilesFile } from "../../packages/cli/src/profiles.ts";
import { checkedUrl, chooseServer } from "../../packages/cli/src/server.ts";
import { instantIn, shownInstant } from "../../packages/cli/src/time.ts";
import { REFUSALS } from "../../src/http/refusals.ts";

/** Returns what `read` does, or the sentence of its failure. */
function resultOf(read: () => unknown): string {
  try {
    return String(read());
  } catch (cause) {
    return cause instanceof Error ? cause.message : "";
  }
}

/** Calls `read` in the time zone of Berlin. */
function inBerlin<T>(read: () => T): T {
  vi.stubEnv("TZ", "Europe/Berlin");
  try {
    return read();
  } finally {
    vi.unstubAllEnvs();
  }
}

test.for([
  ["2026-12-01 10:00", "2026-12-01T09:00:00.000Z"],
  ["2026-07-01T10:00:30", "2026-07-01T08:00:30.000Z"],
  ["2026-12-01T10:00:00Z", "2026-12-01T10:00:00.000Z"],
  ["2026-12-01 10:00:00.5-05:00", "2026-12-01T15:00:00.500Z"],
  ["2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00.000Z"],
  ["2026-03-29 02:30", "does not exist in the time zone Europe/Berlin"],
  ["2026-10-25 02:30", "happens twice in the time zone Europe/Berlin"],
  ["2026-02-30 10:00", "does not exist"],
  ["2026-02-30T10:00:00Z", "is not a time"],
  ["2026-12-01 24:00", "does not exist"],
  ["2026-12-01", "is not a time"],
  ["tomorrow", "is not a time"],
] as const)("the time %s in Berlin is %s", ([text, expected]) => {
  expect(inBerlin(() => resultOf(() => instantIn(text)))).toContain(expected);
});

test("an instant is shown on the local clock, with its distance", () => {
  const now = Date.parse("2026-11-27T12:00:00Z");
  const shown = inBerlin(() => ["2026-12-01T09:00:00Z", "2026-11-27T11:59:30Z"].map((iso) => shownInstant(iso, now)));
  expect(shown).toEqual(["2026-12-01 10:00 (Europe/Berlin), in 3 days 21 hours", "2026-11-27 12:59:30 (Europe/Berlin), 30 seconds ago"]);
});

const PROFILES = { default: { url: "https://a.example", token: "of-a" }, b: { url: "https://b.example", token: "of-b" } };

test.for([
  ["nothing is given", {}, {}, {}, "http://127.0.0.1:8787", undefined],
  ["there is a default profile", {}, {}, PROFILES, "https://a.example", "of-a"],
  ["the environment has both", {}, { url: "https://e.example", token: "of-e" }, PROFILES, "https://e.example", "of-e"],
  ["a flag has the address", { url: "https://f.example" }, { token: "of-e" }, PROFILES, "https://f.example", "of-e"],
  ["the address is not the profile's", { url: "https://f.example" }, {}, PROFILES, "https://f.example", undefined],
  ["the address is the profile's", { url: "https://a.example/" }, {}, PROFILES, "https://a.example", "of-a"],
  [
    "a named profile meets the environment",
    { profile: "b" },
    { url: "https://e.example", token: "of-e" },
    PROFILES,
    "https://b.example",
    "of-b",
  ],
  ["a flag meets a named profile", { profile: "b", token: "of-f" }, {}, PROFILES, "https://b.example", "of-f"],
] as const)("if %s, the server and its token are chosen so", ([, flags, env, profiles, url, token]) => {
  expect(chooseServer(flags, env, profiles)).toEqual(token === undefined ? { url } : { url, token });
});

test.for(["sale.example", "ftp://sale.example", "https://user@sale.example", "https://sale.example/?a=1"])(
  "%s is refused as an address",
  (text) => {
    expect(() => checkedUrl(text)).toThrow("is not the address of a server");
  },
);

test.for([
  ["linux", {}, "/home/ada/.config/doorbuster/profiles.json"],
  ["linux", { XDG_CONFIG_HOME: "/etc/ada" }, "/etc/ada/doorbuster/profiles.json"],
  ["linux", { XDG_CONFIG_HOME: "relative" }, "/home/ada/.config/doorbuster/profiles.json"],
  ["darwin", {}, "/home/ada/Library/Application Support/doorbuster/profiles.json"],
  ["win32", { APPDATA: String.raw`C:\Ada` }, String.raw`C:\Ada\doorbuster\profiles.json`],
] as const)("on %s with %o the profiles are in %s", ([platform, env, file]) => {
  expect(profilesFile(platform, env, "/home/ada")).toBe(file);
});

test("CSV is read with quotes, line breaks in cells, and any line end", () => {
  const rows = rowsIn('a,b\r\n"x, ""y""\nz",2\n\n3,\r4', ",");
  expect(rows.map(({ line, cells }) => [line, cells])).toEqual([
    [1, ["a", "b"]],
    [2, ['x, "y"\nz', "2"]],
    [5, ["3", ""]],
    [6, ["4"]],
  ]);
  expect(() => rowsIn('a\n"x"y', ",")).toThrow("line 2 is not CSV");
});

test.for([
  ["a byte order mark and semicolons", "\uFEFFname;user_id\nAda;ada\nBob;bob\n", ["ada", "bob"], 0],
  ["a repeated id", "user_id\r\nada\r\nbob\r\nada\r\n", ["ada", "bob"], 1],
  ["no line break at the end", "user_id\nada", ["ada"], 0],
] as const)("user ids are read from a file with %s", ([, text, users, duplicateCount]) => {
  expect(userIdsIn(text, "user_id")).toEqual({ users, duplicateCount });
});

test.for([
  ["id\nada", "the first line has no column user_id"],
  ["", "the first line has no column user_id"],
  ["user_id\n", "the file has no users"],
  [`user_id,x\nada,\n ,\n${"x".repeat(256)},`, "nothing was sent: line 3 has no user id; line 4 has an id of more than 255 characters"],
  ["user_id\n\u0007", "line 2 has an id with a control character"],
] as const)("the file %o is refused: %s", ([text, error]) => {
  expect(() => userIdsIn(text, "user_id")).toThrow(error);
});

test("a lot has at most 1,000 users, and the same key in each run of the same file", () => {
  const users = Array.from({ length: 2_500 }, (_, index) => `user-${index}`);
  const [one, again, other] = ["a", "a", "b"].map((content) => lotsOf(Buffer.from(content), "user_id", users));
  expect(one?.map((lot) => lot.users.length)).toEqual([1_000, 1_000, 500]);
  expect(one?.flatMap((lot) => lot.users)).toEqual(users);
  expect(again).toEqual(one);
  expect(new Set([...(one ?? []), ...(other ?? [])].map(({ key }) => key)).size).toBe(6);
});

test("a backup is cut into parts of whole lines", () => {
  const text = "aaa\nbb\nc\nddddd\n";
  const parts = partsOf(Buffer.from(text), 7).map((part) => Buffer.from(part).toString());
  expect(parts).toEqual(["aaa\nbb\n", "c\n", "ddddd\n"]);
  expect(() => partsOf(Buffer.from(text), 5)).toThrow("longer than 5 bytes");
});

/** Passes a text on in chunks. Returns the progress at its end, or the failure. */
async function passedOn(text: string, size: number): Promise<string> {
  const seen: number[] = [];
  const chunks = Readable.from(text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [], { objectMode: true });
  const bytes = chunks.map((chunk: string) => Buffer.from(chunk));
  const passed = await textOf(checkedBackup(bytes, (count, total) => seen.push(count, total))).catch(String);
  return passed === text ? `${seen.at(-2)} of ${seen.at(-1)}` : passed;
}

test("a backup that is damaged or ends early is not taken as whole", async () => {
  const events = '{"seq":2}\n{"a":1}\n{"b":2}\n';
  const sha256 = createHash("sha256").update(events).digest("hex");
  const whole = `${events}{"sha256":"${sha256}"}\n`;
  expect(await Promise.all([1, 7, 1_000].map((size) => passedOn(whole, size)))).toEqual(["3 of 2", "3 of 2", "3 of 2"]);
  for (const broken of [events, whole.replace("1", "3"), whole.slice(0, -9), ""])
    expect(await passedOn(broken, 7)).toContain("the backup ended early (its last line is missing or wrong)");
  expect(await passedOn(`${events}{"error":"coupon not found"}\n`, 7)).toContain("ended early (coupon not found)");
});

test("only an outcome that is not known ends with 3", () => {
  const unknown = Object.keys(REFUSALS).filter((code) => exitCodeOf(code as keyof typeof REFUSALS) === 3);
  expect(unknown.sort()).toEqual(["internal_error", "outcome_unknown", "unavailable"]);
  expect([exitCodeOf("unauthorized"), exitCodeOf("unauthorized", true)]).toEqual([1, 3]);
});

const COMMAND = COMMANDS.find(({ name }) => name === "create") as Command;

test.for([
  [["A", "--amount", "5"], "5"],
  [[], "NAME is missing"],
  [["A", "B"], '"B" is one word too many: quote texts with spaces'],
  [["A", "--amont", "5"], "Unknown option '--amont'"],
  [["A", "--amount"], "Option '--amount <value>' argument missing"],
  [["A", "--amount", "5.5"], '--amount takes a whole number, not "5.5"'],
  [["--help"], "undefined"],
] as const)("the amount in the arguments %o is %s", ([given, expected]) => {
  expect(resultOf(() => parse(COMMAND, given).count("amount"))).toBe(expected);
});

test("a text from a server writes no control character to a terminal", () => {
  expect(printable("a\u001B[2Jb\r\u0007\nc")).toBe("a\uFFFD[2Jb\uFFFD\uFFFD\nc");
});

test("a bar is empty and full at its ends alone", () => {
  expect([0, 1, 50, 99, 100].map((done) => bar(done, 100, 4))).toEqual(["░░░░", "█░░░", "██░░", "███░", "████"]);
});

test.for([
  ["without a sample", [], 0],
  [
    "after a second",
    [
      [9_000, 0],
      [10_000, 5],
    ],
    5,
  ],
  [
    "after a fifth of a second, as if it were one",
    [
      [9_800, 0],
      [10_000, 5],
    ],
    5,
  ],
  [
    "over the last five seconds",
    [
      [1_000, 0],
      [4_000, 100],
      [10_000, 160],
    ],
    12,
  ],
  [
    "when the last claim was long ago",
    [
      [1_000, 0],
      [4_000, 100],
    ],
    0,
  ],
  [
    "after a revoke",
    [
      [9_000, 5],
      [10_000, 4],
    ],
    0,
  ],
] as const)("the rate %s is claims a second", ([, samples, rate]) => {
  expect(
    rateOf(
      samples.map(([at, claimed]) => ({ at, claimed })),
      10_000,
    ),
  ).toBe(rate);
});

test("a live line fits into its terminal", () => {
  const now = "2026-11-27T12:00:00.000Z";
  const status = {
    name: "PROMO",
    epoch: "e",
    state: "open",
    amount: 500,
    remaining_amount: 136,
    held_amount: 2,
    starts_at: null,
    ends_at: null,
    server_time: now,
    seq: 9,
  } as const;
  expect(liveLine(status, 31.4, 61)).toBe("PROMO  ████░░░░░░░░░░░░  open  136 of 500 left  2 held  31/s");
  expect([100, 40, 1].map((columns) => liveLine(status, 31.4, columns).length < Math.max(2, columns))).toEqual([true, true, true]);
});

test("a table shows numbers on the right, and a name on one line", () => {
  expect(
    table(
      ["NAME", "LEFT"],
      [
        ["a\nb", 5],
        ["c", 1_200],
      ],
    ),
  ).toEqual(["NAME   LEFT", "a b       5", "c     1,200"]);
});

test("a name with spaces and quotes is one word of a shell", () => {
  expect(["a-b", "it's a", ""].map(quoted)).toEqual(["a-b", String.raw`'it'\''s a'`, "''"]);
});

test.for([
  ["PROMO-1.b", "PROMO-1.b.backup"],
  ["../a b/ü", "_._a_b__-04369f8f.backup"],
  ["-x", "_x-a4209624.backup"],
  ["日本", "__-cf2abf0c.backup"],
  ["東京", "__-130016b2.backup"],
  ["x".repeat(255), `${"x".repeat(200)}-d22609da.backup`],
] as const)("a backup of %s without a file is %s", ([name, file]) => {
  expect(fileOf(name)).toBe(file);
});
