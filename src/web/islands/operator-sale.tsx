// The page of one sale: its numbers as they change, and everything that an operator can do with it.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { call, couponPath } from "./console/api.ts";
import { useLive, useNow, type Live } from "./console/live.ts";
import { useReading } from "./console/reading.ts";
import { readCoupon } from "./console/sale/change.ts";
import { Chart } from "./console/sale/chart.tsx";
import { claimedOf, newest, stateSentence, type Coupon } from "./console/sale/coupon.ts";
import { DeliveryCard } from "./console/sale/delivery.tsx";
import { ArchiveAction, DeleteAction } from "./console/sale/end-actions.tsx";
import { HoldsCard, LookUpCard } from "./console/sale/holds.tsx";
import { EmbedCard } from "./console/sale/embed-card.tsx";
import { Freshness, Numbers, RefusedReasons } from "./console/sale/numbers.tsx";
import { claimsPerSecond, joined, timelinePoints, withPoint, type Point, type Timeline } from "./console/sale/points.ts";
import type { SaleProps } from "./console/sale/parts.ts";
import { PauseAction, RestockAction, TextsAction, WindowAction } from "./console/sale/settings-actions.tsx";
import { TailCard, useTail } from "./console/sale/tail.tsx";
import { refusedBy, type Outcomes } from "./console/sale/words.ts";
import { ShareLink } from "./console/share.tsx";
import { ConsolePage, Fault, Impossible, mount } from "./console/ui.tsx";

const METRICS_EVERY_MS = 3_000;
const SETTINGS_EVERY_MS = 1_000;

/** Returns the points of the chart: the timeline, and what the page has seen since. */
function usePoints(name: string, { snapshot, status }: Live): { readonly timeline: readonly Point[]; readonly live: readonly Point[] } {
  const [live, setLive] = useState<readonly Point[]>([]);
  // After a gap, the timeline knows what the page has missed.
  const [gapCount, setGapCount] = useState(0);
  const hasBegun = useRef(false);
  useEffect(() => {
    if (status !== "live") return;
    if (hasBegun.current) setGapCount((count) => count + 1);
    hasBegun.current = true;
  }, [status]);
  const { value } = useReading((signal) => call<Timeline>(couponPath(name, "/timeline"), { signal }), {
    everyMs: 1_000,
    version: gapCount,
  });
  useEffect(() => {
    if (snapshot === null) return;
    setLive((before) => withPoint(before, { at: Date.parse(snapshot.server_time), claimed: claimedOf(snapshot) }));
  }, [snapshot]);
  return { timeline: useMemo(() => (value === null ? [] : timelinePoints(value)), [value]), live };
}

/** Reads the sale, and shows what it finds: the sale, or why there is none. */
function SalePage({ name }: { readonly name: string }): JSX.Element {
  const [version, setVersion] = useState("");
  const [isDeleted, setDeleted] = useState(false);
  const { value, refused, again } = useReading((signal) => readCoupon(name, signal), { everyMs: SETTINGS_EVERY_MS, version });
  if (isDeleted || refused?.code === "coupon_not_found") return <Gone name={name} wasHere={value !== null} />;
  if (value === null) return <Loading name={name} error={refused?.error ?? null} />;
  const error = refused?.error ?? null;
  return <Sale settings={value} error={error} refresh={again} onMove={setVersion} onDelete={() => setDeleted(true)} />;
}

type WatchedProps = {
  readonly settings: Coupon;
  readonly error: string | null;
  readonly refresh: () => void;
  /** Called with another value when the settings may have changed. */
  readonly onMove: (version: string) => void;
  readonly onDelete: () => void;
};

function Sale({ settings, error, refresh, onMove, onDelete }: WatchedProps): JSX.Element {
  const { name } = settings;
  const live = useLive(name);
  const { snapshot, heardAt, status } = live;
  const browserNow = useNow(1_000);
  const now = snapshot === null || heardAt === null ? browserNow : browserNow + Date.parse(snapshot.server_time) - heardAt;
  const tail = useTail(name, snapshot?.seq ?? null);
  const metrics = useReading((signal) => call<{ readonly outcomes: Outcomes }>(couponPath(name, "/metrics"), { signal }), {
    everyMs: METRICS_EVERY_MS,
  });
  const { timeline, live: seen } = usePoints(name, live);
  const version = [tail.settingsSeq, snapshot?.state, snapshot?.amount, snapshot?.starts_at, snapshot?.ends_at].join(" ");
  useEffect(() => onMove(version), [version]);
  useEffect(() => (status === "deleted" ? onDelete() : undefined), [status]);

  const coupon = newest(settings, snapshot);
  const refused = metrics.value === null ? null : refusedBy(metrics.value.outcomes);
  const isHeard = status !== "reconnecting";
  const points = joined(timeline, seen, isHeard ? now : -Infinity);
  const props = { coupon, now, refresh };
  return (
    <>
      <Heading coupon={coupon}>
        <Freshness status={status} heardAt={heardAt} now={browserNow} />
      </Heading>
      <Fault error={error} />
      <Numbers units={coupon} claimsPerSecond={isHeard ? claimsPerSecond(seen, now) : null} refused={refused} />
      <p class="lead">{stateSentence(coupon, now)}</p>
      <Actions {...props} />
      <div class="cards">
        <div>
          <Chart points={points.some(({ claimed }) => claimed > 0) ? points : []} amount={coupon.amount} />
          <HoldsCard {...props} version={`${coupon.held_amount} ${tail.events[0]?.seq}`} />
          <LookUpCard {...props} />
        </div>
        <div>
          <RefusedReasons refused={refused} />
          <TailCard name={name} events={tail.events} />
          <EmbedCard name={name} />
        </div>
      </div>
      <DeliveryCard name={name} now={now} />
      <section class="card">
        <h2>The end of the sale</h2>
        <div class="buttons">
          <Impossible.Provider value={impossibleIn(coupon)}>
            <ArchiveAction {...props} />
          </Impossible.Provider>
          <DeleteAction {...props} />
        </div>
      </section>
    </>
  );
}

/** Why nothing of a sale can be changed any more, or null. */
function impossibleIn({ state }: Coupon): string | null {
  return state === "archived" ? "The sale was archived meanwhile, so nothing of it can be changed." : null;
}

function Actions(props: SaleProps): JSX.Element {
  return (
    <div class="buttons actions">
      <Impossible.Provider value={impossibleIn(props.coupon)}>
        <PauseAction {...props} />
        <RestockAction {...props} />
        <WindowAction {...props} />
        <TextsAction {...props} />
      </Impossible.Provider>
      <a class="button" href={couponPath(props.coupon.name, "/claims?format=csv")} download>
        Export claims
      </a>
    </div>
  );
}

function Heading({ coupon, children }: { readonly coupon: Coupon; readonly children: JSX.Element }): JSX.Element {
  return (
    <header class="sale">
      <p class="small">
        <a href="/operator">All sales</a>
      </p>
      <div class="head">
        <h1>
          <bdi>{coupon.title ?? coupon.name}</bdi>
        </h1>
        <span class={`state ${coupon.state}`}>{coupon.state.replace("_", " ")}</span>
        {children}
      </div>
      {coupon.title === null ? null : (
        <p class="muted">
          <bdi class="code exact">{coupon.name}</bdi>
        </p>
      )}
      <ShareLink name={coupon.name} />
    </header>
  );
}

function Loading({ name, error }: { readonly name: string; readonly error: string | null }): JSX.Element {
  return (
    <>
      <h1>
        <bdi>{name}</bdi>
      </h1>
      <Fault error={error} />
      <p class="muted">{error === null ? "Loading…" : "The page tries again by itself."}</p>
    </>
  );
}

function Gone({ name, wasHere }: { readonly name: string; readonly wasHere: boolean }): JSX.Element {
  return (
    <>
      <h1>{wasHere ? "This sale was deleted" : "There is no sale of this name"}</h1>
      <p>
        The name <bdi class="code exact">{name}</bdi> {wasHere ? "can be used again." : "may have a mistake, or the sale was deleted."}
      </p>
      <p>
        <a href="/operator">All sales</a>
      </p>
    </>
  );
}

const name = decodeURIComponent(location.pathname.split("/")[3] ?? "");
document.title = `${name} · Doorbuster`;
mount(
  <ConsolePage>
    <SalePage name={name} />
  </ConsolePage>,
);
