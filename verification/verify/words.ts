// Findings in words.

/** How many findings are printed in full. */
const SHOWN_MAX = 3;
// JSON leaves these as they are, and a terminal obeys them.
const CONTROL_CHARACTERS = /[\u007F-\u009F]/g;

/** A text from a file or an answer, escaped so that it can't control a terminal. */
export function quoted(text: unknown): string {
  return JSON.stringify(String(text)).replaceAll(CONTROL_CHARACTERS, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

/** An instant in milliseconds as the API writes it. Anything else stays as it is. */
export function instant(at: unknown): string {
  const date = new Date(typeof at === "number" ? at : Number.NaN);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
}

/** "1 claim", "2 claims". */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** The first few faults, and how many more there are. */
export function listed(faults: readonly string[]): string {
  const rest = faults.length - SHOWN_MAX;
  return faults.slice(0, SHOWN_MAX).join("; ") + (rest > 0 ? `; and ${rest} more` : "");
}
