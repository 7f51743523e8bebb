// The sale over time, as an SVG picture.

import type { Forecast, Moment } from "./queue.ts";

const WIDTH = 720;
const HEIGHT = 260;
const LEFT = 70;
const BOTTOM = 40;
const SERIES = [
  { label: "arriving", colour: "#8a8f98", of: (moment: Moment) => moment.arrived * 10 },
  { label: "judged by the object", colour: "#2563eb", of: (moment: Moment) => moment.judged * 10 },
  { label: "refused at the edge", colour: "#16a34a", of: (moment: Moment) => moment.refusedAtEdge * 10 },
  { label: "asked to come back", colour: "#dc2626", of: (moment: Moment) => moment.turnedAway * 10 },
] as const;

/** Requests a second over the time of the sale, one line for each thing that can become of them. */
export function chart({ moments, soldOutAtMs }: Forecast, title: string): string {
  const most = Math.max(1, ...moments.flatMap((moment) => SERIES.map(({ of }) => of(moment))));
  const lastMs = Math.max(1, moments.at(-1)?.atMs ?? 1);
  const x = (ms: number): string => (LEFT + (ms / lastMs) * (WIDTH - LEFT - 20)).toFixed(1);
  const y = (value: number): string => (HEIGHT - BOTTOM - (value / most) * (HEIGHT - BOTTOM - 50)).toFixed(1);
  const lines = SERIES.filter(({ of }) => moments.some((moment) => of(moment) > 0)).map(({ label, colour, of }, index) => {
    const points = moments.map((moment) => `${x(moment.atMs)},${y(of(moment))}`).join(" ");
    const legend = `<text x="${LEFT + index * 155}" y="38" fill="${colour}">${label}</text>`;
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points}"/>${legend}`;
  });
  const soldOut =
    soldOutAtMs === null || soldOutAtMs > lastMs
      ? ""
      : `<line x1="${x(soldOutAtMs)}" x2="${x(soldOutAtMs)}" y1="50" y2="${HEIGHT - BOTTOM}" stroke="#111" stroke-dasharray="4 3"/><text x="${x(soldOutAtMs)}" y="${HEIGHT - 8}" text-anchor="middle">sold out</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/><text x="${LEFT}" y="18" font-weight="bold">${escaped(title)}</text>`,
    `<text x="${LEFT - 6}" y="${y(most)}" text-anchor="end">${Math.round(most).toLocaleString("en")}</text>`,
    `<text x="${LEFT - 6}" y="${y(0)}" text-anchor="end">0</text><text x="6" y="${HEIGHT / 2}">a second</text>`,
    `<line x1="${LEFT}" x2="${WIDTH - 20}" y1="${y(0)}" y2="${y(0)}" stroke="#ccc"/>`,
    `<text x="${LEFT}" y="${HEIGHT - 24}">0 s</text><text x="${WIDTH - 20}" y="${HEIGHT - 24}" text-anchor="end">${(lastMs / 1000).toFixed(1)} s</text>`,
    ...lines,
    soldOut,
    "</svg>\n",
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
