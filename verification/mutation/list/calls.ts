// Faults in how the Worker calls a coupon's object: what it sends again, and what it answers when there is no answer.

import { inWorkerd, type Mutant } from "../mutant.ts";

const CALLS = "src/edge/coupon-calls.ts";
const COUPONS = "src/http/routes/coupons.ts";

export const CALL_MUTANTS: readonly Mutant[] = [
  {
    name: "once-sent-twice",
    fault: "A call that must be sent once is sent again when its answer is lost.",
    edits: [{ file: CALLS, find: `effect === "once" || retry >= CALL_RETRIES_MAX`, replace: "retry >= CALL_RETRIES_MAX" }],
    suite: inWorkerd("worker/edge/retry"),
  },
  {
    name: "delete-sent-twice",
    fault: "A delete is sent again, and may delete the coupon that was created in between.",
    edits: [{ file: COUPONS, find: `coupon.remove(), "once"`, replace: `coupon.remove(), "repeatable"` }],
    suite: inWorkerd("worker/edge/sent-once"),
  },
  {
    name: "create-sent-twice",
    fault: "A create is sent again, and finds the coupon of its first attempt.",
    edits: [{ file: COUPONS, find: `coupon.create(asked), "once"`, replace: `coupon.create(asked), "repeatable"` }],
    suite: inWorkerd("worker/edge/sent-once"),
  },
  {
    name: "change-with-if-match-sent-twice",
    fault: "A change with If-Match is sent again, and fails by what its first attempt made.",
    edits: [{ file: COUPONS, find: `ifMatch === null ? "repeatable" : "once"`, replace: `ifMatch === null ? "repeatable" : "repeatable"` }],
    suite: inWorkerd("worker/edge/sent-once"),
  },
  {
    name: "revoke-without-position-sent-twice",
    fault: "A revoke without a position is sent again, and may take a later claim.",
    edits: [
      {
        file: "src/http/routes/claims.ts",
        find: `position === null ? "once" : "repeatable"`,
        replace: `position === null ? "repeatable" : "repeatable"`,
      },
    ],
    suite: inWorkerd("worker/edge/sent-once"),
  },
  {
    name: "hold-release-sent-twice",
    fault: "A release of a user's hold is sent again, and may release a later one.",
    edits: [
      { file: "src/http/routes/holds.ts", find: `coupon.releaseHold(userId), "once"`, replace: `coupon.releaseHold(userId), "repeatable"` },
    ],
    suite: inWorkerd("worker/edge/sent-once"),
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
    suite: inWorkerd("worker/edge/sent-once"),
  },
  {
    name: "overloaded-object-called-again",
    fault: "An object that turned a call away because it is overloaded is called again.",
    edits: [{ file: CALLS, find: "isOverloaded(cause) || ", replace: "" }],
    suite: inWorkerd("worker/edge/retry"),
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
    suite: inWorkerd("worker/edge/retry"),
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
    suite: inWorkerd("worker/edge/retry"),
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
    suite: inWorkerd("worker/edge/retry"),
  },
  {
    name: "second-attempt-speaks-for-the-first",
    fault: "When the second attempt changed nothing, the first is taken to have changed nothing either.",
    edits: [{ file: CALLS, find: `retry > 0 && result.code === "unavailable"`, replace: `retry < 0 && result.code === "unavailable"` }],
    suite: inWorkerd("worker/edge/retry"),
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
    suite: inWorkerd("worker/edge/deadline", "is CALL_DEADLINE_MS for a read"),
    hangs: true,
  },
  {
    name: "location-hint-dropped",
    fault: "Objects are placed near their first caller, whatever LOCATION_HINT says.",
    edits: [{ file: CALLS, find: "LOCATION_HINT === undefined ?", replace: "LOCATION_HINT !== null ?" }],
    suite: inWorkerd("worker/edge/retry"),
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
    suite: inWorkerd("worker/edge/isolation", "has its own attempt id"),
  },
  {
    name: "attempt-ids-repeat",
    fault: "All requests of an isolate have one attempt id.",
    edits: [{ file: "src/http/attempt-id.ts", find: "count += 1;", replace: "count = 1;" }],
    suite: inWorkerd("worker/edge/isolation", "has its own attempt id"),
  },
  {
    name: "ids-of-coupons-mixed-up",
    fault: "The isolate remembers the ids of coupons whose names begin alike as one.",
    edits: [
      { file: CALLS, find: "let id = ids.get(name);", replace: "let id = ids.get(name.slice(0, 40));" },
      { file: CALLS, find: "ids.set(name, id);", replace: "ids.set(name.slice(0, 40), id);" },
    ],
    suite: inWorkerd("worker/edge/isolation", "lead each of more names"),
  },
];
