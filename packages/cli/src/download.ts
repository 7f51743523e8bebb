// A stream of the server as a file: the whole of it, or none.

import { createWriteStream, renameSync, rmSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { RefusedError } from "../../client/src/operator.ts";
import { CommandError, EXIT, incomplete, usage } from "./failure.ts";
import { writableFile } from "./files.ts";

const ATTEMPTS_MAX = 4;
const WAIT_MS = 500;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

type Stream = ReadableStream<Uint8Array>;

/**
 * Writes a stream into `file`, which is there once it is complete. A stream that breaks off begins anew, up to
 * `ATTEMPTS_MAX`: the next one is of a later instant, so it can't go on where the last one stopped. `checked` passes
 * the bytes on, and may throw. Nothing is left of an incomplete stream, also after a signal. Throws {@link CommandError} or {@link RefusedError}.
 */
export async function download(
  file: string,
  begin: () => Promise<Stream>,
  note: (line: string) => void,
  checked: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array> = (chunks) => chunks,
): Promise<void> {
  const part = `${file}.part`;
  function end(signal: NodeJS.Signals): void {
    rmSync(part, { force: true });
    // Without these handlers, the signal ends the process.
    for (const one of SIGNALS) process.off(one, end);
    process.kill(process.pid, signal);
  }
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    for (let attempt = 1; ; attempt += 1) {
      const fd = writableFile(part);
      const chunks = Readable.fromWeb(await begin());
      const failed = await pipeline(checked(chunks), createWriteStream(part, { fd, flush: true })).then(() => null, failureOf);
      if (failed === null) break;
      if (failed.exitCode !== EXIT.unknown || attempt === ATTEMPTS_MAX) throw failed;
      note(`${failed.message}: begins again`);
      await sleep(WAIT_MS * attempt);
    }
    renameSync(part, file);
  } finally {
    rmSync(part, { force: true });
    for (const signal of SIGNALS) process.off(signal, end);
  }

  function failureOf(cause: unknown): CommandError {
    if (cause instanceof CommandError) return cause;
    if (!(cause instanceof RefusedError))
      return usage(`${file} can't be written: ${sentenceOf(cause)}`, "make room for it, and run it again");
    return incomplete(`the stream broke off (${sentenceOf(cause.cause)}), so ${file} was not written`, "run it again");
  }
}

/** Writes a stream to standard output, which can't take anything back. So a stream that breaks off is a failure. */
export async function print(stream: Stream): Promise<void> {
  await pipeline(Readable.fromWeb(stream), process.stdout, { end: false }).catch((cause: unknown) => {
    const why = sentenceOf(cause instanceof RefusedError ? cause.cause : cause);
    throw incomplete(
      `the stream broke off (${why}), so what was written is not complete`,
      "run it again with --out FILE, which repeats it",
    );
  });
}

function sentenceOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
