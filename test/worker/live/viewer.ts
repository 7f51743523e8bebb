// A viewer of a coupon's events. It parses the stream by the standard (WHATWG HTML, 9.2.6).

import { exports } from "cloudflare:workers";
import { expect } from "vitest";

import { pathOf } from "../../support/api.ts";
import type { Platform } from "../../support/platform-faults.ts";
import { fetchWith, type Settings } from "../../support/worker.ts";

/** What stands between two empty lines. */
export type Block = {
  readonly event?: string;
  readonly id?: string;
  readonly data?: Record<string, unknown>;
  readonly retry?: string;
  readonly comment?: string;
};

export type Viewer = {
  readonly response: Response;
  /** The next block, or null at the end of the stream. */
  readonly next: () => Promise<Block | null>;
  /** Waits for the message whose id is `seq`. Returns all blocks up to it. */
  readonly until: (seq: number) => Promise<Block[]>;
  readonly leave: () => Promise<void>;
};

function parsed(lines: string): Block {
  const fields = lines.split("\n").map((line) => {
    const [, field = "", value = ""] = /^([^:]*): ?(.*)$/s.exec(line) ?? [];
    return [field, field === "data" ? JSON.parse(value) : value] as const;
  });
  return Object.fromEntries(fields);
}

const present = new Set<Viewer>();

/** Ends the streams of all viewers. Call it after each test. */
export async function endStreams(): Promise<void> {
  await Promise.all(Array.from(present, ({ leave }) => leave()));
  present.clear();
}

/** Waits until `holds` is true, for ten seconds at most. It works with a stopped clock. */
export async function eventually(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 1000; round += 1) {
    if (holds()) return;
    await scheduler.wait(10);
  }
  throw new Error(`still not true: ${String(holds)}`);
}

function viewerOf(response: Response): Viewer {
  const utf8 = new TextDecoder();
  const body = response.body as ReadableStream<Uint8Array>;
  const reader = body.getReader();
  let text = "";
  async function next(): Promise<Block | null> {
    for (;;) {
      const comment = /^: ?(.*)\n/.exec(text);
      if (comment !== null) {
        text = text.slice(comment[0].length);
        return { comment: comment[1] ?? "" };
      }
      const end = text.indexOf("\n\n");
      if (end >= 0) {
        const block = parsed(text.slice(0, end));
        text = text.slice(end + 2);
        return block;
      }
      const { done, value } = await reader.read();
      if (done && text === "") return null;
      if (done) {
        const block = parsed(text.trimEnd());
        text = "";
        return block;
      }
      text += utf8.decode(value, { stream: true });
    }
  }
  const self: Viewer = {
    response,
    next,
    until: async (seq) => {
      const blocks: Block[] = [];
      while (blocks.at(-1)?.id !== String(seq) || blocks.at(-1)?.event !== undefined) {
        const block = await next();
        if (block === null) throw new Error(`the stream ended before ${seq}`);
        blocks.push(block);
      }
      return blocks;
    },
    leave: () => reader.cancel(),
  };
  present.add(self);
  return self;
}

/** A viewer of coupon `name`. */
export async function viewer(name: string, headers: Record<string, string> = {}): Promise<Viewer> {
  return viewerOf(await exports.default.fetch(`https://doorbuster.test${pathOf(name, "events")}`, { headers }));
}

/** A viewer over a platform that fails or is counted. */
export async function viewerOver(
  { coupons }: Platform,
  name: string,
  headers: Record<string, string> = {},
  settings: Settings = {},
): Promise<Viewer> {
  return viewerOf(await fetchWith({ COUPONS: coupons, REQUEST_LOG: "off", ...settings }, "GET", pathOf(name, "events"), { headers }));
}

/** `count` viewers over `platform`, of whom each has the coupon's first snapshot. */
export async function viewersOver(platform: Platform, name: string, count: number): Promise<Viewer[]> {
  const viewers = await Promise.all(Array.from({ length: count }, () => viewerOver(platform, name)));
  await Promise.all(viewers.map(({ until }) => until(1)));
  return viewers;
}

/** A viewer who has the first snapshot. */
export async function watcher(name: string): Promise<Viewer> {
  const seen = await viewer(name);
  expect(await seen.next()).toMatchObject({ retry: "2000", id: expect.any(String) });
  return seen;
}
