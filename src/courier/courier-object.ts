// The Durable Object that delivers one coupon's ledger to its sinks.

import { DurableObject } from "cloudflare:workers";

import type { CourierCalls } from "../domain/rpc.ts";

export class CourierObject extends DurableObject implements CourierCalls {
  async notify(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now());
  }

  async replay(_endpointId: string, _fromSeq: number): Promise<boolean> {
    await this.notify();
    return true;
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }
}
