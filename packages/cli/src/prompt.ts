// Questions on a terminal. They go to standard error, so that standard output has the result alone.

import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text as textOf } from "node:stream/consumers";

import { usage } from "./failure.ts";
import { printable } from "./format.ts";

export function isTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks for a line. With `isSecret` nothing of it is shown. Throws {@link CommandError} without an answer. */
export async function ask(question: string, { isSecret = false } = {}): Promise<string> {
  if (isSecret) process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: isSecret ? nowhere : process.stderr, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once("close", () => reject(usage("nothing was entered", "run it again")));
      lines.question(isSecret ? "" : question).then(resolve, reject);
    });
  } finally {
    lines.close();
    if (isSecret) process.stderr.write("\n");
  }
}

/** Returns the first line of standard input. */
export async function lineOfInput(): Promise<string> {
  return (await textOf(process.stdin)).split(/\r?\n/)[0] ?? "";
}

/**
 * Says what will happen, and asks for a word as the confirmation. `isSure` skips the question. Throws
 * {@link CommandError} without a confirmation, also where there is no terminal.
 */
export async function confirm(what: string, word: string, isSure: boolean): Promise<void> {
  if (isSure) return;
  if (!isTerminal()) throw usage(`this needs a confirmation: ${what}`, "add --yes if that is what you want");
  process.stderr.write(`${printable(what)}\n`);
  const typed = await ask(`Type ${printable(word)} to go on: `);
  if (typed !== word) throw usage("not confirmed, so nothing happened", `type exactly ${word}, or add --yes`);
}
