// The report: tables, charts and what they were made with, in Markdown.

import { barChart, type Bar } from "./chart.ts";
import { count, fixed } from "./format.ts";
import { growthParts, type Show } from "./growth.ts";
import { laneParts } from "./lanes.ts";
import { BASE, known, summariesOf, type Summary } from "./summary.ts";
import { table } from "./table.ts";
import type { BenchRecord } from "../record.ts";

export type Report = {
  readonly markdown: string;
  /** The charts that it shows, by file name. */
  readonly charts: Readonly<Record<string, string>>;
};

/**
 * The report of a run. The names of its charts begin with `name`, and they are to be found below `chartsAt`.
 */
export function reportOf(record: BenchRecord, name: string, chartsAt: string): Report {
  const charts: Record<string, string> = {};
  function show(purpose: string, title: string, bars: readonly Bar[], format: (value: number) => string): string {
    const file = `${name}-${purpose}.svg`;
    charts[file] = barChart(title, bars, format);
    return `![${title}](${chartsAt}${file})`;
  }
  const parts = [
    foreword(record),
    ...record.settings.connections.flatMap((connections) => rowsParts(summariesOf(record, connections), connections, show)),
    ...laneParts(record.growth),
    ...growthParts(record.growth, show),
    ...legendParts(record),
  ];
  return { markdown: `${parts.join("\n\n")}\n`, charts };
}

function foreword({ at, machine, versions, settings, rows }: BenchRecord): string {
  const stolen = known(rows.flatMap(({ measurements }) => measurements.map((measurement) => measurement.stolen)));
  const lines = [
    `Taken ${at.slice(0, 10)}. Machine: ${named(machine)}. Versions: ${named(versions)}. Load by ${settings.driver}, ${settings.rounds} interleaved rounds of ${settings.seconds} s${pausesOf(settings)}.`,
  ];
  if (stolen !== null && stolen.length > 0) {
    lines.push(
      `While a row was loaded, the hypervisor gave at most ${(Math.max(...stolen) * 100).toFixed(1)} % of the processors to others.`,
    );
  }
  return lines.join(" ");
}

function pausesOf({ pauseMs = 0 }: BenchRecord["settings"]): string {
  return pauseMs === 0 ? "" : `; each connection rests for ${pauseMs} ms between an answer and its next request`;
}

function named(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${value}`)
    .join(", ");
}

function rowsParts(summaries: readonly Summary[], connections: number, show: Show): string[] {
  if (summaries.length === 0) return [];
  const parts = [`### ${count(connections)} connections`, rowsTable(summaries)];
  // A row whose answers stand for many claims each would leave the others no room.
  const single = summaries.filter(({ row }) => row.unitsPerAnswer === 1);
  const rates = single.map(({ row: { name: label, kind }, perSecond, perSecondRange }) => ({
    label,
    kind,
    value: perSecond,
    range: perSecondRange,
  }));
  if (rates.length > 0) parts.push(show(`rate-${connections}`, `Requests a second, ${count(connections)} connections`, rates, count));
  const costs = single.flatMap(({ row: { name: label, kind }, cpuUs, cpuUsRange }) =>
    cpuUs === null || cpuUsRange === null ? [] : [{ label, kind, value: cpuUs, range: cpuUsRange }],
  );
  const title = `CPU µs for each request, of all processes, ${count(connections)} connections`;
  if (costs.length > 0) parts.push(show(`cpu-${connections}`, title, costs, fixed));
  return parts;
}

/** What each row is, and what is missing. */
function legendParts({ rows, skipped }: BenchRecord): string[] {
  const legend = rows.map(({ name, about }) => [`\`${name}\``, about]);
  const missing = skipped.map(({ name, why }) => `- \`${name}\` was skipped: ${why}.`);
  return [
    ...(legend.length > 0 ? ["### The rows", table(["row", "what it is"], legend)] : []),
    ...(missing.length > 0 ? [missing.join("\n")] : []),
  ];
}

function rowsTable(summaries: readonly Summary[]): string {
  const lines = summaries.map(({ row, perSecond, perSecondRange, ratio, p50Ms, p99Ms, cpuUs }) => [
    `\`${row.name}\``,
    count(perSecond),
    perSecondRange.map(count).join(" – "),
    ratio === null ? "" : ratio.toFixed(2),
    p50Ms.toFixed(1),
    p99Ms.toFixed(1),
    cpuUs === null ? "" : fixed(cpuUs),
  ]);
  return table(["row", "a second", "from – to", `of \`${BASE}\``, "p50 ms", "p99 ms", "CPU µs"], lines, 1);
}
