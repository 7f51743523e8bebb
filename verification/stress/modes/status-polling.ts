// Many viewers who poll the status of a sale once a second, at their own pace, while it sells out.

import { latencyOf } from "../latency.ts";
import type { Sent, Slot } from "../load.ts";
import { claimFault, countFaults, countHttpErrors, countOutcomes, endOf, receiptOf, type ClaimSlot } from "../outcomes.ts";
import { createCoupon } from "../preflight.ts";
import { behind, statusFault } from "../status-answers.ts";
import { CLAIM_BOUNDS, exactly, STATUS_BOUNDS, within } from "../thresholds.ts";
import { rush, userAt, type Ground, type Measured } from "./mode.ts";

const LASTS_MS = 10_000;
/** As often as an answer may be kept. */
const POLL_EVERY_MS = 1_000;
/** Keeps the claims of a large stock at a pace that leaves room for the viewers. */
const CLAIMS_MAX = 2_000;
const CLAIMANTS_MAX = 50;

type StatusSlot = Slot & { readonly coupon: string; readonly userId: null };

export async function statusPolling(ground: Ground): Promise<Measured> {
  const { coupon, options } = ground;
  const { initialStock, vus } = options;
  // Sold out half-way through.
  const claimCount = Math.min(2 * initialStock, CLAIMS_MAX);
  const claimants = Math.min(claimCount, CLAIMANTS_MAX);
  await createCoupon(ground.target, coupon, initialStock);

  const sent = await rush<StatusSlot | ClaimSlot>("status-polling", ground, vus + claimants, (users) => {
    const polls = Array.from({ length: (vus * LASTS_MS) / POLL_EVERY_MS }, (_, index) => ({
      atMs: (index * POLL_EVERY_MS) / vus,
      coupon,
      userId: null,
      send: () => userAt(users, index % vus).status(coupon),
    }));
    const claims = Array.from({ length: claimCount }, (_, index) => {
      const userId = `user-${index + 1}`;
      const claimant = userAt(users, vus + (index % claimants));
      return { atMs: ((index + 0.5) * LASTS_MS) / claimCount, coupon, userId, send: () => claimant.claim(coupon, userId) };
    });
    return [...polls, ...claims].sort((a, b) => a.atMs - b.atMs);
  });

  const polls = sent.filter(({ slot }) => slot.userId === null);
  const claims = sent.filter(isClaim);
  const counts = countOutcomes(claims);
  const httpErrors = countHttpErrors(sent);
  const latency = { claims: latencyOf(claims), status: latencyOf(polls) };
  const winners = Math.min(initialStock, claimCount);
  const answered = polls.filter(({ answer }) => answer?.status === 200);
  const contradictions = answered.map((poll) => statusFault(poll.answer?.body ?? {}, { name: coupon, amount: initialStock }));
  const late = behind(answered, sent);
  return {
    setting: `${vus} viewers, one look a second each for ${LASTS_MS / 1000} s; ${claimCount} claims meanwhile; ${initialStock} units`,
    coupons: [coupon],
    counters: { ...counts, status_ok: answered.length, status_error: polls.length - answered.length, http_errors: httpErrors },
    latency,
    thresholds: [
      exactly("claims granted", winners, counts.claim_granted),
      exactly("the others are told out_of_stock", claimCount - winners, counts.claim_out_of_stock),
      exactly("statuses that contradict themselves", 0, contradictions.filter((fault) => fault !== null).length),
      exactly("statuses older than they may be", 0, late.length),
      exactly("claim and status errors", 0, counts.claim_error + polls.length - answered.length),
      exactly("HTTP errors", 0, httpErrors),
      ...within("status", STATUS_BOUNDS, latency.status),
      ...within("claims", CLAIM_BOUNDS, latency.claims),
    ],
    faults: countFaults([
      ...claims.map(claimFault),
      ...polls.map((poll) => (poll.answer?.status === 200 ? null : `status: ${endOf(poll)}`)),
      ...contradictions.map((fault) => (fault === null ? null : `status: ${fault}`)),
      ...late,
    ]),
    told: claims.map(receiptOf).filter((receipt) => receipt !== null),
    released: [],
  };
}

function isClaim(sent: Sent<StatusSlot | ClaimSlot>): sent is Sent<ClaimSlot> {
  return sent.slot.userId !== null;
}
