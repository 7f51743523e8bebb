// A backup as a stream: the first line, the events page by page in constant memory, and a last line with a hash of all lines before.

import type { BackupResult } from "../domain/rpc.ts";
import { hexOf } from "../domain/sha256.ts";
import { callCoupon } from "../edge/coupon-calls.ts";
import type { CouponEnv } from "../edge/env.ts";
import { endLine, errorLine, eventLine, headerLine } from "./backup-lines.ts";

type BackupPage = Extract<BackupResult, { readonly ok: true }>;
const utf8 = new TextEncoder();

/**
 * Streams a backup that begins with `first`. All pages end with the event that was the last one at `first`. If a page can't be read, the
 * last line says so, and the backup has no hash.
 */
export function backupStream(env: CouponEnv, name: string, first: BackupPage): ReadableStream<Uint8Array> {
  const { epoch, seq } = first.header;
  const digest = new crypto.DigestStream("SHA-256");
  const hash = digest.getWriter();
  let page = first;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const lines = page.events.map(eventLine).join("");
      const bytes = utf8.encode(page === first ? headerLine(first.header) + lines : lines);
      controller.enqueue(bytes);
      await hash.write(bytes);
      const { next } = page;
      if (next === null) {
        await hash.close();
        const sha256 = hexOf(new Uint8Array(await digest.digest));
        controller.enqueue(utf8.encode(endLine({ epoch, seq, sha256 })));
        controller.close();
        return;
      }
      const result = await callCoupon(env, name, (coupon) => coupon.backup(epoch, next, seq), "read");
      if (result.ok) page = result;
      else {
        controller.enqueue(utf8.encode(errorLine(`the backup ended early: ${result.code}`)));
        controller.close();
      }
    },
  });
}
