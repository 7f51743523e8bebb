// Faults in the Worker in front of the object: its calls, and what its isolate remembers.

import { inWorkerd, type Mutant } from "../mutant.ts";

const CALLS = "src/edge/coupon-calls.ts";
const CERTIFICATES = "src/edge/certificates.ts";
const SNAPSHOTS = "src/edge/snapshots.ts";
const COUPONS = "src/http/routes/coupons.ts";

const CALL_MUTANTS: readonly Mutant[] = [
  {
    name: "once-sent-twice",
    fault: "A call that must be sent once is sent again when its answer is lost.",
    edits: [{ file: CALLS, find: `effect === "once" || retry >= CALL_RETRIES_MAX`, replace: "retry >= CALL_RETRIES_MAX" }],
    suite: inWorkerd("edge/retry"),
  },
  {
    name: "delete-sent-twice",
    fault: "A delete is sent again, and may delete the coupon that was created in between.",
    edits: [{ file: COUPONS, find: `coupon.remove(), "once"`, replace: `coupon.remove(), "repeatable"` }],
    suite: inWorkerd("edge/sent-once"),
  },
  {
    name: "create-sent-twice",
    fault: "A create is sent again, and finds the coupon of its first attempt.",
    edits: [{ file: COUPONS, find: `coupon.create(asked), "once"`, replace: `coupon.create(asked), "repeatable"` }],
    suite: inWorkerd("edge/sent-once"),
  },
  {
    name: "change-with-if-match-sent-twice",
    fault: "A change with If-Match is sent again, and fails by what its first attempt made.",
    edits: [{ file: COUPONS, find: `ifMatch === null ? "repeatable" : "once"`, replace: `ifMatch === null ? "repeatable" : "repeatable"` }],
    suite: inWorkerd("edge/sent-once"),
  },
  {
    name: "revoke-without-position-sent-twice",
    fault: "A revoke of whatever the user has is sent again, and may take a later claim.",
    edits: [
      {
        file: "src/http/routes/claims.ts",
        find: `position === null ? "once" : "repeatable"`,
        replace: `position === null ? "repeatable" : "repeatable"`,
      },
    ],
    suite: inWorkerd("edge/sent-once"),
  },
  {
    name: "hold-release-sent-twice",
    fault: "A release of whatever hold the user has is sent again, and may release a later one.",
    edits: [
      { file: "src/http/routes/holds.ts", find: `coupon.giveBack(userId), "once"`, replace: `coupon.giveBack(userId), "repeatable"` },
    ],
    suite: inWorkerd("edge/sent-once"),
  },
  {
    name: "bulk-claim-not-repeated",
    fault: "Claims for many users are given up when the first answer is lost.",
    edits: [
      {
        file: "src/http/routes/bulk-claims.ts",
        find: `coupon.claimMany(userIds, attemptId), "repeatable"`,
        replace: `coupon.claimMany(userIds, attemptId), "once"`,
      },
    ],
    suite: inWorkerd("edge/sent-once"),
  },
  {
    name: "overloaded-object-called-again",
    fault: "An object that turned a call away because it is overloaded is called again.",
    edits: [{ file: CALLS, find: "isOverloaded(cause) || ", replace: "" }],
    suite: inWorkerd("edge/retry"),
  },
  {
    name: "remote-exception-not-repeated",
    fault: "A call that may be repeated is given up because the exception is marked as remote.",
    edits: [
      {
        file: CALLS,
        find: "isOverloaded(cause) || ",
        replace: `isOverloaded(cause) || Object(cause).remote === true || `,
      },
    ],
    suite: inWorkerd("edge/retry"),
  },
  {
    name: "broken-stub-used-again",
    fault: "All attempts of a call are made on one stub, which stays broken after the first fault.",
    edits: [
      {
        file: CALLS,
        find: "for (let retry = 0; ; retry += 1) {",
        replace: "const stub = stubOf(env, name);\n  for (let retry = 0; ; retry += 1) {",
      },
      { file: CALLS, find: "await call(stubOf(env, name))", replace: "await call(stub)" },
    ],
    suite: inWorkerd("edge/retry"),
  },
  {
    name: "outcome-unknown-answered-as-unavailable",
    fault: "A mutation whose answer was lost is answered as one that changed nothing.",
    edits: [
      {
        file: CALLS,
        find: `effect === "read" ? "unavailable" : "outcome_unknown"`,
        replace: `effect === "read" ? "unavailable" : "unavailable"`,
      },
    ],
    suite: inWorkerd("edge/retry"),
  },
  {
    name: "second-attempt-speaks-for-the-first",
    fault: "When the second attempt changed nothing, the first is taken to have changed nothing either.",
    edits: [{ file: CALLS, find: `retry > 0 && result.code === "unavailable"`, replace: `retry < 0 && result.code === "unavailable"` }],
    suite: inWorkerd("edge/retry"),
  },
  {
    name: "deadline-ignored",
    fault: "The Worker waits for the object for as long as the object takes.",
    edits: [
      {
        file: CALLS,
        find: "Promise.race([attempts(env, name, call, effect, caller), deadline])",
        replace: "Promise.race([attempts(env, name, call, effect, caller), deadline.then(() => new Promise<never>(() => undefined))])",
      },
    ],
    suite: inWorkerd("edge/deadline", "is CALL_DEADLINE_MS for a read"),
    hangs: true,
  },
  {
    name: "location-hint-dropped",
    fault: "Objects are placed near their first caller, whatever LOCATION_HINT says.",
    edits: [{ file: CALLS, find: "LOCATION_HINT === undefined ?", replace: "LOCATION_HINT !== null ?" }],
    suite: inWorkerd("edge/retry"),
  },
  {
    name: "attempt-named-by-the-caller",
    fault: "A caller's X-Request-Id names the attempt, so that two requests can pass for one.",
    edits: [
      {
        file: "src/http/app.ts",
        find: "const attemptId = nextAttemptId();",
        replace: "const attemptId = requestIdIn(c.req.raw.headers) ?? nextAttemptId();",
      },
    ],
    suite: inWorkerd("edge/isolation", "gets an attempt id of its own"),
  },
  {
    name: "attempt-ids-repeat",
    fault: "All requests of an isolate have one attempt id.",
    edits: [{ file: "src/http/attempt-id.ts", find: "count += 1;", replace: "count = 1;" }],
    suite: inWorkerd("edge/isolation", "gets an attempt id of its own"),
  },
  {
    name: "ids-of-coupons-mixed-up",
    fault: "The isolate remembers the ids of coupons whose names begin alike as one.",
    edits: [
      { file: CALLS, find: "let id = ids.get(name);", replace: "let id = ids.get(name.slice(0, 40));" },
      { file: CALLS, find: "ids.set(name, id);", replace: "ids.set(name.slice(0, 40), id);" },
    ],
    suite: inWorkerd("edge/isolation", "lead each of more names"),
  },
];

const CERTIFICATE_MUTANTS: readonly Mutant[] = [
  {
    name: "certificate-for-ever",
    fault: "The isolate goes on refusing after its certificate has ended.",
    edits: [
      {
        file: CERTIFICATES,
        find: "covers(certificate, asker, now))",
        replace: "covers(certificate, asker, certificate.requestedAt))",
      },
    ],
    suite: inWorkerd("edge/certificates"),
  },
  {
    name: "certificate-dated-by-its-arrival",
    fault: "A certificate is used for as long as it says, counted from when it arrives.",
    edits: [
      {
        file: CERTIFICATES,
        find: "received(result.certificate, entry.held, requestedAt)",
        replace: "received(result.certificate, entry.held, Date.now())",
      },
    ],
    suite: inWorkerd("edge/certificates"),
  },
  {
    name: "certificate-older-than-what-was-shown",
    fault: "An isolate that has seen a newer head refuses with the seq of before.",
    edits: [{ file: CERTIFICATES, find: "isShowable(name, entry) && covers", replace: "covers" }],
    suite: inWorkerd("edge/certificates"),
  },
  {
    name: "renewal-cancelled-with-its-visitor",
    fault: "A certificate is requested within the visitor's request, and is lost when that ends.",
    edits: [{ file: CERTIFICATES, find: "waitUntil(renew(env, name, entry, now));", replace: "void renew(env, name, entry, now);" }],
    suite: inWorkerd("edge/certificates"),
  },
  {
    name: "renewals-at-the-same-time",
    fault: "Every refused claim requests a certificate while one is requested.",
    edits: [{ file: CERTIFICATES, find: "entry.isRenewing ? limits.CERTIFICATE_TAKEOVER_MS", replace: "entry.isRenewing ? 0" }],
    suite: inWorkerd("edge/certificates"),
  },
  {
    name: "certificate-requested-again-at-once",
    fault: "An isolate that was given no certificate requests one with every refused claim.",
    edits: [{ file: CERTIFICATES, find: "limits.CERTIFICATE_RETRY_MS * (1 + Math.random());", replace: "-1e6 * (1 + Math.random());" }],
    suite: inWorkerd("edge/certificates"),
  },
  {
    name: "overtaken-renewal-used",
    fault: "A certificate request that another one has replaced still counts.",
    edits: [{ file: CERTIFICATES, find: "if (requestedAt !== entry.renewedAt) return;", replace: "" }],
    suite: inWorkerd("edge/certificates"),
  },
  {
    name: "refusals-counted-twice",
    fault: "A certificate request is sent again with the same counts.",
    edits: [
      {
        file: CERTIFICATES,
        find: `coupon.certify({ known, refused }), "once"`,
        replace: `coupon.certify({ known, refused }), "repeatable"`,
      },
    ],
    suite: inWorkerd("edge/certificates"),
  },
  {
    name: "refusals-at-the-edge-not-reported",
    fault: "What an isolate refuses is counted nowhere.",
    edits: [{ file: CERTIFICATES, find: "if (isCounted) entry.refused", replace: "if (isCounted && code === null) entry.refused" }],
    suite: inWorkerd("edge/certificates"),
  },
  {
    name: "certificates-without-a-bound",
    fault: "An isolate keeps certificates of every coupon.",
    edits: [
      {
        file: CERTIFICATES,
        find: "entries.size <= limits.CERTIFICATES_MAX && bytes <= limits.CERTIFICATES_BYTES_MAX",
        replace: "entries.size <= Infinity && bytes <= Infinity",
      },
    ],
    suite: inWorkerd("edge/certificates"),
  },
  {
    name: "start-counted-from-the-certificate",
    fault: "Retry-After at the edge does not get shorter as the start comes nearer.",
    edits: [{ file: "src/domain/certificate.ts", find: "startsInMs - (now - requestedAt)", replace: "startsInMs" }],
    suite: inWorkerd("edge/certificates"),
  },
];

const SNAPSHOT_MUTANTS: readonly Mutant[] = [
  {
    name: "snapshot-older-than-acknowledged",
    fault: "An isolate that has acknowledged a claim shows the coupon as it was before.",
    edits: [{ file: SNAPSHOTS, find: `"cause" in result || !isCurrent(name, result.seq, order)`, replace: `"cause" in result` }],
    suite: inWorkerd("live/snapshots"),
  },
  {
    name: "snapshot-beyond-a-window-edge",
    fault: "An isolate shows a coupon as it was before its sale began.",
    edits: [{ file: SNAPSHOTS, find: "Math.min(SNAPSHOT_MS_MAX, untilMs)", replace: "SNAPSHOT_MS_MAX" }],
    suite: inWorkerd("live/snapshots"),
  },
  {
    name: "snapshot-for-a-minute",
    fault: "An isolate shows a coupon as it was a minute ago.",
    edits: [{ file: SNAPSHOTS, find: "Math.min(SNAPSHOT_MS_MAX, untilMs)", replace: "Math.min(60_000, untilMs)" }],
    suite: inWorkerd("live/snapshots"),
  },
  {
    name: "every-viewer-reads",
    fault: "Of viewers who arrive at once, each reads the object.",
    edits: [{ file: SNAPSHOTS, find: "if (!isReading(name, now)) return readNow", replace: "if (now > 0) return readNow" }],
    suite: inWorkerd("live/snapshots"),
  },
  {
    name: "isolate-shared-promise",
    fault: "Viewers wait for the promise of another viewer's read, which ends with that viewer.",
    edits: [
      {
        file: SNAPSHOTS,
        find: "const entries = new Map<string, Entry>();",
        replace: "const entries = new Map<string, Entry>();\nconst readings = new Map<string, Promise<unknown>>();",
      },
      { file: SNAPSHOTS, find: "    await pause(SNAPSHOT_POLL_MS);", replace: "    await readings.get(name);" },
      { file: SNAPSHOTS, find: "  waitUntil(reading);", replace: "  readings.set(name, reading);\n  waitUntil(reading);" },
    ],
    suite: inWorkerd("live/snapshots"),
    hangs: true,
  },
  {
    name: "read-cancelled-with-its-viewer",
    fault: "A read for all viewers ends when its own viewer leaves.",
    edits: [{ file: SNAPSHOTS, find: "  waitUntil(reading);", replace: "" }],
    suite: inWorkerd("live/snapshots"),
  },
  {
    name: "stream-without-an-end",
    fault: "A stream goes on after its request has used up its subrequests, and shows nothing any more.",
    edits: [{ file: "src/http/event-stream.ts", find: "readCount >= STREAM_LOOKS_MAX", replace: "readCount < -STREAM_LOOKS_MAX" }],
    suite: inWorkerd("live/stream-ends", "ends, with nothing left behind"),
    hangs: true,
  },
];

export const EDGE_MUTANTS: readonly Mutant[] = [...CALL_MUTANTS, ...CERTIFICATE_MUTANTS, ...SNAPSHOT_MUTANTS];
