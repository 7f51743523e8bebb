// `npm run bench:report`: makes the report of a run again from its JSON, and puts it into a document.

import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";

import type { BenchRecord } from "./record.ts";
import { reportOf } from "./report/markdown.ts";
import { CommandFailure, EXIT, runCommand, usage, type Command, type Options } from "../scripts/cli/command.ts";

const BEGIN = "<!-- results -->";
const END = "<!-- /results -->";

const COMMAND = {
  name: "npm run bench:report",
  operands: "FILE",
  operandsMax: 1,
  about: `Writes the report of a run, FILE.md, and its charts beside its results, FILE.json, and prints it.`,
  options: {
    into: { kind: "text", value: "DOCUMENT", help: `puts it into that document as well, between ${BEGIN} and ${END}` },
  },
} as const satisfies Command<Options>;

/** Writes Markdown and charts beside the results in `json`, and returns the Markdown. */
export async function writeReport(json: string): Promise<string> {
  const { markdown, charts } = reportOf(await recordIn(json), nameOf(json), "");
  const folder = dirname(json);
  for (const [file, svg] of Object.entries(charts)) await writeFile(join(folder, file), svg);
  await writeFile(join(folder, `${nameOf(json)}.md`), markdown);
  return markdown;
}

/** The document with the part between its marks replaced, or null where it has no marks. */
export function replaced(document: string, part: string): string | null {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  return begin < 0 || end < begin ? null : `${document.slice(0, begin + BEGIN.length)}\n\n${part.trim()}\n\n${document.slice(end)}`;
}

function nameOf(json: string): string {
  return basename(json, ".json");
}

async function recordIn(json: string): Promise<BenchRecord> {
  const text = await readFile(json, "utf8").catch(() => {
    throw new CommandFailure(`${json} can't be read`);
  });
  const record = JSON.parse(text) as BenchRecord;
  if (!Array.isArray(record.rows)) throw new CommandFailure(`${json} holds no results of a benchmark`);
  return record;
}

if (import.meta.main) {
  await runCommand(COMMAND, async ({ options: { into }, operands: [json] }) => {
    if (json === undefined) throw usage(COMMAND, "wants a file of results");
    console.log(await writeReport(json));
    if (into === undefined) return EXIT.ok;
    const { markdown } = reportOf(await recordIn(json), nameOf(json), `${relative(dirname(into), dirname(json))}/`);
    const document = replaced(await readFile(into, "utf8"), markdown);
    if (document === null) throw new CommandFailure(`${into} has no ${BEGIN} and ${END}`);
    await writeFile(into, document);
    return EXIT.ok;
  });
}
