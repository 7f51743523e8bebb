// A sale over time as an SVG picture, for a light and a dark page.

import { escaped } from "../report/chart.ts";
import { settingText } from "./advice.ts";
import type { Moment } from "./forecast.ts";
import { ms, type Tried } from "./report.ts";

const WIDTH = 760;
const LEFT = 56;
const RIGHT = WIDTH - 16;
const TOP = 64;
const PLOT = 150;
const PANEL = PLOT + 70;
/** How much of the time of the first setting is shown. */
const PART = 1.2;
/** A tick for each power of ten from 10 on: a sale's rates span five of them. */
const LEAST = 10;
const TENTHS = 10;

const SERIES = [
  { name: "sent", of: (moment: Moment) => moment.sent },
  { name: "judged", of: (moment: Moment) => moment.judged },
  { name: "refused at the edge", of: (moment: Moment) => moment.refusedAtEdge },
  { name: "asked to come back", of: (moment: Moment) => moment.turnedAway },
] as const;

/** Each pair has a contrast of at least 4.5 to its background. */
const STYLE = `text{fill:#424a53}.back{fill:#fff}.grid{stroke:#d0d7de}.sold{stroke:#424a53;stroke-dasharray:4 3}
.s0{--c:#6e7781}.s1{--c:#0969da}.s2{--c:#1a7f37}.s3{--c:#cf222e}polyline{stroke:var(--c);fill:none;stroke-width:2}text.key{fill:var(--c);font-weight:600}
@media(prefers-color-scheme:dark){text{fill:#d1d7e0}.back{fill:#0d1117}.grid{stroke:#3d444d}.sold{stroke:#d1d7e0}
.s0{--c:#9198a1}.s1{--c:#58a6ff}.s2{--c:#3fb950}.s3{--c:#ff7b72}}`;

/** Claims a second over time, on a logarithmic scale, with one panel for each setting of lanes. */
export function chart(title: string, trials: readonly Tried[]): string {
  const [first] = trials;
  // The end of an overloaded sale is long, and nothing new happens there.
  const toMs = PART * (first?.result.endedAtMs ?? 0);
  const all = trials.flatMap(({ result }) => result.moments.filter(({ atMs }) => atMs <= toMs));
  const most = Math.max(LEAST * 10, ...all.flatMap((moment) => SERIES.map(({ of }) => of(moment) * TENTHS)));
  const span = { most: 10 ** Math.ceil(Math.log10(most)), fromMs: all[0]?.atMs ?? 0, toMs };
  const height = TOP + trials.length * PANEL;
  const keys = SERIES.map(({ name }, index) => `<text class="key s${index}" x="${LEFT + index * 170}" y="42">${name}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<rect class="back" width="${WIDTH}" height="${height}"/>
<text x="${LEFT}" y="20" font-weight="600">${escaped(title)}</text>
${keys.join("\n")}
${trials.map((trial, index) => panel(trial, TOP + index * PANEL, span)).join("\n")}
</svg>
`;
}

type Span = { readonly most: number; readonly fromMs: number; readonly toMs: number };

function panel({ lanes, result }: Tried, top: number, { most, fromMs, toMs }: Span): string {
  const bottom = top + 24 + PLOT;
  const x = (atMs: number): string => (LEFT + ((atMs - fromMs) / (toMs - fromMs)) * (RIGHT - LEFT)).toFixed(1);
  const y = (perSecond: number): string =>
    (bottom - (Math.log10(Math.max(perSecond, LEAST) / LEAST) / Math.log10(most / LEAST)) * PLOT).toFixed(1);
  const ticks: string[] = [];
  for (let tick = LEAST; tick <= most; tick *= 10) {
    ticks.push(`<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${y(tick)}" y2="${y(tick)}"/>`);
    ticks.push(`<text x="${LEFT - 6}" y="${Number(y(tick)) + 4}" text-anchor="end">${short(tick)}</text>`);
  }
  const stepMs = Math.max(100, 10 ** Math.floor(Math.log10(toMs - fromMs)) / 5);
  const times = Array.from({ length: Math.floor((toMs - fromMs) / stepMs) }, (_, step) => (Math.ceil(fromMs / stepMs) + step) * stepMs);
  const labels = times.map((at) => `<text x="${x(at)}" y="${bottom + 18}" text-anchor="middle">${at / 1000} s</text>`);
  const lines = SERIES.flatMap(({ of }, index) => {
    const shown = result.moments.filter(({ atMs }) => atMs <= toMs);
    // A point that its neighbours repeat adds nothing.
    const heights = shown.map((moment) => y(of(moment) * TENTHS));
    const isTurn = (at: number): boolean => heights[at - 1] !== heights[at] || heights[at + 1] !== heights[at];
    const points = shown.flatMap(({ atMs }, at) => (isTurn(at) ? [`${x(atMs)},${heights[at] ?? ""}`] : []));
    return shown.some((moment) => of(moment) > 0) ? [`<polyline class="s${index}" points="${points.join(" ")}"/>`] : [];
  });
  const { soldOutAtMs, winners } = result;
  const soldOut =
    soldOutAtMs === null || soldOutAtMs > toMs
      ? ""
      : `<line class="sold" x1="${x(soldOutAtMs)}" x2="${x(soldOutAtMs)}" y1="${top + 24}" y2="${bottom}"/>`;
  const ended = soldOutAtMs === null ? "not sold out" : `sold out after ${ms(soldOutAtMs)}`;
  const head = `LANES=${settingText(lanes)}: ${ended}, 99 in 100 winners wait at most ${ms(winners.p99Ms)} (claims a second, logarithmic)`;
  return [`<text x="${LEFT}" y="${top + 10}">${escaped(head)}</text>`, ...ticks, ...labels, ...lines, soldOut].join("\n");
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : String(value);
}
