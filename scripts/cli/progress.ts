// The progress of a long run: a bar on a terminal, elsewhere a line every few seconds.

import { Presets, SingleBar } from "cli-progress";

export type Progress = {
  /** Shows that `count` of the total are done, with a note. */
  readonly update: (count: number, note?: string) => void;
  /** Removes the bar. Call it once, also after a failure. */
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
