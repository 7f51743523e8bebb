// The latest events of a sale's ledger, as they come.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";

import { call, couponPath, type Answered, type Refused } from "../api.ts";
import { clock } from "../format.ts";
import { useReading } from "../reading.ts";
import { EMPTY_TAIL, tailBegin, withEvents, type Tail } from "./events.ts";
import { EVENT_WORDS, type LedgerEvent } from "./words.ts";

const EVERY_MS = 2_000;

/** Follows the ledger up to `head`, which the stream of snapshots has. */
export function useTail(name: string, head: number | null): Tail & { readonly refused: Refused | null } {
  const tail = useRef(EMPTY_TAIL);
  const read = async (signal: AbortSignal): Promise<Answered<Tail>> => {
    if (head === null) return { ok: true, value: tail.current, headers: new Headers() };
    const after = tailBegin(tail.current.events[0]?.seq ?? 0, head);
    const answer = await call<{ readonly events: readonly LedgerEvent[] }>(couponPath(name, `/history?after=${after}`), { signal });
    if (!answer.ok) return answer;
    tail.current = withEvents(tail.current, after, answer.value.events);
    return { ...answer, value: tail.current };
  };
  const { value, refused } = useReading(read, { everyMs: EVERY_MS, version: head ?? 0 });
  return { ...(value ?? EMPTY_TAIL), refused };
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
