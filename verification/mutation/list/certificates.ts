// Faults in certificates: what they state, whom they cover, how long they are in use, and what waits for their end.

import { inNode, type Mutant } from "../mutant.ts";

const CERTIFICATE = "src/domain/certificate.ts";
const LEASE = "src/object/lease.ts";
const OBJECT = "src/object/coupon-object.ts";
const ENGINE = "src/engine/coupon-engine.ts";
const APPLY = "src/engine/apply.ts";
const BYPASS_SET = "src/engine/bypass-set.ts";
const STORE = "src/engine/coupon-store.ts";

const LEASE_MUTANTS: readonly Mutant[] = [
  {
    name: "lease-ignored",
    fault: "A change that makes a certificate in use false is made at once.",
    edits: [
      {
        file: CERTIFICATE,
        find: "if (stated === null || leaseUntil <= at) return false;",
        replace: "if (stated === null || leaseUntil <= at || at > 0) return false;",
      },
    ],
    suite: inNode("rules/lease"),
  },
  {
    name: "lease-not-kept",
    fault: "The object does not note how long a certificate that it issued may be in use.",
    edits: [{ file: OBJECT, find: "this.#lease.extend(at, answer.certificate.validForMs);", replace: "" }],
    suite: inNode("rules/lease"),
  },
  {
    name: "lease-forgotten-at-restart",
    fault: "A restarted object takes it that no certificate is in use.",
    edits: [{ file: LEASE, find: "this.#until = leaseEnd(clock(), CERTIFICATE_MS_MAX);", replace: "this.#until = 0;" }],
    suite: inNode("rules/lease"),
  },
  {
    name: "lease-without-a-margin",
    fault: "A certificate is taken to be out of use at the very end of its validity.",
    edits: [{ file: "src/domain/limits.ts", find: "LEASE_MARGIN_MS = 100", replace: "LEASE_MARGIN_MS = 0" }],
    suite: inNode("rules/certificate"),
  },
  {
    name: "lease-by-the-objects-clock-alone",
    fault: "A restarted object whose clock is behind the coupon's time takes its lease for lapsed.",
    edits: [{ file: ENGINE, find: "lease.leaseUntil + (draft.at - at)", replace: "lease.leaseUntil" }],
    suite: inNode("rules/lease"),
  },
  {
    name: "lease-awaited-by-the-clock",
    fault: "A change waits for an hour when the clock is set back by one.",
    edits: [
      {
        file: LEASE,
        find: "pause(Math.min(until - this.#clock(), leaseEnd(0, CERTIFICATE_MS_MAX)))",
        replace: "pause(until - this.#clock())",
      },
    ],
    suite: inNode("rules/lease"),
    hangs: true,
  },
  {
    name: "renewal-during-a-wait",
    fault: "Certificates are issued while a change waits for the end of the lease.",
    edits: [{ file: LEASE, find: "mayCertify: this.#waiterCount === 0", replace: "mayCertify: true" }],
    suite: inNode("rules/lease"),
  },
  {
    name: "no-certificate-after-a-wait",
    fault: "Once a change has waited, no certificate is issued any more.",
    edits: [{ file: LEASE, find: "this.#waiterCount -= 1;", replace: "" }],
    suite: inNode("rules/lease"),
  },
  {
    name: "delete-does-not-wait",
    fault: "A coupon is deleted while a certificate of it may be in use.",
    edits: [{ file: ENGINE, find: "if (leaseUntil > at) return only(DEFERRED, false);", replace: "void leaseUntil;" }],
    suite: inNode("rules/lease"),
  },
  {
    name: "lease-kept-by-a-creation",
    fault: "A coupon that was just created takes it that certificates are in use.",
    edits: [{ file: OBJECT, find: `if (message.kind === "create") this.#lease.clear();`, replace: "" }],
    suite: inNode("rules/lease"),
  },
  {
    name: "lease-cleared-by-a-failed-creation",
    fault: "A creation of a coupon that exists clears the lease.",
    edits: [{ file: OBJECT, find: "first !== undefined && answer?.ok === true", replace: "first !== undefined && answer !== undefined" }],
    suite: inNode("rules/lease"),
  },
];

const STATEMENT_MUTANTS: readonly Mutant[] = [
  {
    name: "certificate-beyond-the-end-of-a-hold",
    fault: "A certificate outlasts a hold whose unit is about to return.",
    edits: [{ file: CERTIFICATE, find: "Math.min(endsAt, coupon.nextExpiryAt ?? Infinity)", replace: "endsAt" }],
    suite: inNode("rules/certificate"),
  },
  {
    name: "certificate-beyond-the-start",
    fault: "A certificate that the sale has not started outlasts its start.",
    edits: [{ file: CERTIFICATE, find: "return coupon.startsAt ?? Infinity;", replace: "return Infinity;" }],
    suite: inNode("rules/certificate"),
  },
  {
    name: "moved-start-contradicts-nothing",
    fault: "A start that is moved does not wait for the certificates that name the old one.",
    edits: [{ file: CERTIFICATE, find: " || next.startsAt !== stated.startsAt", replace: "" }],
    suite: inNode("rules/certificate"),
  },
  {
    name: "earlier-end-contradicts-nothing",
    fault: "A statement that a change makes shorter does not wait for the certificates that state it for longer.",
    edits: [
      {
        file: CERTIFICATE,
        find: "return trueUntil(after, next) < Math.min(trueUntil(before, stated), leaseUntil);",
        replace: "return false;",
      },
    ],
    suite: inNode("rules/certificate"),
  },
  {
    name: "certificate-for-a-millisecond-too-long",
    fault: "A certificate covers at the very end of its validity.",
    edits: [{ file: CERTIFICATE, find: "ageMs >= certificate.validForMs", replace: "ageMs > certificate.validForMs" }],
    suite: inNode("rules/certificate"),
  },
  {
    name: "certificate-of-the-future",
    fault: "A certificate covers while the isolate's clock is behind its request.",
    edits: [{ file: CERTIFICATE, find: "if (ageMs < 0 || ", replace: "if (" }],
    suite: inNode("rules/certificate"),
  },
  {
    name: "user-in-the-bypass-set-covered",
    fault: "A certificate covers users who may have something of the coupon.",
    edits: [{ file: CERTIFICATE, find: "if (certificate.mayContain(userMember(userId))) return false;", replace: "" }],
    suite: inNode("rules/certificate"),
  },
  {
    name: "key-in-the-bypass-set-covered",
    fault: "A certificate covers a key that is in use.",
    edits: [{ file: CERTIFICATE, find: " || certificate.mayContain(keyMember(key))", replace: "" }],
    suite: inNode("rules/certificate"),
  },
  {
    name: "new-key-of-a-holder-covered",
    fault: "A certificate covers keys although a holder's claim may have brought one into use.",
    edits: [{ file: APPLY, find: "isAnyKeyNew: coupon.held > 0", replace: "isAnyKeyNew: false" }],
    suite: inNode("rules/certificates"),
  },
  {
    name: "code-carried-over",
    fault: "A certificate without a set of its own goes with the refusal of the one before it.",
    edits: [
      {
        file: CERTIFICATE,
        find: "return { ...stated, requestedAt, mayContain: before.mayContain",
        replace: "return { ...stated, code: before.code, startsAt: before.startsAt, requestedAt, mayContain: before.mayContain",
      },
    ],
    suite: inNode("rules/certificate"),
  },
  {
    name: "set-of-another-epoch-carried-over",
    fault: "An isolate uses the set of a coupon of the same name that was deleted.",
    edits: [{ file: CERTIFICATE, find: "before.epoch !== stated.epoch || ", replace: "" }],
    suite: inNode("rules/certificate"),
  },
  {
    name: "older-set-carried-over",
    fault: "An isolate uses a set that misses what has happened since.",
    edits: [{ file: CERTIFICATE, find: " || before.bypassSeq !== stated.bypassSeq", replace: "" }],
    suite: inNode("rules/certificate"),
  },
];

const SET_MUTANTS: readonly Mutant[] = [
  {
    name: "set-without-holds",
    fault: "The bypass set is built without the users who hold a unit.",
    edits: [
      {
        file: STORE,
        find: "statements.SELECT_CLAIM_MEMBERS, statements.SELECT_HOLD_MEMBERS, ",
        replace: "statements.SELECT_CLAIM_MEMBERS, ",
      },
    ],
    suite: inNode("rules/certificates"),
  },
  {
    name: "set-without-revoked-claims",
    fault: "The bypass set is built without the users whose claim was revoked.",
    edits: [
      {
        file: STORE,
        find: "statements.SELECT_HOLD_MEMBERS, statements.SELECT_REVOKED_MEMBERS]",
        replace: "statements.SELECT_HOLD_MEMBERS]",
      },
    ],
    suite: inNode("rules/certificates"),
  },
  {
    name: "set-without-keys",
    fault: "The bypass set has no keys.",
    edits: [{ file: BYPASS_SET, find: "key !== null && this.#members.add(keyMember(key))", replace: "key !== null && key === null" }],
    suite: inNode("rules/certificates"),
  },
  {
    name: "set-of-an-earlier-life",
    fault: "The bypass set goes on from the coupon of the same name that was deleted.",
    edits: [{ file: BYPASS_SET, find: "if (coupon.epoch !== this.#epoch || ", replace: `if (this.#epoch === "" || ` }],
    suite: inNode("rules/bypass-set"),
  },
  {
    name: "half-a-set",
    fault: "A certificate is issued before all rows were read.",
    edits: [
      {
        file: BYPASS_SET,
        find: "if (!this.#readTables() || !this.#follow(coupon)) return null;",
        replace: "this.#readTables();\n    this.#follow(coupon);",
      },
    ],
    suite: inNode("rules/bypass-set"),
  },
  {
    name: "set-misses-what-happens-meanwhile",
    fault: "What happens while the tables are read is not followed.",
    edits: [
      {
        file: BYPASS_SET,
        find: "if (!this.#readTables() || !this.#follow(coupon)) return null;",
        replace:
          "if (!this.#readTables()) return null;\n    if (!wasWhole) this.#seq = coupon.seq;\n    if (!this.#follow(coupon)) return null;",
      },
    ],
    suite: inNode("rules/bypass-set"),
  },
  {
    name: "changed-set-named-as-the-old-one",
    fault: "A set that has grown keeps its seq, so that isolates keep the old one.",
    edits: [{ file: BYPASS_SET, find: "if (this.#add(member)) this.#changedSeq = member.seq;", replace: "this.#add(member);" }],
    suite: inNode("rules/certificates"),
  },
  {
    name: "set-of-another-epoch-not-sent",
    fault: "An isolate that has a set of another epoch is sent none.",
    edits: [{ file: APPLY, find: "request.known?.epoch === epoch && request.known.bypassSeq", replace: "request.known?.bypassSeq" }],
    suite: inNode("rules/certificates"),
  },
  {
    name: "full-set-never-built-anew",
    fault: "Ended holds stay in the set until it covers nobody.",
    edits: [{ file: BYPASS_SET, find: "return this.#members.isFull && (", replace: "return this.#members.count < 0 && (" }],
    suite: inNode("rules/bypass-set"),
  },
];

export const CERTIFICATE_MUTANTS: readonly Mutant[] = [...LEASE_MUTANTS, ...STATEMENT_MUTANTS, ...SET_MUTANTS];
