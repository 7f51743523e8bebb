// How far a long run has come: a bar on a terminal, now and then a line elsewhere.

import { Presets, SingleBar } from "cli-progress";

export type Progress = {
  /** Says that `count` of the total are done, and what else is worth knowing. */
  readonly update: (count: number, note?: string) => void;
  /** Takes the bar away. To be called once, also where the run failed. */
  readonly stop: () => void;
};

const LINE_EVERY_MS = 5_000;

/** Starts to show the progress of `label` towards `total`, on standard error. */
export function progressOf(label: string, total: number): Progress {
  return process.stderr.isTTY ? bar(label, total) : lines(label, total);
}

function bar(label: string, total: number): Progress {
  const shown = new SingleBar({ format: `${label} {bar} {value}/{total} {note}`, hideCursor: true, clearOnComplete: true }, Presets.rect);
  shown.start(total, 0, { note: "" });
  return { update: (count, note = "") => shown.update(count, { note }), stop: () => shown.stop() };
}

function lines(label: string, total: number): Progress {
  let saidAt = performance.now();
  return {
    update: (count, note = "") => {
      if (performance.now() - saidAt < LINE_EVERY_MS) return;
      saidAt = performance.now();
      console.error(`${label}: ${count}/${total} ${note}`.trimEnd());
    },
    stop: () => undefined,
  };
}
