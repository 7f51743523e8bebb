// A backup as a stream, in constant memory.

import { backupChunks, errorLine, type BackupPage } from "../backup-file.ts";
import { callCoupon } from "../edge/coupon-calls.ts";
import type { CouponEnv } from "../edge/env.ts";
import type { OnBreak } from "./claim-export.ts";

/** Streams a backup that begins with `first`. If a page can't be read, the last line says so, and the backup has no hash. */
export function backupStream(env: CouponEnv, name: string, first: BackupPage, onBreak: OnBreak): ReadableStream<Uint8Array> {
  const { epoch, seq } = first.header;
  const chunks = backupChunks(first, (after) => callCoupon(env, name, (coupon) => coupon.backup(epoch, after, seq), "read"));
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next().catch((cause: unknown) => {
        onBreak(cause);
        const text = errorLine(cause instanceof Error ? cause.message : String(cause));
        return { done: false, value: new TextEncoder().encode(text) } as const;
      });
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
  });
}
