// Backups as an operator has them: taken over HTTP as a text, and restored in parts.

import { exports } from "cloudflare:workers";

import { pathOf, send, type Answer } from "../../support/api.ts";

/** The stream of a backup, and its text if it is read whole. */
export function fetchBackup(name: string): Promise<Response> {
  return exports.default.fetch(`https://doorbuster.test${pathOf(name, "backup")}`);
}

export async function backup(name: string): Promise<string> {
  return (await fetchBackup(name)).text();
}

export type Line = Readonly<Record<string, unknown>>;

export function linesOf(text: string): Line[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

/** The lines in parts of at most `lineCount`. */
export function partsOf(text: string, lineCount: number): string[] {
  const lines = text.split(/(?<=\n)/);
  return Array.from({ length: Math.ceil(lines.length / lineCount) }, (_, part) =>
    lines.slice(part * lineCount, (part + 1) * lineCount).join(""),
  );
}

export function sendPart(name: string, raw: string, part = 1, headers: Record<string, string> = {}): Promise<Answer> {
  return send("POST", `${pathOf(name, "restore")}?part=${part}`, { raw, headers });
}

/** Restores a whole backup. Returns the answer to the last part, or the first refusal. */
export async function restore(name: string, text: string, lineCount = 5000): Promise<Answer> {
  let answer: Answer | null = null;
  for (const [index, part] of partsOf(text, lineCount).entries()) {
    answer = await sendPart(name, part, index + 1);
    if (answer.status !== 202) break;
  }
  if (answer === null) throw new Error("a backup has lines");
  return answer;
}
