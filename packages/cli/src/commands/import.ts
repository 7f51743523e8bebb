// `import`: claims for the users of a file, in lots. A second run of the same file goes on where the first one ended.

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";

import type { BulkClaim, BulkOutcome } from "../../../client/src/operator.ts";
import type { Command } from "../args.ts";
import { CommandError, EXIT, quoted, valueOf } from "../failure.ts";
import { counted, grouped, shownState } from "../format.ts";
import { userIdsIn } from "../csv.ts";
import { fileContent, writableFile } from "../files.ts";
import { progressOf } from "../progress.ts";
import type { Session } from "../session.ts";

/** The server takes at most this many in one transaction. */
const LOT_SIZE = 1_000;
/** The outcomes of users who have a unit now. */
const WITH_A_UNIT: ReadonlySet<BulkOutcome> = new Set(["granted", "replayed", "already_claimed"]);

export type Lot = { readonly key: string; readonly users: readonly string[] };

/** Cuts users into lots. A lot of the same file has the same key in every run, so a repeat grants nothing twice. */
export function lotsOf(content: Uint8Array, column: string, users: readonly string[]): Lot[] {
  const file = createHash("sha256").update(content).update("\0").update(column).digest("hex").slice(0, 32);
  return Array.from({ length: Math.ceil(users.length / LOT_SIZE) }, (_, index) => ({
    key: `import-${file}-${index}`,
    users: users.slice(index * LOT_SIZE, (index + 1) * LOT_SIZE),
  }));
}

export const importClaims: Command = {
  name: "import",
  operands: ["NAME", "FILE"],
  about: "Claims one unit for each user of a CSV file, in its order.",
  details: `The first line of the file names its columns. If the run is interrupted, run it again: the same file grants nothing
twice. Users who have a unit keep it. It ends with 1 if a user got none.`,
  options: {
    column: { value: "COLUMN", help: "the column with the user ids (user_id)" },
    report: { value: "FILE", help: "writes the outcome of each user into this file, a line of JSON each" },
  },
  examples: ["doorbuster import PROMO users.csv", "doorbuster import PROMO users.csv --report outcomes.ndjson"],
  json: "`{coupon_name, users, duplicates, outcomes, remaining_amount}`",
  async run(session) {
    const { args } = session;
    const [name, file, column] = [args.operand("NAME"), args.operand("FILE"), args.text("column") ?? "user_id"];
    const content = fileContent(file);
    const { users, duplicateCount } = userIdsIn(new TextDecoder().decode(content), column);
    const report = args.text("report");
    const reportFile = report === undefined ? undefined : writableFile(report);
    const { results, left } = await claimed(session, name, lotsOf(content, column, users), users.length);
    if (reportFile !== undefined) writeFileSync(reportFile, results.map((result) => `${JSON.stringify(result)}\n`).join(""));
    const outcomes: Partial<Record<BulkOutcome, number>> = {};
    for (const { outcome } of results) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    session.print({ coupon_name: name, users: users.length, duplicates: duplicateCount, outcomes, remaining_amount: left }, [
      `${counted(users.length, "user")}${duplicateCount === 0 ? "" : `, and ${counted(duplicateCount, "repeated line")}`}`,
      ...Object.entries(outcomes).map(([outcome, count]) => `  ${grouped(count).padStart(9)}  ${wordOf(outcome)}`),
      `  ${grouped(left).padStart(9)}  left`,
    ]);
    return results.every(({ outcome }) => WITH_A_UNIT.has(outcome)) ? EXIT.done : EXIT.refused;
  },
};

function wordOf(outcome: string): string {
  return outcome === "replayed" ? "granted by an earlier run" : shownState(outcome);
}

type Claimed = { readonly results: BulkClaim["results"]; readonly left: number };

async function claimed(session: Session, name: string, lots: readonly Lot[], total: number): Promise<Claimed> {
  const operator = session.operator();
  const progress = progressOf(total, "users", session.isJson);
  const results: BulkClaim["results"][number][] = [];
  let left = 0;
  try {
    for (const { key, users } of lots) {
      const answer = valueOf(await operator.bulkClaim(name, users, { key }), name);
      results.push(...answer.results);
      left = answer.remaining_amount;
      progress.update(results.length);
    }
  } catch (cause) {
    if (!(cause instanceof CommandError)) throw cause;
    const error = `${cause.message}: ${grouped(results.length)} of ${counted(total, "user")} are done`;
    const next = `run the same command again, and it goes on: doorbuster import ${quoted(name)} FILE`;
    throw new CommandError(cause.exitCode, error, cause.exitCode === EXIT.unknown ? next : cause.nextStep, {
      ...cause.body,
      done: results.length,
    });
  } finally {
    progress.stop();
  }
  return { results, left };
}
