// `backup` and `restore`: one sale as a file, and a sale from a file.

import { createHash } from "node:crypto";

import type { Command } from "../args.ts";
import { checkedBackup, partsOf } from "../backup-file.ts";
import { download } from "../download.ts";
import { CommandError, EXIT, quoted, usage, valueOf } from "../failure.ts";
import { fileContent } from "../files.ts";
import { counted, saleLines } from "../format.ts";
import { progressOf, type Progress } from "../progress.ts";

/**
 * Returns the file of a backup that the call does not name. Some file systems refuse other characters. A name that loses some gets a
 * hash, so that no other sale's backup is overwritten.
 */
export function fileOf(name: string): string {
  const plain = name
    .replaceAll(/[^\w.-]/g, "_")
    .replace(/^[.-]/, "_")
    .slice(0, 200);
  const mark = plain === name ? "" : `-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
  return `${plain}${mark}.backup`;
}

const backup: Command = {
  name: "backup",
  operands: ["NAME", "[FILE]"],
  about: "Writes a sale with its whole history into a file, also while it runs.",
  details: `The file is there once it is complete and its hash is right. A broken stream begins again.
Without FILE it is NAME.backup. It has the ids of users.`,
  options: {},
  examples: ["doorbuster backup PROMO", "doorbuster backup PROMO copies.backup"],
  json: "`{written, events}`",
  async run(session) {
    const name = session.args.operand("NAME");
    const file = session.args.operand("[FILE]") || fileOf(name);
    let progress: Progress | undefined;
    let eventCount = 0;
    function begin(): Promise<ReadableStream<Uint8Array>> {
      progress?.stop();
      progress = undefined;
      return session.operator().backup(name);
    }
    function onLines(lines: number, events: number): void {
      progress ??= progressOf(events, "events", session.isJson);
      progress.update(Math.min(lines, events));
      eventCount = events;
    }
    await download(file, begin, session.note, (chunks) => checkedBackup(chunks, onLines)).finally(() => progress?.stop());
    session.print({ written: file, events: eventCount }, [`wrote ${file}, with ${counted(eventCount, "event")}`]);
    return EXIT.done;
  },
};

const restore: Command = {
  name: "restore",
  operands: ["NAME", "FILE"],
  about: "Makes a sale of a backup, under a name that no sale has.",
  details: "If the run is interrupted, run it again within a day: it goes on where it stopped. On a slow line give it a longer --timeout.",
  options: {},
  examples: ["doorbuster restore PROMO-COPY PROMO.backup"],
  json: "the coupon, without `claimed_by`",
  async run(session) {
    const [name, file] = [session.args.operand("NAME"), session.args.operand("FILE")];
    const parts = partsOf(fileContent(file));
    if (parts.length === 0) throw usage(`${file} is empty`, "check the path of the file");
    const operator = session.operator();
    const progress = progressOf(parts.length, "parts", session.isJson);
    try {
      for (let next = 1; ;) {
        const lines = new TextDecoder("utf-8", { ignoreBOM: true }).decode(parts[next - 1]);
        const answer = await operator.restorePart(name, next, lines);
        // The run before may have been cut off behind the last part. Sent again, that part returns the coupon.
        if (!answer.ok && answer.code === "coupon_exists" && next < parts.length) {
          next = parts.length;
          continue;
        }
        const stored = valueOf(answer, name);
        if (!("next_part" in stored)) {
          const { claimed_by: _claimedBy, ...coupon } = stored;
          session.print(coupon, ["restored", ...saleLines(coupon, session.address().url, Date.now())]);
          return EXIT.done;
        }
        progress.update(stored.next_part - 1);
        // The server may have more parts already, of a run before.
        next = stored.next_part;
        if (next > parts.length) throw usage(`${file} has no last line, so it is not complete`, "take a complete backup");
      }
    } catch (cause) {
      if (!(cause instanceof CommandError) || cause.exitCode !== EXIT.unknown) throw cause;
      const again = `run it again, and it goes on: doorbuster restore ${quoted(name)} ${quoted(file)}`;
      throw new CommandError(cause.exitCode, cause.message, again, cause.body);
    } finally {
      progress.stop();
    }
  },
};

export const backupCommands: readonly Command[] = [backup, restore];
