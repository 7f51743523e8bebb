// Backups that clients have downloaded, and what they restore of them.

/** Names a backup in a history. */
export function backupName({ epoch, seq }: { readonly epoch: string; readonly seq: number }): string {
  return `${epoch} up to ${seq}`;
}

/** A part of a backup as a client sends it. */
export type Part = { readonly backup: string; readonly text: string };

export class Backups {
  #last: string | null = null;

  /** A client has downloaded a backup. */
  add(text: string): void {
    this.#last = text;
  }

  /** Returns one of `of` parts of the last backup, whole lines each; null without a backup. */
  part(part: number, of: number): Part | null {
    if (this.#last === null) return null;
    const lines = this.#last.split(/(?<=\n)/);
    const [from, until] = [part - 1, part].map((count) => Math.floor((lines.length * count) / of));
    const backup = backupName(JSON.parse(lines.at(-1) ?? "") as { readonly epoch: string; readonly seq: number });
    return { backup, text: lines.slice(from, until).join("") };
  }
}
