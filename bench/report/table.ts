// Tables in Markdown that are also tables on a terminal.

/** A table whose columns from `numbersFrom` on are set to the right; none where it is left out. */
export function table(head: readonly string[], lines: readonly (readonly string[])[], numbersFrom: number = Infinity): string {
  const widths = head.map((title, column) => Math.max(title.length, 3, ...lines.map((cells) => cells[column]?.length ?? 0)));
  function lineOf(cells: readonly string[]): string {
    const padded = widths.map((width, column) => {
      const cell = cells[column] ?? "";
      return column >= numbersFrom ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${padded.join(" | ")} |`;
  }
  const rule = widths.map((width, column) => (column >= numbersFrom ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [lineOf(head), `| ${rule.join(" | ")} |`, ...lines.map(lineOf)].join("\n");
}
