// The stream of a sale's snapshots: Server-Sent Events over fetch, with reconnects.

import { refusalIn, waitMs } from "./answer.ts";
import { pause, prepare, type Options, type Request } from "./call.ts";
import { jsonIn, parsed } from "./json.ts";
import type { Refusal, SaleState, Status } from "./types.ts";

export type WatchEvent =
  | { readonly type: "status"; readonly status: Status }
  /** It comes before the status in which the state changes. It can come twice. */
  | { readonly type: "state"; readonly from: SaleState; readonly to: SaleState; readonly seq: number }
  /** The coupon was deleted, or does not exist. It is the last event. */
  | { readonly type: "deleted" };

export type WatchOptions = {
  readonly signal?: AbortSignal;
  /** The `seq` of the last status that was seen. Nothing older comes. */
  readonly lastSeq?: number;
};

/** Thrown where a value can't be returned: by iterators. */
export class RefusedError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.error);
    this.name = "RefusedError";
    this.refusal = refusal;
  }
}

/** The server sends at least a comment every 15 seconds. */
const SILENCE_MS_MAX = 45_000;
const RECONNECT_MS = 2_000;

/**
 * Yields the snapshots of a sale until it is deleted or the signal is aborted. Reconnects by itself. Throws
 * {@link RefusedError} if the server refuses for another reason.
 */
export async function* watch(options: Options, name: string, { signal, lastSeq }: WatchOptions = {}): AsyncGenerator<WatchEvent, void> {
  const { sleep = pause, random = Math.random } = options;
  const isAborted = (): boolean => signal?.aborted === true;
  let lastId = lastSeq === undefined ? undefined : String(lastSeq);
  for (let failures = 0; !isAborted(); failures += 1) {
    const aborting = new AbortController();
    const abort = (): void => aborting.abort();
    signal?.addEventListener("abort", abort);
    try {
      const headers = { Accept: "text/event-stream", "Last-Event-ID": lastId };
      const request: Request = { method: "GET", path: ["coupons", name, "events"], headers, effect: "read", isPublic: true };
      const response = await within((await prepare(options, request))(aborting.signal), abort);
      const refusal = response.ok ? null : refusalIn(response.status, jsonIn(await response.text()));
      if (refusal?.code === "coupon_not_found") {
        yield { type: "deleted" };
        return;
      }
      if (refusal !== null && response.status < 429) throw new RefusedError(refusal);
      for await (const block of response.ok ? blocksOf(response, abort) : []) {
        failures = -1;
        lastId = block.id ?? lastId;
        const event = eventIn(block);
        if (event !== null) yield event;
        if (event?.type === "deleted") return;
      }
    } catch (cause) {
      if (cause instanceof RefusedError) throw cause;
    } finally {
      signal?.removeEventListener("abort", abort);
      abort();
    }
    if (isAborted()) return;
    await sleep(waitMs(failures + 1, RECONNECT_MS, random()), signal).catch(() => undefined);
  }
}

/** Resolves as `waited` does. Calls `abort` if it takes too long. */
async function within<T>(waited: Promise<T>, abort: () => void): Promise<T> {
  const timer = setTimeout(abort, SILENCE_MS_MAX);
  try {
    return await waited;
  } finally {
    clearTimeout(timer);
  }
}

async function* blocksOf(response: Response, abort: () => void): AsyncGenerator<Block> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const utf8 = new TextDecoder();
  const parse = blockParser();
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), abort);
      if (done) return;
      yield* parse(utf8.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** One event of a stream, as it is written. */
export type Block = { readonly event: string; readonly data: string; readonly id?: string };

/** Returns a function that takes the stream piece by piece, and returns the blocks that are complete. */
export function blockParser(): (piece: string) => Block[] {
  let rest = "";
  return (piece) => {
    // A \r at the end may be the first half of a line's end.
    const [, whole = "", kept = ""] = /^([^]*?)(\r?)$/.exec(rest + piece) ?? [];
    const blocks = whole.replaceAll(/\r\n?/g, "\n").split("\n\n");
    rest = (blocks.pop() ?? "") + kept;
    return blocks.flatMap(blockIn);
  };
}

function blockIn(text: string): Block[] {
  const fields: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    fields[name] = name === "data" && fields["data"] !== undefined ? `${fields["data"]}\n${value}` : value;
  }
  const { event = "message", data, id } = fields;
  return data === undefined ? [] : [{ event, data, ...(id === undefined ? {} : { id }) }];
}

function eventIn({ event, data }: Block): WatchEvent | null {
  switch (event) {
    case "message":
      return { type: "status", status: parsed<Status>(data) };
    case "state":
      return { type: "state", ...parsed<{ from: SaleState; to: SaleState; seq: number }>(data) };
    case "deleted":
      return { type: "deleted" };
    default:
      return null;
  }
}
