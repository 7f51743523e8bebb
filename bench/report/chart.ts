// Bar charts as SVG, made by hand.

import type { RowKind } from "../record.ts";

export type Bar = {
  readonly label: string;
  readonly value: number;
  /** The smallest and the largest of the values that `value` is the median of. */
  readonly range: readonly [number, number];
  readonly kind: RowKind;
};

const WIDTH = 760;
const LABEL_WIDTH = 190;
const VALUE_WIDTH = 80;
const BAR_HEIGHT = 18;
const STEP = 28;
const TOP = 40;
const LEGEND_STEP = 110;
/** From the middle of a line of text down to where its letters stand. */
const BASELINE = 4.5;
const COLORS = { bound: "#afb8c1", product: "#1f6feb", peer: "#d4792a" } as const satisfies Record<RowKind, string>;
const NAMES = { bound: "bounds", product: "this product", peer: "peers" } as const satisfies Record<RowKind, string>;
/** Read on white as well as on black. */
const TEXT_COLOR = "#6e7781";

/** One horizontal bar for each value, with a thin line from its smallest measurement to its largest. */
export function barChart(title: string, bars: readonly Bar[], format: (value: number) => string): string {
  const largest = Math.max(...bars.flatMap(({ value, range }) => [value, range[1]]), Number.MIN_VALUE);
  const scale = (value: number): number => (value / largest) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH);
  const height = TOP + bars.length * STEP + 8;
  const lines = bars.map(({ label, value, range, kind }, index) => {
    const y = TOP + index * STEP;
    const middle = y + BAR_HEIGHT / 2;
    const [from, to] = range.map((at) => (LABEL_WIDTH + scale(at)).toFixed(1));
    const end = LABEL_WIDTH + scale(Math.max(value, range[1])) + 8;
    return [
      text(LABEL_WIDTH - 10, middle, "end", label),
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${scale(value).toFixed(1)}" height="${BAR_HEIGHT}" rx="2" fill="${COLORS[kind]}"/>`,
      `<line x1="${from}" y1="${middle}" x2="${to}" y2="${middle}" stroke="${TEXT_COLOR}" stroke-width="2"/>`,
      text(end, middle, "start", format(value)),
    ].join("\n");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>${escaped(title)}</title>
<text x="0" y="18" fill="${TEXT_COLOR}" font-weight="600">${escaped(title)}</text>
${[...legend(bars), ...lines].join("\n")}
</svg>
`;
}

/** What the colors mean, where there is more than one. */
function legend(bars: readonly Bar[]): string[] {
  const kinds = [...new Set(bars.map(({ kind }) => kind))];
  if (kinds.length === 1) return [];
  return kinds.map((kind, index) => {
    const x = WIDTH - (kinds.length - index) * LEGEND_STEP;
    return `<rect x="${x}" y="8" width="10" height="10" rx="2" fill="${COLORS[kind]}"/>\n${text(x + 16, 13, "start", NAMES[kind])}`;
  });
}

/** A line of text around the height `middle`. */
function text(x: number, middle: number, anchor: "start" | "end", content: string): string {
  return `<text x="${x.toFixed(1)}" y="${middle + BASELINE}" text-anchor="${anchor}" fill="${TEXT_COLOR}">${escaped(content)}</text>`;
}

/** Text for SVG. */
export function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
