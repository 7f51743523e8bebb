// Faults in the Worker: what it remembers, what it sends again, access, and what it reads and writes.

import { inWorkerd, type Mutation } from "../mutation.ts";
import { planted } from "./planted.ts";

const CALLS = "src/edge/coupon-calls.ts";
const CERTIFICATES = "src/edge/certificates.ts";

const EDGE: readonly Mutation[] = [
  {
    name: "certificate-dated-by-its-arrival",
    fault: "The validity of a certificate counts from its arrival, not from its request.",
    edits: [
      {
        file: CERTIFICATES,
        find: "received(result.certificate, entry.held, requestedAt)",
        replace: "received(result.certificate, entry.held, Date.now())",
      },
    ],
    suite: inWorkerd("worker/edge/certificate-age"),
  },
  {
    name: "certificate-older-than-what-was-shown",
    fault: "An isolate that has returned a newer seq refuses with an older one.",
    edits: [{ file: CERTIFICATES, find: "isShowable(name, entry) && covers", replace: "covers" }],
    suite: inWorkerd("worker/edge/certificates"),
  },
  {
    name: "renewal-cancelled-with-its-visitor",
    fault: "A certificate is renewed within a visitor's request. It is lost when that request ends.",
    edits: [{ file: CERTIFICATES, find: "waitUntil(renew(env, name, entry, now));", replace: "void renew(env, name, entry, now);" }],
    suite: inWorkerd("worker/edge/certificate-renewal"),
  },
  {
    name: "snapshot-beyond-a-window-edge",
    fault: "An isolate shows the coupon as before its start after the start.",
    edits: [{ file: "src/edge/snapshots.ts", find: "Math.min(SNAPSHOT_MS_MAX, untilMs)", replace: "SNAPSHOT_MS_MAX" }],
    suite: inWorkerd("worker/live/snapshots"),
  },
];

const CALLS_TO_THE_OBJECT: readonly Mutation[] = [
  planted("retry-of-anything", inWorkerd("worker/edge/retry")),
  planted("retry-of-a-revocation", inWorkerd("worker/edge/sent-once")),
  planted("unknown-called-unchanged", inWorkerd("worker/edge/retry")),
  {
    name: "deadline-ignored",
    fault: "The Worker waits for the object without a deadline.",
    edits: [{ file: CALLS, find: "const timer = setTimeout(() => resolve(", replace: "const timer = setTimeout(() => void (" }],
    suite: inWorkerd("worker/edge/deadline"),
    hangs: true,
  },
  {
    name: "retry-past-the-lanes",
    fault: "All callers of a batch that is lost ask the coupon itself.",
    edits: [{ file: CALLS, find: "retry < CALL_RETRIES_MAX ? laneNow()", replace: "retry === 0 ? laneNow()" }],
    suite: inWorkerd("worker/lanes/lanes"),
  },
  {
    name: "lane-in-every-attempt",
    fault: "A broken lane takes all attempts of a claim.",
    edits: [{ file: CALLS, find: "retry < CALL_RETRIES_MAX ? laneNow()", replace: "retry <= CALL_RETRIES_MAX ? laneNow()" }],
    suite: inWorkerd("worker/lanes/lanes"),
  },
];

const ACCESS_AND_TEXT: readonly Mutation[] = [
  {
    name: "admin-token-compared-by-its-beginning",
    fault: "The first letters of the admin token are enough.",
    edits: [
      { file: "src/http/auth/tokens.ts", find: ".map(digest));", replace: ".map((token) => digest(token.slice(0, offered.length))));" },
    ],
    suite: inWorkerd("worker/edge/operator"),
  },
  {
    name: "session-of-any-page",
    fault: "A session counts in requests by pages of other origins.",
    edits: [
      { file: "src/http/auth/credentials.ts", find: "isOwnPage(pageOf(request));", replace: "(isOwnPage(pageOf(request)) || true);" },
    ],
    suite: inWorkerd("worker/access/session"),
  },
  {
    name: "user-of-the-token-not-compared",
    fault: "A valid token acts for every user.",
    edits: [{ file: "src/http/auth/identity.ts", find: `["sub"] === userId ? null`, replace: `["sub"] !== userId || true ? null` }],
    suite: inWorkerd("worker/access/identity"),
  },
  {
    name: "rate-counted-by-user-alone",
    fault: "The rate limit counts a user's requests for all coupons together.",
    edits: [
      { file: "src/http/auth/rate-limit.ts", find: "network === null ? `${coupon}\\n${userId}`", replace: "network === null ? userId" },
    ],
    suite: inWorkerd("worker/access/rate-limit-counter"),
  },
  {
    name: "bytes-that-are-no-text-replaced",
    fault: "Bytes that are not UTF-8 are replaced, so that two user ids become one.",
    edits: [{ file: "src/http/body.ts", find: "fatal: true", replace: "fatal: false" }],
    suite: inWorkerd("worker/contract/bodies"),
  },
  {
    name: "formula-in-the-csv",
    fault: "The export contains a user id that a spreadsheet runs as a formula.",
    edits: [{ file: "src/http/claim-export.ts", find: "(^(?='|\\s*[=+", replace: "(^(?='|\\s*[+" }],
    suite: inWorkerd("worker/sale/export"),
  },
  {
    name: "user-ids-in-the-log",
    fault: "The request log contains user ids.",
    edits: [
      { file: "src/http/request-log.ts", find: "code, coupon, user, lane, ms", replace: "code, coupon, user: userId ?? user, lane, ms" },
    ],
    suite: inWorkerd("worker/live/request-log"),
  },
];

export const WORKER_MUTATIONS: readonly Mutation[] = [...EDGE, ...CALLS_TO_THE_OBJECT, ...ACCESS_AND_TEXT];
