// The five numbers of a sale, and how fresh they are.

import type { JSX } from "preact";

import { count, fromNow } from "../format.ts";
import type { Live } from "../live.ts";
import { claimedOf, type Coupon } from "./coupon.ts";
import type { RefusedBy } from "./words.ts";

export type NumbersProps = {
  readonly units: Pick<Coupon, "amount" | "remaining_amount" | "held_amount">;
  /** Null while nothing is heard. */
  readonly claimsPerSecond: number | null;
  /** Null until they are read. */
  readonly refused: readonly RefusedBy[] | null;
};

export function Numbers({ units, claimsPerSecond, refused }: NumbersProps): JSX.Element {
  const { amount, remaining_amount: remaining, held_amount: held } = units;
  const refusedCount = refused?.reduce((sum, one) => sum + one.count, 0) ?? null;
  const shown = [
    ["Remaining", count(remaining), `of ${count(amount)}`],
    ["Claims a second", claimsPerSecond === null ? "–" : rateText(claimsPerSecond), "in the last 5 seconds"],
    ["Claimed", count(claimedOf(units)), percent(claimedOf(units), amount)],
    ["Held", count(held), percent(held, amount)],
    ["Refused", refusedCount === null ? "…" : count(refusedCount), refusedCount === 0 ? "none so far" : "see why below"],
  ] as const;
  return (
    <dl class={claimsPerSecond === null ? "numbers stale" : "numbers"}>
      {shown.map(([label, value, hint]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            <strong>{value}</strong>
            <span class="muted small">{hint}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function rateText(rate: number): string {
  return count(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate));
}

function percent(part: number, whole: number): string {
  return `${count(Math.round((part / whole) * 1_000) / 10)}% of all units`;
}

/** Why claims were refused. */
export function RefusedReasons({ refused }: { readonly refused: readonly RefusedBy[] | null }): JSX.Element {
  return (
    <section class="card">
      <h2>Refused claims</h2>
      {refused === null ? <p class="muted">Loading…</p> : refused.length === 0 ? <p class="muted">No claim was refused.</p> : null}
      <dl class="reasons">
        {(refused ?? []).map(({ code, words, count: times }) => (
          <div key={code}>
            <dt>{words}</dt>
            <dd>{count(times)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Whether the numbers are of now. */
export function Freshness({ status, heardAt, now }: Pick<Live, "status" | "heardAt"> & { readonly now: number }): JSX.Element {
  const age = heardAt === null ? "" : `, last news ${now - heardAt < 2_000 ? "just now" : fromNow(heardAt, now)}`;
  const words = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", deleted: "Deleted" } as const;
  return (
    <p class={`freshness ${status}`}>
      <span role="status">{words[status]}</span>
      <span>{status === "deleted" ? "" : age}</span>
    </p>
  );
}
