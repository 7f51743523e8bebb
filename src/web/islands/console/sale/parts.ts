// What the parts of the page of one sale share.

import { useState } from "preact/hooks";

import type { CallOptions, Refused } from "../api.ts";
import { sendIfUnchanged } from "./change.ts";
import type { Coupon } from "./coupon.ts";

export type SaleProps = {
  readonly coupon: Coupon;
  /** The time of now by the server's clock. */
  readonly now: number;
  /** Reads everything again. */
  readonly refresh: () => void;
};

export type Seen = {
  /** The sale as the open dialog shows it. */
  readonly seen: Coupon;
  readonly open: () => void;
  /** Sends a change. If somebody else was faster, the dialog shows the new state. */
  readonly send: (rest: string, options: CallOptions) => Promise<{ readonly ok: true; readonly value: Coupon } | Refused>;
};

/** Keeps what the operator sees in a dialog, so that a change rests on nothing else. */
export function useSeen({ coupon, refresh }: SaleProps): Seen {
  const [seen, setSeen] = useState(coupon);
  return {
    seen,
    open: () => setSeen(coupon),
    async send(rest, options) {
      const answer = await sendIfUnchanged(seen, rest, options);
      if ("now" in answer) setSeen(answer.now);
      refresh();
      return answer;
    },
  };
}
