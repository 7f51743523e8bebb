// What a mutant is: a fault put into a copy of the sources on purpose, and the tests that have to notice it.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { CommandFailure } from "../cli/command.ts";

/** Replaces the one place in `file` that reads `find`. */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string };

/** Test files of one vitest project; with `named`, only the tests whose full names contain one of these. */
export type Suite = { readonly project: "node" | "workers"; readonly files: readonly string[]; readonly named?: readonly string[] };

export type Mutant = {
  readonly name: string;
  /** What is wrong with it, as a sentence. */
  readonly fault: string;
  readonly edits: readonly Edit[];
  /** The narrowest suite that has to turn red. */
  readonly suite: Suite;
  /** The fault makes a caller wait for ever: it is noticed by a test that runs out of time. */
  readonly hangs?: true;
};

/** A file of the tests of the engine, the rules and the queue, which run in Node. */
export function inNode(file: string): Suite {
  return { project: "node", files: [`test/${file}.test.ts`] };
}

/** A file of the tests of the whole Worker, which run in workerd; where it takes long, what the name of the test contains. */
export function inWorkerd(file: string, named?: string): Suite {
  const files = [`test/${file}.test.ts`];
  return { project: "workers", files, ...(named === undefined ? {} : { named: [named] }) };
}

/** `text` with one edit made. Throws a sentence that names the mutant where the edit does not fit exactly one place. */
export function edited(text: string, { file, find, replace }: Edit, mutant: string): string {
  const parts = text.split(find);
  if (parts.length === 2) return parts.join(replace);
  const places = parts.length === 1 ? "is nowhere" : `is ${parts.length - 1} times`;
  throw new CommandFailure(`the mutant ${mutant} does not apply any more: \`${find}\` ${places} in ${file}`);
}

/** The texts of the files that a mutant changes, by path. `read` answers a file as it is without the mutant. */
export async function mutatedFiles(mutant: Mutant, read: (file: string) => Promise<string>): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const edit of mutant.edits) {
    texts.set(edit.file, edited(texts.get(edit.file) ?? (await read(edit.file)), edit, mutant.name));
  }
  return texts;
}

/** Puts the mutant into the checkout at `root`. Answers how to take it out again. */
export async function applied(mutant: Mutant, root: string): Promise<() => Promise<void>> {
  const before = new Map<string, string>();
  const after = await mutatedFiles(mutant, async (file) => {
    const text = await readFile(join(root, file), "utf8");
    before.set(file, text);
    return text;
  });
  await writeAll(root, after);
  return () => writeAll(root, before);
}

async function writeAll(root: string, texts: ReadonlyMap<string, string>): Promise<void> {
  for (const [file, text] of texts) await writeFile(join(root, file), text);
}
