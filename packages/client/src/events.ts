// The stream of a sale's snapshots: Server-Sent Events over fetch, with reconnects.

import { refusalIn, waitMs } from "./answer.ts";
import { pause, prepare, within, type Options, type Request } from "./call.ts";
import { statusOf } from "./checks.ts";
import { jsonIn } from "./json.ts";
import type { Refusal, SaleState, Status } from "./types.ts";

export type WatchEvent =
  | { readonly type: "status"; readonly status: Status }
  /** It comes before the status in which the state changed. */
  | { readonly type: "state"; readonly from: SaleState; readonly to: SaleState; readonly seq: number }
  /** The coupon was deleted, or does not exist. It is the last event. */
  | { readonly type: "deleted" };

export type WatchOptions = {
  readonly signal?: AbortSignal;
  /** The `seq` of the last status that was seen. The first status is not older. */
  readonly lastSeq?: number;
};

/** Thrown where a value can't be returned: by iterators and streams. `cause` is why there was no answer. */
export class RefusedError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal, cause?: unknown) {
    super(refusal.error, { cause });
    this.name = "RefusedError";
    this.refusal = refusal;
  }
}

const RECONNECT_MS = 2_000;

/**
 * Returns what a snapshot adds to the last one: a change of the state, and the snapshot. The server ends each stream
 * now and then, and the next one begins with what is known already, or behind another isolate with less.
 */
export function newsIn(last: Status | null, status: Status): WatchEvent[] {
  const news: WatchEvent = { type: "status", status };
  if (last === null) return [news];
  const { seq, epoch, state, server_time: at } = status;
  // Time alone can change the state. A new coupon of the same name counts from 1 again.
  const isNews =
    epoch === last.epoch && seq !== last.seq ? seq > last.seq : at >= last.server_time && (epoch !== last.epoch || state !== last.state);
  if (!isNews) return [];
  return state === last.state ? [news] : [{ type: "state", from: last.state, to: state, seq }, news];
}

/**
 * Yields the snapshots of a sale until it is deleted or the signal is aborted, each once. Reconnects by itself.
 * Throws {@link RefusedError} if the server refuses for another reason.
 */
export async function* watch(options: Options, name: string, { signal, lastSeq }: WatchOptions = {}): AsyncGenerator<WatchEvent, void> {
  const { sleep = pause, random = Math.random } = options;
  const isAborted = (): boolean => signal?.aborted === true;
  const isStatus = statusOf(name);
  let last: Status | null = null;
  for (let failures = 0; !isAborted(); failures += 1) {
    const aborting = new AbortController();
    const abort = (): void => aborting.abort();
    signal?.addEventListener("abort", abort);
    try {
      const headers = { Accept: "text/event-stream", "Last-Event-ID": (last?.seq ?? lastSeq)?.toString() };
      const request: Request = { method: "GET", path: ["coupons", name, "events"], headers, effect: "read", isPublic: true };
      const response = await within((await prepare(options, request))(aborting.signal), abort);
      const refusal = response.ok ? null : refusalIn(response.status, jsonIn(await within(response.text(), abort)));
      if (refusal?.code === "coupon_not_found") {
        yield { type: "deleted" };
        return;
      }
      if (refusal !== null && response.status < 429 && response.status !== 408) throw new RefusedError(refusal);
      for await (const { event, data } of response.ok ? blocksOf(response, abort) : []) {
        const status = event === "message" ? jsonIn(data) : null;
        if (event === "deleted") yield { type: "deleted" };
        if (event === "deleted") return;
        if (!isStatus(status)) continue;
        failures = -1;
        yield* newsIn(last, status);
        last = newsIn(last, status).length > 0 ? status : last;
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
export type Block = { readonly event: string; readonly data: string };

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
  const { event = "message", data } = fields;
  return data === undefined ? [] : [{ event, data }];
}
