// Many viewers poll the status of a sale once a second while it sells out.

import { latencyOf } from "../latency.ts";
import type { Sent, Slot } from "../load.ts";
import { claimFault, countFaults, countHttpErrors, countOutcomes, endOf, receiptsOf, type ClaimSlot } from "../outcomes.ts";
import { createCoupon } from "../preflight.ts";
import { behind, statusFault } from "../status-answers.ts";
import { CLAIM_BOUNDS, exactly, STATUS_BOUNDS, within } from "../thresholds.ts";
import { load, userAt, type Measured, type Run } from "./mode.ts";

const LASTS_MS = 10_000;
/** As long as an answer may be cached. */
const POLL_EVERY_MS = 1_000;
/** Keeps the claims of a large stock at a pace that leaves room for the viewers. */
const CLAIMS_MAX = 2_000;
const CLAIMANTS_MAX = 50;

type StatusSlot = Slot & { readonly coupon: string; readonly userId: null };

export async function statusPolling(run: Run): Promise<Measured> {
  const { coupon, options } = run;
  const { initialStock, vus } = options;
  // The sale sells out halfway.
  const claimCount = Math.min(2 * initialStock, CLAIMS_MAX);
  const claimants = Math.min(claimCount, CLAIMANTS_MAX);
  await createCoupon(run.target, coupon, initialStock);

  const sent = await load<StatusSlot | ClaimSlot>("status-polling", run, vus + claimants, (users) => {
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
  const latency = { claims: latencyOf(claims), status: latencyOf(polls) };
  const winners = Math.min(initialStock, claimCount);
  const answered = polls.filter(({ answer }) => answer?.status === 200);
  const contradictions = answered.map(({ answer }) => statusFault(answer?.body ?? {}, { name: coupon, amount: initialStock }));
  const late = behind(answered, sent);
  const statusErrors = polls.length - answered.length;
  const counters = {
    ...countOutcomes(claims),
    status_ok: answered.length,
    status_error: statusErrors,
    http_errors: countHttpErrors(sent),
  };
  return {
    setting: `${vus} viewers, one poll a second each for ${LASTS_MS / 1000} s; ${claimCount} claims meanwhile; ${initialStock} units`,
    coupons: [coupon],
    counters,
    latency,
    thresholds: [
      exactly("claims granted", winners, counters.claim_granted),
      exactly("the others get out_of_stock", claimCount - winners, counters.claim_out_of_stock),
      exactly("statuses that contradict themselves", 0, contradictions.filter((fault) => fault !== null).length),
      exactly("statuses older than a second", 0, late.length),
      exactly("claim and status errors", 0, counters.claim_error + statusErrors),
      exactly("HTTP errors", 0, counters.http_errors),
      ...within("status", STATUS_BOUNDS, latency.status),
      ...within("claims", CLAIM_BOUNDS, latency.claims),
    ],
    faults: countFaults([
      ...claims.map(claimFault),
      ...polls.map((poll) => (poll.answer?.status === 200 ? null : `status: ${endOf(poll)}`)),
      ...contradictions.map((fault) => (fault === null ? null : `status: ${fault}`)),
      ...late,
    ]),
    receipts: receiptsOf(claims),
  };
}

function isClaim(sent: Sent<StatusSlot | ClaimSlot>): sent is Sent<ClaimSlot> {
  return sent.slot.userId !== null;
}
