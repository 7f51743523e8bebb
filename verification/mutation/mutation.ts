// A mutation is a fault put into a copy of the sources on purpose, with the test file that has to notice it.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { CommandFailure } from "../../scripts/cli/command.ts";

/** Replaces the one place in `file` that reads `find`. */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string };

/** A test file and its vitest project. */
export type Suite = { readonly project: "node" | "workers"; readonly file: string };

export type Mutation = {
  readonly name: string;
  /** What is wrong with it, as a sentence. */
  readonly fault: string;
  readonly edits: readonly Edit[];
  /** The test file that has to turn red. */
  readonly suite: Suite;
  /** The fault makes a caller wait for ever, so a test that runs out of time has noticed it. */
  readonly hangs?: true;
};

/** A test file of the rules, the engine and the mailbox, which run in Node. */
export function inNode(file: string): Suite {
  return { project: "node", file: `test/${file}.test.ts` };
}

/** A test file of the whole Worker, which runs in workerd. */
export function inWorkerd(file: string): Suite {
  return { project: "workers", file: `test/${file}.test.ts` };
}

/** `text` with one edit made. Throws a sentence where the edit does not fit exactly one place. */
export function edited(text: string, { file, find, replace }: Edit, mutation: string): string {
  const parts = text.split(find);
  if (parts.length === 2) return parts.join(replace);
  throw new CommandFailure(`mutation ${mutation} does not fit: \`${find}\` stands ${parts.length - 1} times in ${file}`);
}

/** The texts of the files that a mutation changes, by path. `read` returns a file without the mutation. */
export async function mutatedFiles(mutation: Mutation, read: (file: string) => Promise<string>): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const edit of mutation.edits) {
    texts.set(edit.file, edited(texts.get(edit.file) ?? (await read(edit.file)), edit, mutation.name));
  }
  return texts;
}

/** Applies the mutation to the checkout at `root`. Returns how to undo it. */
export async function applied(mutation: Mutation, root: string): Promise<() => Promise<void>> {
  const before = new Map<string, string>();
  const after = await mutatedFiles(mutation, async (file) => {
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
