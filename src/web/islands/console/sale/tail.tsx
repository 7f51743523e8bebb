// The latest events of a sale's ledger, as they come.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";

import { call, couponPath, type Answered, type Refused } from "../api.ts";
import { clock } from "../format.ts";
import { useReading } from "../reading.ts";
import { EVENT_WORDS, type LedgerEvent } from "./words.ts";

const EVENTS_MAX = 50;
const EVERY_MS = 2_000;

export type Tail = {
  /** Newest first. */
  readonly events: readonly LedgerEvent[];
  /** Another value when a setting may have changed. */
  readonly settingsSeq: number;
};
const EMPTY: Tail = { events: [], settingsSeq: 0 };

/** Returns the seq that the next page of the history begins behind: at most 50 events before `head`. */
export function tailBegin(lastSeq: number, head: number): number {
  // A deleted sale of this name had more events.
  const known = lastSeq > head ? 0 : lastSeq;
  return Math.max(known, head - EVENTS_MAX, 0);
}

/** Returns the tail with newer events. After a gap, a setting may have changed in it. */
export function withEvents(tail: Tail, after: number, events: readonly LedgerEvent[]): Tail {
  const known = tail.events[0]?.seq ?? 0;
  const kept = after === known ? tail.events : [];
  const setting = events.findLast(({ kind }) => kind === "changed" || kind === "archived" || kind === "created");
  const settingsSeq = setting?.seq ?? (after === known ? tail.settingsSeq : after);
  return { events: [...events.toReversed(), ...kept].slice(0, EVENTS_MAX), settingsSeq };
}

/** Follows the ledger up to `head`, which the stream of snapshots has. */
export function useTail(name: string, head: number | null): Tail & { readonly refused: Refused | null } {
  const tail = useRef(EMPTY);
  const read = async (signal: AbortSignal): Promise<Answered<Tail>> => {
    if (head === null) return { ok: true, value: tail.current, headers: new Headers() };
    const after = tailBegin(tail.current.events[0]?.seq ?? 0, head);
    const answer = await call<{ readonly events: readonly LedgerEvent[] }>(couponPath(name, `/history?after=${after}`), { signal });
    if (!answer.ok) return answer;
    tail.current = withEvents(tail.current, after, answer.value.events);
    return { ...answer, value: tail.current };
  };
  const { value, refused } = useReading(read, { everyMs: EVERY_MS, version: head ?? 0 });
  return { ...(value ?? EMPTY), refused };
}

/** The list of events. It is not read out, because a sale has many. */
export function TailCard({ name, events }: { readonly name: string; readonly events: readonly LedgerEvent[] }): JSX.Element {
  const [frozen, setFrozen] = useState<readonly LedgerEvent[] | null>(null);
  const shown = frozen ?? events;
  return (
    <section class="card tail">
      <div class="head">
        <h2>Latest events</h2>
        <button type="button" aria-pressed={frozen !== null} onClick={() => setFrozen(frozen === null ? events : null)}>
          {frozen === null ? "Hold still" : "Go on"}
        </button>
      </div>
      <div class="scroll tall" tabIndex={0} role="region" aria-label="Latest events">
        <ol class="events">
          {shown.map(({ seq, at, kind, user_id: user, position, actor }) => (
            <li key={seq}>
              <span class="muted">{clock(at)}</span>
              <span>
                {EVENT_WORDS[kind]}
                {position === null ? "" : ` #${position}`}
                {user === null ? null : (
                  <>
                    {" "}
                    <bdi>{user}</bdi>
                  </>
                )}
                {actor === null ? null : (
                  <span class="muted">
                    {" "}
                    by <bdi>{actor}</bdi>
                  </span>
                )}
              </span>
            </li>
          ))}
        </ol>
      </div>
      <p class="small">
        <a href={couponPath(name, "/history?limit=1000")} target="_blank">
          The whole history
        </a>{" "}
        as JSON
      </p>
    </section>
  );
}
