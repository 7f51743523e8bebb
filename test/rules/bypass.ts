// Certificates as the tests read them.

import { mayContain } from "../../src/domain/bloom-filter.ts";
import type { Certificate, CertificateRequest } from "../../src/domain/certificate.ts";
import type { AnswerTo } from "../../src/engine/message.ts";
import { T0, type EngineCalls } from "./coupon.ts";

/** A certificate request of an isolate that has no bypass set and has refused no claims. */
export const NOTHING_KNOWN: CertificateRequest = { known: null, refused: {} };

/** The certificate in an answer, or null where none is issued. */
export function certified(answer: AnswerTo<"certify">): Certificate | null {
  if (!answer.ok) throw new Error(`no certificate: ${answer.code}`);
  return answer.certificate;
}

/** A certificate with the whole bypass set. Throws where the coupon issues none. */
export function certificateOf(engine: EngineCalls, at = T0): Certificate {
  let answer = engine.certify(NOTHING_KNOWN, at);
  while (!answer.ok && answer.code === "bypass_incomplete") answer = engine.certify(NOTHING_KNOWN, at);
  const certificate = certified(answer);
  if (certificate === null) throw new Error("no certificate is issued");
  return certificate;
}

/** Returns the members of `asked` that are certainly not in the bypass set. */
export function unknownTo({ bypass }: Certificate, asked: readonly string[]): string[] {
  const isKnown = mayContain(bypass ?? []);
  return asked.filter((member) => !isKnown(member));
}
