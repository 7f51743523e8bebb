// The same app, and an object that answers a claim without doing anything. The difference is what storing costs.

import { DurableObject } from "cloudflare:workers";

import type { ClaimRequest } from "../../src/domain/claim.ts";
import type { BatchResult, ClaimResult, LaneMessage } from "../../src/domain/rpc.ts";
import { createApp } from "../../src/http/app.ts";

export * from "../../src/objects.ts";

export class CouponObject extends DurableObject {
  async claim({ userId, key, attemptId }: ClaimRequest): Promise<ClaimResult> {
    return { ok: true, claim: { userId, position: 1, claimedAt: 0, remainingAfter: 0, key, attemptId }, replayed: false, seq: 1 };
  }

  async batch(messages: readonly LaneMessage[]): Promise<BatchResult> {
    return { answers: await Promise.all(messages.flatMap((message) => (message.kind === "claim" ? [this.claim(message.request)] : []))) };
  }
}

export default createApp();
