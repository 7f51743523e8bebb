// The burn-down chart of a sale, with the same in words and as a table.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";

import { clock, count, instant } from "../format.ts";
import { spread, type Point } from "./points.ts";

const HEIGHT = 260;
const TABLE_ROWS_MAX = 8;
const DAY_SECONDS = 86_400;
/** Units are whole, so the steps of their axis are. */
const STEPS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((power) => [1, 2, 5].map((one) => one * 10 ** power));

/** The chart's colours, from CSS variables of the page. A canvas can't read them itself. */
const COLOURS = {
  line: "var(--accent)",
  fill: "color-mix(in srgb, var(--accent) 14%, transparent)",
  text: "var(--muted)",
  grid: "var(--line)",
} as const;

/** With forced colours, the browser makes one colour of all that the page chooses, also of transparent ones. */
const FORCED = matchMedia("(forced-colors: active)");
const FORCED_COLOURS = { line: "Highlight", fill: "transparent", text: "CanvasText", grid: "GrayText" } as const satisfies Record<
  keyof typeof COLOURS,
  string
>;

function colourOf(probe: HTMLElement, name: keyof typeof COLOURS): string {
  if (FORCED.matches) return FORCED_COLOURS[name];
  probe.style.color = COLOURS[name];
  return getComputedStyle(probe).color;
}

function optionsFor(colour: (name: keyof typeof COLOURS) => string, width: number, show: (index: number | null) => void): uPlot.Options {
  const axis = {
    stroke: () => colour("text"),
    grid: { stroke: () => colour("grid"), width: 1 },
    ticks: { show: false },
    font: "13px system-ui",
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false, x: false, y: false } },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(max, 1) * 1.04] } },
    axes: [
      { ...axis, size: 34, space: 80, values: (_plot, splits, _axis, _space, step) => splits.map((at) => tickText(at, step)) },
      {
        ...axis,
        size: 64,
        incrs: STEPS,
        values: (_plot, splits) => splits.map((value) => count(value)),
      },
    ],
    series: [
      {},
      {
        stroke: () => colour("line"),
        width: 2,
        fill: () => colour("fill"),
        points: { show: false },
      },
    ],
    hooks: { setCursor: [(plot) => show(plot.cursor.idx ?? null)] },
  };
}

function tickText(at: number, step: number): string {
  if (step >= DAY_SECONDS) return new Date(at * 1_000).toLocaleDateString("en", { day: "numeric", month: "short" });
  const time = clock(at * 1_000);
  return step >= 60 ? time.slice(0, -3) : time;
}

export type ChartProps = { readonly points: readonly Point[]; readonly amount: number };

/** What is left over time. Held units count as left. Earlier stocks are shown as if they were today's. */
export function Chart({ points, amount }: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const probe = useRef<HTMLSpanElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [index, setIndex] = useState<number | null>(null);
  const hasChart = points.length > 1;

  useEffect(() => {
    if (!hasChart || place.current === null || probe.current === null) return undefined;
    const { current: box } = place;
    const { current: span } = probe;
    const made = new uPlot(
      optionsFor((name) => colourOf(span, name), box.clientWidth, setIndex),
      [[], []],
      box,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: HEIGHT }));
    resized.observe(box);
    const schemes = [matchMedia("(prefers-color-scheme: dark)"), FORCED];
    const redraw = (): void => made.redraw();
    for (const scheme of schemes) scheme.addEventListener("change", redraw);
    return () => {
      for (const scheme of schemes) scheme.removeEventListener("change", redraw);
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [hasChart]);

  useEffect(
    () => plot.current?.setData([points.map(({ at }) => at / 1_000), points.map(({ claimed }) => amount - claimed)]),
    [points, amount],
  );

  const pointed = index === null ? undefined : points[index];
  return (
    <figure class="card chart">
      <h2>Units left over time</h2>
      <p class="muted small">{chartSentence(points, amount)}</p>
      <span ref={probe} hidden />
      <div ref={place} aria-hidden="true" class="plot" />
      {hasChart ? (
        <>
          <p class="muted small readout" aria-hidden="true">
            {pointed === undefined ? "Point at the chart to read it." : `${instant(pointed.at)}: ${count(amount - pointed.claimed)} left`}
          </p>
          <Table points={spread(points, TABLE_ROWS_MAX)} amount={amount} />
        </>
      ) : null}
    </figure>
  );
}

function chartSentence(points: readonly Point[], amount: number): string {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length < 2)
    return "Nothing is claimed yet. The chart begins with the first claim.";
  const left = amount - last.claimed;
  return `${count(last.claimed)} of ${count(amount)} claimed since ${instant(first.at)}. ${count(left)} left, held ones too.`;
}

function Table({ points, amount }: ChartProps): JSX.Element {
  const ms = (points.at(-1)?.at ?? 0) - (points[0]?.at ?? 0);
  const timeText = ms < DAY_SECONDS * 1_000 ? clock : instant;
  return (
    <details>
      <summary>The chart as a table</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col" class="number">
              Claimed
            </th>
            <th scope="col" class="number">
              Left
            </th>
          </tr>
        </thead>
        <tbody>
          {points.map(({ at, claimed }) => (
            <tr key={at}>
              <td>{timeText(at)}</td>
              <td class="number">{count(claimed)}</td>
              <td class="number">{count(amount - claimed)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
