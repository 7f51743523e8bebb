// The sale page as HTML, from a snapshot.

import { instant, jsonLine, status } from "../wire.ts";
import type { Instant } from "../domain/coupon.ts";
import type { CouponView, Found } from "../domain/rpc.ts";
import { PAGE_HOLD_SECONDS_MAX } from "../domain/service-limits.ts";
import { firstLabel } from "./purchase-view.ts";
import { count, countdownText, isLongTimer, saleView, stockText, type SaleFacts, type SaleView } from "./sale-view.ts";
import { remaining } from "../domain/coupon.ts";

/** How the page learns who buys. `off`: the visitor says so. `token`: the shop's sign-in. `closed`: only the shop buys. */
export type Identity = "off" | "token" | "closed";

export type Variant = {
  readonly flow: "claim" | "hold";
  /** Shown in a page of the shop. */
  readonly isEmbedded: boolean;
};

/** A title of more characters is set smaller. */
const LONG_TITLE = 60;

export function titleOf({ title, name }: CouponView): string {
  return title ?? name;
}

/** The path of a coupon's sale page. */
export function salePath(name: string): string {
  return `/s/${encodeURIComponent(name)}`;
}

function factsOf(coupon: CouponView): SaleFacts {
  const { state, amount, held, startsAt, endsAt } = coupon;
  return { state, amount, remaining: remaining(coupon), held, startsAt, endsAt };
}

/** All that the page depends on besides the snapshot. */
export type Settings = Variant & { readonly identity: Identity; readonly origins: readonly string[]; readonly siteKey: string | undefined };

/** Returns the sale as the content of its page. */
export function sale(found: Found, settings: Settings) {
  const { flow, isEmbedded, identity, origins, siteKey } = settings;
  const { coupon, now } = found;
  const facts = factsOf(coupon);
  const view = saleView(facts, now);
  const { description, imageUrl } = coupon;
  const title = titleOf(coupon);
  const look = `sale${isEmbedded ? " embedded" : ""}${imageUrl === null ? "" : " with-picture"}`;
  return (
    <article
      id="sale"
      class={look}
      data-tone={view.tone}
      data-stage={view.stage}
      data-status={jsonLine(status(found, now))}
      data-epoch={coupon.epoch}
      data-flow={flow}
      data-identity={identity}
      data-origins={origins.join(" ")}
      data-site-key={siteKey}
      data-hold-seconds={Math.min(coupon.holdSecondsMax, PAGE_HOLD_SECONDS_MAX)}
    >
      {imageUrl === null ? null : <img id="picture" class="picture" src={imageUrl} alt="" />}
      <div class="words">
        <noscript>
          <link rel="stylesheet" href="/assets/no-script.css" />
        </noscript>
        {isEmbedded ? null : <div class="logo" />}
        <h1 dir="auto" class={title.length > LONG_TITLE ? "long" : ""}>
          {title}
        </h1>
        {description === null ? null : (
          <p id="description" class="description" dir="auto">
            {description}
          </p>
        )}
      </div>
      <section class="panel" aria-label="Buy">
        <div id="now">
          <p id="headline" class="headline">
            {view.headline}
          </p>
          <p id="sentence">{view.sentence}</p>
        </div>
        {countdown(view, now)}
        {stock(facts, view)}
        {outcome()}
        {identity === "closed" ? <p>You buy this in the shop. Here you can watch the sale.</p> : purchase(coupon.name, view, settings)}
        {view.tone === "wait" ? reloadLink(coupon.name) : null}
        <p id="freshness" class="freshness needs-script">
          Loading
        </p>
      </section>
      <p id="milestone" role="status" class="visually-hidden" />
    </article>
  );
}

/** Without a script, the page does not change by itself. */
function reloadLink(name: string) {
  return (
    <noscript>
      <p>
        <a class="button" href={salePath(name)}>
          Load this page again
        </a>
      </p>
    </noscript>
  );
}

function countdown({ countdown: counted }: SaleView, now: Instant) {
  const { label, edgeLabel, to } = counted ?? { label: "", edgeLabel: "", to: now };
  const rest = countdownText(to - now);
  return (
    <div id="countdown" class="countdown" hidden={counted === null}>
      <p class="clock needs-script">
        <span id="countdown-label">{label}</span>{" "}
        <span id="timer" role="timer" class={isLongTimer(rest) ? "long" : ""}>
          {rest}
        </span>
      </p>
      <p class="muted">
        <span id="edge-label">{edgeLabel}</span>{" "}
        <time id="edge" datetime={instant(to)}>
          {utcText(to)}
        </time>
      </p>
    </div>
  );
}

/** Returns an instant for readers in all time zones: `Fri, 27 Nov 2026 18:00 UTC`. The page's script writes it in theirs. */
function utcText(at: Instant): string {
  return new Date(at).toUTCString().replace(/:\d\d GMT$/, " UTC");
}

function stock(facts: SaleFacts, { isStockShown }: SaleView) {
  return (
    <div id="stock" class="stock" hidden={!isStockShown}>
      <p>
        <strong id="remaining">{count(facts.remaining)}</strong> <span id="of">{stockText(facts)}</span>
      </p>
      <progress id="bar" value={facts.remaining} max={facts.amount} aria-label="Units left" />
    </div>
  );
}

/** How the visitor's claim has ended. The page's script fills it. */
function outcome() {
  return (
    <div id="outcome" class="outcome" tabindex={-1} hidden>
      <h2 id="outcome-headline" />
      <p id="outcome-sentence" />
      <p id="hold-clock" class="clock" hidden>
        <span id="hold-timer" role="timer" aria-label="Reserved for" />
      </p>
      <p id="outcome-next" class="muted" />
    </div>
  );
}

function purchase(name: string, { canBuy, tone }: SaleView, { flow, isEmbedded, identity, siteKey }: Settings) {
  const needsScript = flow === "hold" || identity === "token" || siteKey !== undefined;
  return (
    <>
      <form
        id="buy"
        method="post"
        action={salePath(name)}
        // In a frame of another site, a browser drops the cookie of the outcome.
        target={isEmbedded ? "_top" : undefined}
        class={needsScript ? "needs-script" : ""}
      >
        {identity === "off" ? (
          <p id="ask" hidden={tone === "over"}>
            <label for="user">Your e-mail or customer number</label>
            <input id="user" name="user_id" autocomplete="email" maxlength={255} required dir="auto" />
          </p>
        ) : null}
        <p id="who" class="who" hidden>
          <span>
            For <b id="who-name" dir="auto" />
          </span>
          {identity === "off" ? (
            <button id="other" class="quiet" type="button">
              Not you?
            </button>
          ) : null}
        </p>
        {siteKey === undefined ? null : <div id="challenge" />}
        <p class="buttons">
          <button
            id="main-button"
            class="primary"
            type="submit"
            hidden={!canBuy || identity === "token"}
            // Until the script is there, a press would send the form: a claim, whatever the page needs first.
            disabled={needsScript}
          >
            {firstLabel(flow === "hold")}
          </button>
          <button id="second-button" type="button" hidden>
            Give it back
          </button>
        </p>
      </form>
      {needsScript ? (
        <noscript>
          <p>To buy here, allow JavaScript in your browser, and load this page again.</p>
        </noscript>
      ) : null}
    </>
  );
}
