// The sale over time as an SVG picture.

import { escaped } from "../report/chart.ts";
import type { Forecast, Moment } from "./queue.ts";

const WIDTH = 720;
const HEIGHT = 260;
const LEFT = 70;
const RIGHT = WIDTH - 20;
const TOP = 50;
const BOTTOM = HEIGHT - 40;
const SERIES = [
  { label: "arriving", color: "#8a8f98", of: (moment: Moment) => moment.arrived * 10 },
  { label: "judged by the object", color: "#2563eb", of: (moment: Moment) => moment.judged * 10 },
  { label: "refused at the edge", color: "#16a34a", of: (moment: Moment) => moment.refusedAtEdge * 10 },
  { label: "asked to come back", color: "#dc2626", of: (moment: Moment) => moment.turnedAway * 10 },
] as const;

/** Requests a second over the time of the sale, one line for each outcome. */
export function chart({ moments, soldOutAtMs }: Forecast, title: string): string {
  const most = Math.max(1, ...moments.flatMap((moment) => SERIES.map(({ of }) => of(moment))));
  const lastMs = Math.max(1, moments.at(-1)?.atMs ?? 1);
  const x = (ms: number): string => (LEFT + (ms / lastMs) * (RIGHT - LEFT)).toFixed(1);
  const y = (value: number): string => (BOTTOM - (value / most) * (BOTTOM - TOP)).toFixed(1);
  const lines = SERIES.flatMap(({ label, color, of }, index) => [
    `<polyline fill="none" stroke="${color}" stroke-width="1.5" points="${moments.map((moment) => `${x(moment.atMs)},${y(of(moment))}`).join(" ")}"/>`,
    `<text x="${LEFT + index * 155}" y="38" fill="${color}">${label}</text>`,
  ]);
  const soldOut = soldOutAtMs === null || soldOutAtMs > lastMs ? null : x(soldOutAtMs);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/><text x="${LEFT}" y="18" font-weight="bold">${escaped(title)}</text>
<text x="${LEFT - 6}" y="${TOP}" text-anchor="end">${Math.round(most).toLocaleString("en")}</text>
<text x="${LEFT - 6}" y="${BOTTOM}" text-anchor="end">0</text><text x="6" y="${HEIGHT / 2}">a second</text>
<line x1="${LEFT}" x2="${RIGHT}" y1="${BOTTOM}" y2="${BOTTOM}" stroke="#ccc"/>
<text x="${LEFT}" y="${HEIGHT - 24}">0 s</text><text x="${RIGHT}" y="${HEIGHT - 24}" text-anchor="end">${(lastMs / 1000).toFixed(1)} s</text>
${lines.join("\n")}
${soldOut === null ? "" : `<line x1="${soldOut}" x2="${soldOut}" y1="${TOP}" y2="${BOTTOM}" stroke="#111" stroke-dasharray="4 3"/>`}
${soldOut === null ? "" : `<text x="${soldOut}" y="${HEIGHT - 8}" text-anchor="middle">sold out</text>`}
</svg>
`;
}
