// Faults in the Worker in front of the object: its calls, what its isolate remembers, and what it sends.

import { inWorkerd, type Mutant } from "../mutant.ts";

const CALLS = "src/edge/coupon-calls.ts";
const SOLD_OUT = "src/edge/sold-out.ts";
/** Whether an answer is about somebody whom the certificate does not know. */
const ASKED_ABOUT = 'return result.code === "idempotency_key_reused" ? !isKnown(kept, asker) : !kept.mayContain(userMember(asker.userId));';
const SNAPSHOTS = "src/edge/live-snapshots.ts";

export const EDGE_MUTANTS: readonly Mutant[] = [
  {
    name: "retry-of-a-call-that-may-not-repeat",
    fault: "A create whose answer was lost is sent again.",
    edits: [{ file: CALLS, find: `effect === "once" || retry >= CALL_RETRIES_MAX`, replace: "retry >= CALL_RETRIES_MAX" }],
    suite: inWorkerd("edge/retry"),
  },
  {
    name: "overloaded-object-asked-again",
    fault: "An object that turned a call away because it is overloaded is asked again.",
    edits: [
      {
        file: CALLS,
        find: "if (marks.overloaded === true) return",
        replace: "if (marks.overloaded === true && marks.retryable !== true) return",
      },
    ],
    suite: inWorkerd("edge/retry"),
  },
  {
    name: "marks-of-user-code-believed",
    fault: "An exception out of the object's own code is retried because it says so itself.",
    edits: [{ file: CALLS, find: `if (marks.remote === true) return "bug";`, replace: "" }],
    suite: inWorkerd("edge/retry"),
  },
  {
    name: "broken-stub-used-again",
    fault: "All attempts of a call are made on one stub, which stays broken after the first fault.",
    edits: [
      {
        file: CALLS,
        find: "for (let retry = 0; ; retry += 1) {",
        replace: "const stub = coupons.get(idOf(coupons, name));\n  for (let retry = 0; ; retry += 1) {",
      },
      { file: CALLS, find: "await call(coupons.get(idOf(coupons, name)))", replace: "await call(stub)" },
    ],
    suite: inWorkerd("edge/retry"),
  },
  {
    name: "outcome-unknown-told-as-unavailable",
    fault: "Where nobody knows whether it happened, the caller is told that nothing was changed.",
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
    name: "deadline-ignored",
    fault: "The Worker waits for the object for as long as the object takes.",
    edits: [
      {
        file: CALLS,
        find: "Promise.race([attempts(coupons, name, call, effect, caller), deadline])",
        replace: "Promise.race([attempts(coupons, name, call, effect, caller), deadline.then(() => new Promise<never>(() => undefined))])",
      },
    ],
    suite: inWorkerd("edge/deadline", "is CALL_DEADLINE_MS for a read"),
    hangs: true,
  },
  {
    name: "isolate-shared-promise",
    fault: "Viewers wait for the promise of whichever of them looks, and with that one gone, for ever.",
    edits: [
      {
        file: SNAPSHOTS,
        find: "const watched = new Map",
        replace: "const looks = new Map<string, Promise<unknown>>();\nconst watched = new Map",
      },
      {
        file: SNAPSHOTS,
        find: "if (!isLookDue(entry, now)) return",
        replace: "if (entry.isAsking) await looks.get(name);\n  if (!isLookDue(entry, now)) return",
      },
      {
        file: SNAPSHOTS,
        find: "const result = await readOf(coupons, name);",
        replace: `const look = readOf(coupons, name);
  looks.set(name, look);
  const result = await look;`,
      },
    ],
    suite: inWorkerd("live/shared-look", "while its look hangs"),
    hangs: true,
  },
  {
    name: "first-look-shared-as-a-promise",
    fault: "Newcomers wait for the promise of whichever of them looks, and with that one gone, for ever.",
    edits: [
      { file: SNAPSHOTS, find: "    await pause(SNAPSHOT_WAIT_MS);", replace: "    await firstPromises.get(name);" },
      {
        file: SNAPSHOTS,
        find: "  look.answer = await readOf(coupons, name, deadlineMs);",
        replace:
          "  const reading = readOf(coupons, name, deadlineMs);\n  firstPromises.set(name, reading);\n  look.answer = await reading;",
      },
      {
        file: SNAPSHOTS,
        find: "let firstLookCount = 0;",
        replace: "let firstLookCount = 0;\nconst firstPromises = new Map<string, Promise<unknown>>();",
      },
    ],
    suite: inWorkerd("live/shared-look", "before the first look has come"),
    hangs: true,
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
    name: "ids-of-coupons-mixed-up",
    fault: "The isolate remembers the ids of coupons whose names begin alike as one.",
    edits: [
      { file: CALLS, find: "const known = ids.get(name);", replace: "const known = ids.get(name.slice(0, 40));" },
      { file: CALLS, find: "ids.set(name, id);", replace: "ids.set(name.slice(0, 40), id);" },
    ],
    suite: inWorkerd("edge/isolation", "lead each of more names"),
  },
  {
    name: "sold-out-for-ever",
    fault: "The isolate goes on refusing after the object's word has run out.",
    edits: [
      {
        file: SOLD_OUT,
        find: "if (kept === null || !isWithin(now - kept.askedAt, kept.validForMs) || isKnown(kept, asker)) return null;",
        replace: "if (kept === null || isKnown(kept, asker)) return null;",
      },
    ],
    suite: inWorkerd("edge/late-certificates"),
  },
  {
    name: "sold-out-despite-a-restock",
    fault: "What the isolate knows of a coupon is not forgotten when units return to it.",
    edits: [{ file: SOLD_OUT, find: "  keep(entry, null);\n  entry.notBefore = Date.now();", replace: "" }],
    suite: inWorkerd("edge/sold-out", "a certificate ends"),
  },
  {
    name: "certificate-from-before-a-restock",
    fault: "A certificate that was on its way while units returned is believed when it arrives.",
    edits: [{ file: SOLD_OUT, find: "askedAt > entry.notBefore && ", replace: "" }],
    suite: inWorkerd("edge/late-certificates"),
  },
  {
    name: "older-certificate-replaces-a-newer-one",
    fault: "A certificate that was asked for earlier, and came later, is believed.",
    edits: [{ file: SOLD_OUT, find: " && askedAt >= (entry.kept?.askedAt ?? 0)", replace: "" }],
    suite: inWorkerd("edge/late-certificates"),
  },
  {
    name: "certificate-older-than-what-was-shown",
    fault: "An isolate that has shown where the coupon stands goes on with a certificate of before.",
    edits: [{ file: SOLD_OUT, find: "if (entry.kept !== null && entry.kept.seq < seq) keep(entry, null);", replace: "" }],
    suite: inWorkerd("edge/what-was-shown"),
  },
  {
    name: "certificate-overtaken-by-a-receipt",
    fault: "A certificate is believed that was on its way while somebody was told of a claim that it does not know.",
    edits: [
      {
        file: SOLD_OUT,
        find: "return askedAt <= told.at && seq < told.seq;",
        replace: "return askedAt < told.at - 60_000 && seq < told.seq;",
      },
    ],
    suite: inWorkerd("edge/what-was-shown"),
  },
  {
    name: "life-before-not-forgotten",
    fault: "An isolate takes the answers of a coupon that was created again for late ones of the coupon before.",
    edits: [
      { file: SOLD_OUT, find: "  if (isJudged && seq < entry.told.seq && askedAt > entry.told.at) forgetSoldOut(name);\n", replace: "" },
    ],
    suite: inWorkerd("edge/what-was-shown"),
  },
  {
    name: "newcomers-each-look",
    fault: "Of viewers who all arrive at once, each has the coupon's object asked.",
    edits: [{ file: SNAPSHOTS, find: "if (last === undefined ||", replace: "if (last === undefined || last.askedAt > 0 ||" }],
    suite: inWorkerd("live/viewers"),
  },
  {
    name: "replay-that-is-no-news",
    fault: "An isolate that has told somebody of their claim goes on with a certificate that does not know them.",
    edits: [{ file: SOLD_OUT, find: ASKED_ABOUT, replace: "return false;" }],
    suite: inWorkerd("edge/late-certificates"),
  },
  {
    name: "known-key-taken-for-a-known-user",
    fault: "An isolate that has told somebody of their claim goes on with a certificate that knows only the key they sent.",
    edits: [{ file: SOLD_OUT, find: ASKED_ABOUT, replace: "return !isKnown(kept, asker);" }],
    suite: inWorkerd("edge/late-certificates", "somebody else's key"),
  },
  {
    name: "refusals-told-twice",
    fault: "The Worker's second delivery has the object count the same refusals again.",
    edits: [
      {
        file: SOLD_OUT,
        find: "wish !== undefined && isDelivered ?",
        replace: "wish !== undefined && !isDelivered && wish.known?.seq === -1 ?",
      },
    ],
    suite: inWorkerd("edge/late-certificates"),
  },
  {
    name: "certificate-dated-by-its-arrival",
    fault: "A certificate is believed for as long as it says, counted from when it arrives.",
    edits: [
      {
        file: SOLD_OUT,
        find: "keep(entry, believed(certificate, entry.kept, askedAt))",
        replace: "keep(entry, believed(certificate, entry.kept, Date.now()))",
      },
    ],
    suite: inWorkerd("edge/late-certificates"),
  },
  {
    name: "winner-refused-by-the-isolate",
    fault: "The isolate does not ask whether a user may have a claim already.",
    edits: [
      {
        file: SOLD_OUT,
        find: "kept.mayContain(userMember(userId)) || ",
        replace: "(kept.mayContain(userMember(userId)) && key !== null && kept.mayContain(keyMember(key))) || ",
      },
    ],
    suite: inWorkerd("edge/sold-out", "with a certificate"),
  },
  {
    name: "sold-out-beyond-the-end-of-a-hold",
    fault: "A certificate outlasts a hold whose unit is about to return.",
    edits: [
      {
        file: "src/domain/sold-out.ts",
        find: "Math.min(coupon.nextExpiryAt ?? Infinity, coupon.endsAt ?? Infinity)",
        replace: "(coupon.endsAt ?? Infinity)",
      },
    ],
    suite: inWorkerd("edge/sold-out", "a certificate ends"),
  },
  {
    name: "stream-without-an-end",
    fault: "A stream goes on after its request has used up its subrequests, and sees nothing any more.",
    edits: [{ file: "src/http/event-stream.ts", find: "lookCount >= STREAM_LOOKS_MAX", replace: "lookCount < -STREAM_LOOKS_MAX" }],
    suite: inWorkerd("live/stream-ends", "ends, with nothing left behind"),
    hangs: true,
  },
];
