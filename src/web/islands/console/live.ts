// The live state of a sale: the stream of its snapshots, and how fresh it is.

import { useEffect, useState } from "preact/hooks";

import { couponPath } from "./api.ts";

/** A snapshot, as `GET /api/coupons/{name}/status` has it. */
export type Snapshot = {
  readonly name: string;
  readonly state: string;
  readonly amount: number;
  readonly remaining_amount: number;
  readonly held_amount: number;
  readonly starts_at: string | null;
  readonly ends_at: string | null;
  readonly server_time: string;
  readonly seq: number;
};

export type Live = {
  readonly snapshot: Snapshot | null;
  readonly status: "connecting" | "live" | "reconnecting" | "deleted";
  /** When the server was last heard, by this browser's clock. Null before that. */
  readonly heardAt: number | null;
};

/** Watches a sale. Reconnects for ever; the stream itself does that after an ended one. */
export function useLive(name: string): Live {
  const [live, setLive] = useState<Live>({ snapshot: null, status: "connecting", heardAt: null });
  useEffect(() => {
    const stream = new EventSource(couponPath(name, "/events"));
    const hear = (part: Partial<Live>): void => setLive((before) => ({ ...before, status: "live", ...part, heardAt: Date.now() }));
    stream.addEventListener("open", () => hear({}));
    stream.addEventListener("message", ({ data }: MessageEvent<string>) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server's own tests hold its messages to their schema
      hear({ snapshot: JSON.parse(data) as Snapshot });
    });
    stream.addEventListener("deleted", () => {
      hear({ status: "deleted" });
      stream.close();
    });
    stream.addEventListener("error", () => setLive((before) => ({ ...before, status: "reconnecting" })));
    return () => stream.close();
  }, [name]);
  return live;
}

/** Returns the time of now, again after each `ms`. */
export function useNow(ms: number): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}
