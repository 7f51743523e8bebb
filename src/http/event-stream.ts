// The stream of snapshots for one viewer, as Server-Sent Events.

import { SNAPSHOT_MS_MAX, STREAM_HEARTBEAT_MS, STREAM_POLL_MS, STREAM_RETRY_MS } from "../domain/limits.ts";
import type { SaleState } from "../domain/coupon.ts";
import type { Found } from "../domain/rpc.ts";
import type { Worker } from "../edge/env.ts";
import { countViewer, scheduleReport } from "../edge/request-meter.ts";
import { readForStream } from "../edge/snapshots.ts";
import * as wire from "../wire.ts";

/**
 * Streams the coupon `name` to one viewer, beginning with `first`. `lastState` is the state that the viewer
 * saw before it reconnected. The stream ends when the viewer leaves, when the coupon is deleted, or after the
 * most reads that one request may make. Then the viewer reconnects by itself.
 */
export function eventStream(worker: Worker, name: string, first: Found, lastState: SaleState): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isEnded = false;
  let sent = first;
  let sentAt = Date.now();
  let messageAt = Date.now();
  let readCount = 0;

  function end(): void {
    if (isEnded) return;
    isEnded = true;
    countViewer(-1);
    clearTimeout(timer ?? null);
  }

  return new ReadableStream<Uint8Array>({
    start(controller) {
      countViewer(1);
      send(`${RECONNECT}${stateChange(lastState, first)}${message(first)}`);
      timer = setTimeout(sendChanges, STREAM_POLL_MS);

      function send(text: string): void {
        controller.enqueue(utf8.encode(text));
        sentAt = Date.now();
      }

      async function sendChanges(): Promise<void> {
        const { result, hasRead } = await readForStream(worker, name);
        if (isEnded) return;
        if (hasRead) readCount += 1;
        // A report is a subrequest of this stream too.
        if (scheduleReport(worker)) readCount += 1;
        const isDeleted = result?.ok === false && result.code === "coupon_not_found";
        if (isDeleted || readCount >= worker.env.STREAM_LOOKS_MAX) {
          if (isDeleted) send("event: deleted\ndata: {}\n\n");
          end();
          controller.close();
          return;
        }
        const now = result?.ok === true ? result : sent;
        // A slow viewer skips snapshots, and gets the latest one when there is room.
        const hasRoom = (controller.desiredSize ?? 0) > 0;
        const isDue = Date.now() - messageAt >= SNAPSHOT_MS_MAX;
        if (hasRoom && isDue && isNewer(now, sent)) {
          messageAt = Date.now();
          send(`${stateChange(sent.coupon.state, now)}${message(now)}`);
          sent = now;
        } else if (hasRoom && Date.now() - sentAt >= STREAM_HEARTBEAT_MS) {
          send(": still here\n");
        }
        timer = setTimeout(sendChanges, STREAM_POLL_MS);
      }
    },
    cancel: end,
  });
}

/** Whether `now` is newer than the last message of this stream. The isolate can have an older snapshot. */
function isNewer(now: Found, sent: Found): boolean {
  if (now.coupon.epoch !== sent.coupon.epoch) return now.now >= sent.now;
  return now.seq > sent.seq || (now.seq === sent.seq && now.now >= sent.now && now.coupon.state !== sent.coupon.state);
}

function message(found: Found): string {
  return `id: ${found.seq}\ndata: ${wire.jsonLine(wire.status(found, found.now))}\n\n`;
}

function stateChange(from: SaleState, { coupon: { state: to }, seq }: Found): string {
  return from === to ? "" : `event: state\nid: ${seq}\ndata: ${JSON.stringify({ from, to, seq })}\n\n`;
}

/**
 * The field that sets when a viewer reconnects. Sent alone, it makes a stream that ends at once. An error
 * status would end an EventSource permanently. Neither this nor a comment ends a block, because
 * `@microsoft/fetch-event-source` takes a block without data for a message.
 */
export const RECONNECT = `retry: ${STREAM_RETRY_MS}\n`;
