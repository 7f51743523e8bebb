// The script of the sale page: it keeps the server's markup up to date, and claims.

import {
  count,
  MILESTONES,
  milestoneOf,
  saleView,
  stockText,
  type Milestone,
  type SaleFacts,
  type SaleView,
  type Stage,
} from "../sale-view.ts";
import { statusIn, type SaleStatus } from "../sale-status.ts";
import { ATTEMPT } from "./_attempt.ts";
import { startChallenge } from "./_challenge.ts";
import { Live } from "./_live.ts";
import { part, sale, settings, show, write, writeTimer } from "./_page.ts";
import { Purchase } from "./_purchase.ts";
import { HANDOVER_MS, takeTokens, tellHeight } from "./_shop.ts";

/** A stream ends now and then, and its page connects again within this time. */
const RECONNECT_MS = 5_000;
/** A tick that comes so late shows that the device has slept. */
const LATE_MS = 3_000;
/** Longer than a page and its state may be cached. A crowd spreads over twice this time. */
const RELOAD_MS = 2_000;

const first = statusIn(settings.status);
if (first === null) throw new TypeError("this page has no snapshot");

const said = new Set<Milestone>();
let facts: SaleFacts = first.facts;
let stage: Stage = saleView(facts, first.serverTime).stage;
let isReplaced = false;
let timer = 0;
let nextTickAt = Infinity;

const name = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const live = new Live(`/api/coupons/${encodeURIComponent(name)}`, first, { onStatus, onGone: () => purchase.end(), onReplaced });
const purchase = new Purchase({ name, now: () => live.now(), amount: () => facts.amount, changed: render });

function onStatus(status: SaleStatus): void {
  facts = status.facts;
  render();
}

/** This page is about the coupon before. */
function onReplaced(): void {
  if (!isReplaced) setTimeout(() => location.reload(), RELOAD_MS * (1 + Math.random()));
  isReplaced = true;
}

/** Brings the page up to date, and comes back when the next second of its countdown begins. */
function render(): void {
  const now = live.now();
  const view = saleView(facts, now);
  live.setUrgent(view.stage === "opening");
  renderSale(view, now);
  purchase.render(view);
  if (view.stage !== stage) changeStage(view);
  renderFreshness();
  clearTimeout(timer);
  const restMs = Math.max(0, (purchase.holdEndsAt() ?? view.countdown?.to ?? 0) - now);
  const waitMs = Math.min(restMs % 1000 || 1000, view.countdown === null ? 1000 : view.countdown.to - now);
  nextTickAt = Date.now() + waitMs;
  timer = setTimeout(tick, waitMs);
}

function tick(): void {
  if (Math.abs(Date.now() - nextTickAt) > LATE_MS) void live.poll();
  render();
}

function changeStage(view: SaleView): void {
  const milestone = milestoneOf(stage, view.stage, said);
  stage = view.stage;
  if (milestone !== null) {
    said.add(milestone);
    write("milestone", MILESTONES[milestone]);
  }
}

function renderSale({ stage: shown, tone, headline, sentence, countdown, isStockShown }: SaleView, now: number): void {
  [sale.dataset["tone"], sale.dataset["stage"]] = [tone, shown];
  write("headline", headline);
  write("sentence", sentence);
  show("countdown", countdown !== null);
  if (countdown !== null) {
    write("countdown-label", countdown.label);
    writeTimer("timer", countdown.to - now);
    write("edge-label", countdown.edgeLabel);
    write("edge", localText(countdown.to));
  }
  show("stock", isStockShown);
  write("remaining", count(facts.remaining));
  write("of", stockText(facts));
  const bar = part("bar");
  if (bar instanceof HTMLProgressElement) [bar.max, bar.value] = [facts.amount, facts.remaining];
}

const inLocalTime = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  timeZoneName: "short",
});
function localText(at: number): string {
  return inLocalTime.format(at);
}

function renderFreshness(): void {
  const lostAt = live.lostAt;
  const isLive = lostAt === null || Date.now() - lostAt < RECONNECT_MS;
  const age = Math.round((Date.now() - live.heardAt) / 1000);
  sale.dataset["link"] = isLive ? "live" : "lost";
  write("freshness", isLive ? "Live" : `Reconnecting. What you see is ${age} s old.`);
}

window.addEventListener("storage", ({ key }) => {
  if (key === ATTEMPT || key === null) purchase.adopt();
});
if (settings.identity === "token") {
  takeTokens(() => purchase.reload());
  setTimeout(() => purchase.reload(), HANDOVER_MS);
}
startChallenge();
tellHeight();
purchase.start();
live.start();
