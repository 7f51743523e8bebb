// The list of sales, with search and states.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { call, type Refused } from "./console/api.ts";
import { count, fromNow, instant } from "./console/format.ts";
import { useNow } from "./console/live.ts";
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

type Query = { readonly q: string; readonly state: string };
type Loaded = { readonly pages: readonly Page[]; readonly refused: Refused | null };

/** Reads the pages of a query. The first page is read again every few seconds while it is the only one. */
function useSales(query: Query): Loaded & { readonly loadMore: () => void } {
  const [loaded, setLoaded] = useState<Loaded>({ pages: [], refused: null });
  const isAlone = useRef(true);
  isAlone.current = loaded.pages.length < 2;

  async function load(after: string, signal?: AbortSignal): Promise<void> {
    const filters = Object.entries({ ...query, after }).filter(([, value]) => value !== "");
    const answer = await call<Page>(`/api/coupons?${new URLSearchParams(filters)}`, signal === undefined ? {} : { signal });
    if (!answer.ok) return answer.code === "aborted" ? undefined : setLoaded((before) => ({ ...before, refused: answer }));
    setLoaded((before) => ({ pages: after === "" ? [answer.value] : [...before.pages, answer.value], refused: null }));
  }

  useEffect(() => {
    const abort = new AbortController();
    const first = setTimeout(() => void load("", abort.signal), TYPING_MS);
    // Further pages are not read again, because they would move under the reader.
    const timer = setInterval(() => isAlone.current && !document.hidden && void load("", abort.signal), REFRESH_MS);
    return () => {
      abort.abort();
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [query.q, query.state]);
  return { ...loaded, loadMore: () => void load(loaded.pages.at(-1)?.next_after ?? "") };
}

function Sales(): JSX.Element {
  const [query, setQuery] = useState<Query>({ q: "", state: "" });
  const { pages, refused, loadMore } = useSales(query);
  const now = useNow(1_000);
  const coupons = pages.flatMap((page) => page.coupons);
  const last = pages.at(-1);
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
      {last === undefined ? null : (
        <>
          {coupons.length === 0 ? <Empty isFiltered={query.q !== "" || query.state !== ""} /> : <Table coupons={coupons} now={now} />}
          {last.next_after === null ? null : <button onClick={loadMore}>More</button>}
          <p class="muted small">{last.as_of === null ? "No event has reached the database yet." : `As of ${fromNow(last.as_of, now)}.`}</p>
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
          onInput={(event) => onChange({ ...query, q: event.currentTarget.value })}
        />
      </label>
      <label>
        State
        <select value={query.state} onChange={(event) => onChange({ ...query, state: event.currentTarget.value })}>
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
