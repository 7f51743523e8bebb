// The progress of a long run on standard error: a bar on a terminal, elsewhere a line every few seconds.

import { bar, grouped } from "./format.ts";

const LINE_EVERY_MS = 5_000;

export type Progress = { readonly update: (done: number) => void; readonly stop: () => void };

/** Starts to show a progress towards `total`. It shows nothing if `isQuiet`. */
export function progressOf(total: number, noun: string, isQuiet: boolean): Progress {
  const isLive = process.stderr.isTTY;
  let shownAt = performance.now();
  const said = (done: number): string => `${grouped(done)} of ${grouped(total)} ${noun}`;
  return {
    update(done) {
      if (isQuiet) return;
      if (isLive) process.stderr.write(`\r\u001B[K${bar(done, total, 30)}  ${said(done)}`);
      else if (performance.now() - shownAt >= LINE_EVERY_MS) {
        shownAt = performance.now();
        process.stderr.write(`${said(done)}\n`);
      }
    },
    stop() {
      if (isLive && !isQuiet) process.stderr.write("\r\u001B[K");
    },
  };
}
