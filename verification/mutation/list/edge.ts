// Faults in what an isolate remembers of a coupon: certificates and snapshots.

import { inNode, inWorkerd, type Mutant } from "../mutant.ts";

const CERTIFICATES = "src/edge/certificates.ts";
const SNAPSHOTS = "src/edge/snapshots.ts";

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
    suite: inWorkerd("worker/edge/certificates"),
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
    suite: inWorkerd("worker/edge/certificate-age"),
  },
  {
    name: "certificate-older-than-what-was-shown",
    fault: "An isolate that has seen a newer head refuses with the seq of before.",
    edits: [{ file: CERTIFICATES, find: "isShowable(name, entry) && covers", replace: "covers" }],
    suite: inWorkerd("worker/edge/certificates"),
  },
  {
    name: "renewal-cancelled-with-its-visitor",
    fault: "A certificate is requested within the visitor's request, and is lost when that ends.",
    edits: [{ file: CERTIFICATES, find: "waitUntil(renew(env, name, entry, now));", replace: "void renew(env, name, entry, now);" }],
    suite: inWorkerd("worker/edge/certificate-renewal"),
  },
  {
    name: "renewals-at-the-same-time",
    fault: "Every refused claim requests a certificate while one is requested.",
    edits: [{ file: CERTIFICATES, find: "entry.isRenewing ? limits.CERTIFICATE_TAKEOVER_MS", replace: "entry.isRenewing ? 0" }],
    suite: inWorkerd("worker/edge/certificate-renewal"),
  },
  {
    name: "certificate-requested-again-at-once",
    fault: "An isolate that was given no certificate requests one with every refused claim.",
    edits: [{ file: CERTIFICATES, find: "limits.CERTIFICATE_RETRY_MS * (1 + Math.random());", replace: "-1e6 * (1 + Math.random());" }],
    suite: inWorkerd("worker/edge/certificate-renewal"),
  },
  {
    name: "overtaken-renewal-used",
    fault: "A certificate request that another one has replaced still counts.",
    edits: [{ file: CERTIFICATES, find: "if (requestedAt !== entry.renewedAt) return;", replace: "" }],
    suite: inWorkerd("worker/edge/certificate-renewal"),
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
    suite: inWorkerd("worker/edge/certificate-renewal"),
  },
  {
    name: "refusals-at-the-edge-not-reported",
    fault: "What an isolate refuses is counted nowhere.",
    edits: [{ file: CERTIFICATES, find: "if (isCounted) entry.refused", replace: "if (isCounted && code === null) entry.refused" }],
    suite: inWorkerd("worker/edge/certificate-renewal"),
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
    suite: inWorkerd("worker/edge/certificate-renewal"),
  },
  {
    name: "start-counted-from-the-certificate",
    fault: "Retry-After at the edge does not get shorter as the start comes nearer.",
    edits: [{ file: "src/domain/certificate.ts", find: "startsInMs - (now - requestedAt)", replace: "startsInMs" }],
    suite: inNode("rules/certificate"),
  },
];

const SNAPSHOT_MUTANTS: readonly Mutant[] = [
  {
    name: "snapshot-older-than-acknowledged",
    fault: "An isolate that has acknowledged a claim shows the coupon as it was before.",
    edits: [{ file: SNAPSHOTS, find: `"cause" in result || !isCurrent(name, result.seq, order)`, replace: `"cause" in result` }],
    suite: inWorkerd("worker/live/snapshots"),
  },
  {
    name: "snapshot-beyond-a-window-edge",
    fault: "An isolate shows a coupon as it was before its sale began.",
    edits: [{ file: SNAPSHOTS, find: "Math.min(SNAPSHOT_MS_MAX, untilMs)", replace: "SNAPSHOT_MS_MAX" }],
    suite: inWorkerd("worker/live/snapshots"),
  },
  {
    name: "snapshot-for-a-minute",
    fault: "An isolate shows a coupon as it was a minute ago.",
    edits: [{ file: SNAPSHOTS, find: "Math.min(SNAPSHOT_MS_MAX, untilMs)", replace: "Math.min(60_000, untilMs)" }],
    suite: inWorkerd("worker/live/snapshots"),
  },
  {
    name: "every-viewer-reads",
    fault: "Of viewers who arrive at once, each reads the object.",
    edits: [{ file: SNAPSHOTS, find: "if (!isReading(name, now)) return readNow", replace: "if (now > 0) return readNow" }],
    suite: inWorkerd("worker/live/snapshots"),
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
    suite: inWorkerd("worker/live/snapshots"),
    hangs: true,
  },
  {
    name: "read-cancelled-with-its-viewer",
    fault: "A read for all viewers ends when its own viewer leaves.",
    edits: [{ file: SNAPSHOTS, find: "  waitUntil(reading);", replace: "" }],
    suite: inWorkerd("worker/live/snapshots"),
  },
  {
    name: "stream-without-an-end",
    fault: "A stream goes on after its request has used up its subrequests, and shows nothing any more.",
    edits: [{ file: "src/http/event-stream.ts", find: "readCount >= STREAM_LOOKS_MAX", replace: "readCount < -STREAM_LOOKS_MAX" }],
    suite: inWorkerd("worker/live/stream-ends", "ends without a timer"),
    hangs: true,
  },
];

export const EDGE_MUTANTS: readonly Mutant[] = [...CERTIFICATE_MUTANTS, ...SNAPSHOT_MUTANTS];
