// The file of a backup: its parts for a restore, and whether it is whole. docs/backup.md has the format.

import { createHash } from "node:crypto";

import { incomplete, usage } from "./failure.ts";

/** The server takes at most this much in one part. */
const PART_BYTES_MAX = 1024 * 1024;
const LINE_END = 10;

/** Cuts a backup into parts of whole lines. The same file has the same parts in every run. */
export function partsOf(content: Uint8Array, bytesMax: number = PART_BYTES_MAX): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let begin = 0; begin < content.length;) {
    const isRest = content.length - begin <= bytesMax;
    const end = isRest ? content.length : content.lastIndexOf(LINE_END, begin + bytesMax - 1) + 1;
    if (end <= begin) throw usage(`a line of the file is longer than ${bytesMax} bytes, so it is no backup`, "check the path of the file");
    parts.push(content.subarray(begin, end));
    begin = end;
  }
  return parts;
}

/**
 * Passes a backup on, and throws {@link CommandError} at its end if it is not whole. `onLines` gets the number of lines
 * so far, and the number of events that the first line promises.
 */
export async function* checkedBackup(
  chunks: AsyncIterable<Uint8Array>,
  onLines: (count: number, events: number) => void,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  // Everything but the last line is hashed, so the last one is kept.
  let kept = Buffer.alloc(0);
  let [lineCount, events] = [0, 0];
  for await (const chunk of chunks) {
    yield chunk;
    const bytes = Buffer.concat([kept, chunk]);
    const found = bytes.subarray(0, -1).lastIndexOf(LINE_END) + 1;
    const lines = bytes.subarray(0, found);
    if (lineCount === 0 && found > 0) events = fieldOf(lines.subarray(0, lines.indexOf(LINE_END)), "seq");
    hash.update(lines);
    for (let at = lines.indexOf(LINE_END); at !== -1; at = lines.indexOf(LINE_END, at + 1)) lineCount += 1;
    kept = bytes.subarray(found);
    onLines(lineCount, events);
  }
  const last = kept.toString();
  if (last.includes(`"sha256":"${hash.digest("hex")}"`)) return;
  const why = /^\{"error":"(.*)"\}$/m.exec(last)?.[1] ?? "its last line is missing or wrong";
  throw incomplete(`the backup ended early (${why}), so it was not written`, "run it again");
}

function fieldOf(line: Uint8Array, field: string): number {
  return Number(new RegExp(`"${field}":(\\d+)`).exec(Buffer.from(line).toString())?.[1] ?? 0);
}
