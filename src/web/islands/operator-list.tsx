// The list of sales, with search and states.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { call, type Answered } from "./console/api.ts";
import { count, fromNow, instant } from "./console/format.ts";
import { useNow } from "./console/live.ts";
import { useReading } from "./console/reading.ts";
import { ConsolePage, Fault, mount } from "./console/ui.tsx";

type Listed = {
  readonly name: string;
  readonly title?: string | null;
  readonly state: string;
  readonly amount: number;
  readonly remaining_amount: number;
  readonly claimed_amount: number;
  readonly held_amount: number;
  readonly starts_at: string | null;
  readonly ends_at: string | null;
};
type Page = { readonly coupons: readonly Listed[]; readonly next_after: string | null; readonly as_of: string | null };

const STATES = ["open", "scheduled", "paused", "sold_out", "ended", "archived"] as const;
const REFRESH_MS = 5_000;
/** After the last key, so that a search is one request. */
const TYPING_MS = 250;
const SHOWN_FIRST = 100;
/** Most sales of one answer. */
const LIMIT_MAX = 1_000;

type Query = { readonly q: string; readonly state: string; readonly count: number };

/** Returns `value` once it has not changed for `ms`. */
function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** Reads the first `count` sales that fit, which may be several pages of the API. */
async function readSales({ q, state, count: wanted }: Query, signal: AbortSignal): Promise<Answered<Page>> {
  const coupons: Listed[] = [];
  for (let after = ""; ;) {
    const limit = String(Math.min(wanted - coupons.length, LIMIT_MAX));
    const filters = Object.entries({ q, state, after, limit }).filter(([, value]) => value !== "");
    const answer = await call<Page>(`/api/coupons?${new URLSearchParams(filters)}`, { signal });
    if (!answer.ok) return answer;
    const { next_after: next } = answer.value;
    coupons.push(...answer.value.coupons);
    if (next === null || coupons.length >= wanted) return { ...answer, value: { ...answer.value, coupons } };
    after = next;
  }
}

function Sales(): JSX.Element {
  const [query, setQuery] = useState<Query>({ q: "", state: "", count: SHOWN_FIRST });
  const settled = useSettled(query, TYPING_MS);
  const { value, refused } = useReading((signal) => readSales(settled, signal), { everyMs: REFRESH_MS, key: JSON.stringify(settled) });
  const now = useNow(1_000);
  return (
    <ConsolePage>
      <div class="head">
        <h1>Sales</h1>
        <a class="button primary" href="/operator/new">
          New sale
        </a>
      </div>
      <Filters query={query} onChange={setQuery} />
      <Fault error={refused?.error ?? null} />
      {value === null ? null : (
        <>
          {value.coupons.length === 0 ? (
            <Empty isFiltered={settled.q !== "" || settled.state !== ""} />
          ) : (
            <Table coupons={value.coupons} now={now} />
          )}
          {value.next_after === null ? null : (
            <button onClick={() => setQuery({ ...query, count: value.coupons.length + SHOWN_FIRST })}>More</button>
          )}
          <p class="muted small">
            {value.as_of === null ? "No event has reached the database yet." : `As of ${fromNow(value.as_of, now)}.`}
          </p>
        </>
      )}
    </ConsolePage>
  );
}

function Filters({ query, onChange }: { readonly query: Query; readonly onChange: (query: Query) => void }): JSX.Element {
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        Search
        <input
          type="search"
          value={query.q}
          placeholder="A part of the name"
          onInput={(event) => onChange({ ...query, q: event.currentTarget.value, count: SHOWN_FIRST })}
        />
      </label>
      <label>
        State
        <select value={query.state} onChange={(event) => onChange({ ...query, state: event.currentTarget.value, count: SHOWN_FIRST })}>
          <option value="">All</option>
          {STATES.map((state) => (
            <option key={state} value={state}>
              {state.replace("_", " ")}
            </option>
          ))}
        </select>
      </label>
    </form>
  );
}

function Empty({ isFiltered }: { readonly isFiltered: boolean }): JSX.Element {
  if (isFiltered) return <p>No sale fits.</p>;
  return (
    <p>
      There is no sale yet. <a href="/operator/new">Create the first one</a>.
    </p>
  );
}

function Table({ coupons, now }: { readonly coupons: readonly Listed[]; readonly now: number }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Sales">
      <table>
        <thead>
          <tr>
            <th scope="col">Sale</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Remaining
            </th>
            <th scope="col" class="number">
              Claimed
            </th>
            <th scope="col" class="number">
              Held
            </th>
            <th scope="col">Window</th>
          </tr>
        </thead>
        <tbody>
          {coupons.map((coupon) => (
            <tr key={coupon.name}>
              <th scope="row">
                <a href={`/operator/sales/${encodeURIComponent(coupon.name)}`}>
                  <bdi>{coupon.title ?? coupon.name}</bdi>
                </a>
              </th>
              <td>
                <span class={`state ${coupon.state}`}>{coupon.state.replace("_", " ")}</span>
              </td>
              <td class="number">
                {count(coupon.remaining_amount)} of {count(coupon.amount)}
              </td>
              <td class="number">{count(coupon.claimed_amount)}</td>
              <td class="number">{count(coupon.held_amount)}</td>
              <td class="small">{windowOf(coupon, now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function windowOf({ starts_at: startsAt, ends_at: endsAt }: Listed, now: number): string {
  const parts = [
    startsAt === null ? null : `${Date.parse(startsAt) > now ? "opens" : "opened"} ${instant(startsAt)}`,
    endsAt === null ? null : `${Date.parse(endsAt) > now ? "ends" : "ended"} ${instant(endsAt)}`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? "always open" : parts.join(", ");
}

mount(<Sales />);
