// One viewer's stream of snapshots.

import { SNAPSHOT_MS_MAX, STREAM_HEARTBEAT_MS, STREAM_LOOKS_MAX, STREAM_RETRY_MS, STREAM_TICK_MS } from "../domain/limits.ts";
import type { Found } from "../domain/rpc.ts";
import type { Worker } from "../edge/env.ts";
import { news } from "../edge/snapshots.ts";
import * as wire from "./representations.ts";

/**
 * Streams the coupon `name` to one viewer, beginning with `first`, until the viewer leaves, the coupon is deleted, or the
 * stream has taken as many looks as its request may; then the viewer comes back by itself.
 */
export function eventStream(worker: Worker, name: string, first: Found): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  let sent = first;
  let sentAt = Date.now();
  let messageAt = Date.now();
  let readCount = 0;

  function leave(): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer ?? null);
  }

  return new ReadableStream<Uint8Array>({
    start(controller) {
      send(`${COME_BACK}${message(first)}`);
      timer = setTimeout(tick, STREAM_TICK_MS);

      function send(text: string): void {
        controller.enqueue(utf8.encode(text));
        sentAt = Date.now();
      }

      async function tick(): Promise<void> {
        const { result, hasRead } = await news(worker, name);
        if (isOver) return;
        if (hasRead) readCount += 1;
        const isDeleted = result?.ok === false && result.code === "coupon_not_found";
        if (isDeleted || readCount >= STREAM_LOOKS_MAX) {
          if (isDeleted) send("event: deleted\ndata: {}\n\n");
          leave();
          controller.close();
          return;
        }
        const now = result?.ok === true ? result : sent;
        // A viewer who reads slowly is sent the latest once there is room, and nothing of what was between.
        const hasRoom = (controller.desiredSize ?? 0) > 0;
        const isDue = Date.now() - messageAt >= SNAPSHOT_MS_MAX;
        if (hasRoom && isDue && isNews(now, sent)) {
          messageAt = Date.now();
          send(`${stateChange(sent, now)}${message(now)}`);
          sent = now;
        } else if (hasRoom && Date.now() - sentAt >= STREAM_HEARTBEAT_MS) {
          send(": still here\n");
        }
        timer = setTimeout(tick, STREAM_TICK_MS);
      }
    },
    cancel: leave,
  });
}

/** Whether there is anything to tell: what an isolate has seen may also be older than what this viewer was sent. */
function isNews(now: Found, sent: Found): boolean {
  if (now.coupon.epoch !== sent.coupon.epoch) return now.now >= sent.now;
  return now.seq > sent.seq || (now.seq === sent.seq && now.now >= sent.now && now.coupon.state !== sent.coupon.state);
}

function message(found: Found): string {
  return `id: ${found.seq}\ndata: ${JSON.stringify(wire.status(found, found.now))}\n\n`;
}

function stateChange(from: Found, to: Found): string {
  if (from.coupon.state === to.coupon.state) return "";
  return `event: state\nid: ${to.seq}\ndata: ${JSON.stringify({ from: from.coupon.state, to: to.coupon.state, seq: to.seq })}\n\n`;
}

/**
 * When to come back. Alone it is a stream that ends at once: any other status would end an EventSource for good. No block of a stream is
 * without data, and neither this nor a comment ends one: `@microsoft/fetch-event-source` takes an empty block for a message.
 */
export const COME_BACK = `retry: ${STREAM_RETRY_MS}\n`;
