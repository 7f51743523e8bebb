// Commands about claims and holds.

import type { Hold } from "../../../client/src/operator.ts";
import type { Command } from "../args.ts";
import { download, print } from "../download.ts";
import { CommandError, EXIT, exitCodeOf, nextStepOf, quoted, usage, valueOf } from "../failure.ts";
import { counted, table } from "../format.ts";
import { confirm } from "../prompt.ts";
import type { Session } from "../session.ts";
import { shownInstant } from "../time.ts";
import { SURE } from "./end.ts";

const claim: Command = {
  name: "claim",
  operands: ["NAME", "USER"],
  about: "Claims one unit for a user. A user gets at most one.",
  details: "It needs the user's token or the SERVICE_TOKEN, unless the server has no identity. An operator claims with `import`.",
  options: { key: { value: "KEY", help: "your name for this attempt, such as an order number" } },
  examples: ["doorbuster claim PROMO ada"],
  json: "the outcome of the client, and its `key`",
  async run(session) {
    const { args } = session;
    const [name, user] = [args.operand("NAME"), args.operand("USER")];
    const key = args.text("key") ?? crypto.randomUUID();
    const claimed = await session.client().claim(name, user, { key });
    if (claimed.outcome === "granted") {
      const { position, claimed_at: at } = claimed.receipt;
      session.print({ ...claimed, key }, [`${user} has number ${position} of ${name}, since ${shownInstant(at, Date.now())}`]);
      return EXIT.done;
    }
    const maybe = "maybeGranted" in claimed && claimed.maybeGranted;
    const exitCode = exitCodeOf(claimed.code, maybe);
    const again = `run it again with the same key: doorbuster claim ${quoted(name)} ${quoted(user)} --key ${quoted(key)}`;
    const error =
      claimed.outcome === "already_claimed" ? `${user} has number ${claimed.receipt.position} of ${name} already` : claimed.error;
    throw new CommandError(exitCode, error, exitCode === EXIT.unknown ? again : nextStepOf(claimed.code, name), {
      ...claimed,
      key,
    });
  },
};

const revoke: Command = {
  name: "revoke",
  operands: ["NAME", "USER"],
  about: "Takes a user's claim back. Its unit returns to the stock.",
  options: { position: { value: "N", help: "only if the claim has this number" }, ...SURE },
  examples: ["doorbuster revoke PROMO ada --yes"],
  json: "the revoked claim",
  async run(session) {
    const { args } = session;
    const [name, user] = [args.operand("NAME"), args.operand("USER")];
    const found = valueOf(await session.client().getUserClaim(name, user), name);
    if (!("position" in found))
      throw new CommandError(
        EXIT.refused,
        `${user} has a hold and no claim`,
        `doorbuster holds ${quoted(name)} --release ${quoted(user)}`,
        {
          code: "claim_not_found",
        },
      );
    // With the position, a repeat can't revoke a later claim of the user.
    const position = args.count("position") ?? found.position;
    await confirm(`This takes number ${position} of ${name} from ${user}. The unit is for the next user.`, user, args.flag("yes"));
    const revoked = valueOf(await session.operator().revoke(name, user, { position }), name);
    session.print(revoked, [`revoked number ${position} of ${user}: ${counted(revoked.remaining_amount, "unit")} left`]);
    return EXIT.done;
  },
};

const holds: Command = {
  name: "holds",
  operands: ["NAME"],
  about: "Lists the running holds of a sale, or releases them.",
  options: {
    release: { value: "USER", help: "releases this user's hold" },
    "release-all": { help: "releases all holds" },
    ...SURE,
  },
  examples: ["doorbuster holds PROMO", "doorbuster holds PROMO --release-all --yes"],
  json: "`{holds}`, `{released}`, or with `--release-all` `{coupon_name, ended_count, remaining_amount}`",
  async run(session) {
    const { args } = session;
    const name = args.operand("NAME");
    const user = args.text("release");
    if (user !== undefined && args.flag("release-all")) throw usage("give either --release or --release-all", "doorbuster holds --help");
    if (user !== undefined) {
      valueOf(await session.client().releaseHold(name, user), name);
      session.print({ released: user }, [`${user} holds nothing`]);
    } else if (args.flag("release-all")) {
      await confirm(`This releases every hold of ${name}, also of users who are paying now.`, name, args.flag("yes"));
      const released = valueOf(await session.operator().releaseAllHolds(name), name);
      session.print(released, [`released ${counted(released.ended_count, "hold")}: ${counted(released.remaining_amount, "unit")} left`]);
    } else {
      const all = await allHolds(session, name);
      const rows = all.map((hold) => [hold.user_id, shownInstant(hold.expires_at, Date.now())]);
      session.print({ holds: all }, all.length === 0 ? ["no hold"] : table(["USER", "UNTIL"], rows));
    }
    return EXIT.done;
  },
};

async function allHolds(session: Session, name: string): Promise<Hold[]> {
  const all: Hold[] = [];
  for (let after: string | null = ""; after !== null;) {
    const page: { holds: readonly Hold[]; next: string | null } = valueOf(
      await session.operator().holds(name, after === "" ? { limit: 1_000 } : { limit: 1_000, after }),
      name,
    );
    all.push(...page.holds);
    after = page.next;
  }
  return all;
}

const exportClaims: Command = {
  name: "export",
  operands: ["NAME"],
  about: "Writes all claims of a sale, in their order.",
  details: "CSV is for spreadsheets. For programs take NDJSON: it has the ids exactly as they are.",
  options: {
    format: { value: "FORMAT", help: "csv or ndjson (the ending of FILE, or else csv; ndjson with --json)" },
    out: { value: "FILE", help: "writes into this file; it is there once it is complete" },
  },
  examples: ["doorbuster export PROMO", "doorbuster export PROMO --out winners.ndjson"],
  json: "one receipt a line; with `--out` `{written, format}`",
  async run(session) {
    const { args } = session;
    const [name, out] = [args.operand("NAME"), args.text("out")];
    const wanted =
      args.text("format") ?? (out === undefined ? undefined : /\.(csv|ndjson)$/.exec(out)?.[1]) ?? (session.isJson ? "ndjson" : "csv");
    if (wanted !== "csv" && wanted !== "ndjson") throw usage(`there is no format "${wanted}"`, "take csv or ndjson");
    const begin = (): Promise<ReadableStream<Uint8Array>> => session.operator().exportClaims(name, wanted);
    if (out === undefined) {
      await print(await begin());
      return EXIT.done;
    }
    await download(out, begin, session.note);
    session.print({ written: out, format: wanted }, [`wrote ${out}`]);
    return EXIT.done;
  },
};

export const claimCommands: readonly Command[] = [claim, revoke, holds, exportClaims];
