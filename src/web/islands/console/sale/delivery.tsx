// How far the events of a sale have got on their way to the database and to webhooks.

import type { JSX } from "preact";

import { call, couponPath } from "../api.ts";
import { count, fromNow } from "../format.ts";
import { useReading } from "../reading.ts";
import { Fault } from "../ui.tsx";
import { duration } from "../zoned-time.ts";
import { sinkState, type Sink } from "./words.ts";

const EVERY_MS = 5_000;

/** The sinks that are no webhooks. */
const OWN_SINKS: Readonly<Record<string, string>> = { d1: "Database", r2: "Backups" };

export function DeliveryCard({ name, now }: { readonly name: string; readonly now: number }): JSX.Element {
  const { value, refused } = useReading((signal) => call<{ readonly sinks: readonly Sink[] }>(couponPath(name, "/delivery"), { signal }), {
    everyMs: EVERY_MS,
  });
  return (
    <section class="card">
      <h2>Delivery</h2>
      <Fault error={refused?.error ?? null} />
      <div class="scroll" tabIndex={0} role="region" aria-label="Delivery">
        <table>
          <thead>
            <tr>
              <th scope="col">To</th>
              <th scope="col">State</th>
              <th scope="col">Behind by</th>
              <th scope="col">Last error</th>
              <th scope="col">Next attempt</th>
            </tr>
          </thead>
          <tbody>
            {(value?.sinks ?? []).map((sink) => (
              <tr key={sink.sink}>
                <th scope="row">{OWN_SINKS[sink.sink] ?? <a href="/operator/webhooks">Webhook {sink.sink}</a>}</th>
                <td>{sinkState(sink)}</td>
                <td>{behind(sink)}</td>
                <td>
                  <bdi>{sink.last_error ?? "none"}</bdi>
                </td>
                <td>{sink.next_attempt_at === null ? "" : fromNow(sink.next_attempt_at, now)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function behind({ lag_events: events, lag_seconds: seconds }: Sink): string {
  return events === 0 ? "nothing" : `${events === 1 ? "one event" : `${count(events)} events`}, ${duration(seconds * 1_000)}`;
}
