// The actions that take something away: end all holds, archive and delete.

import type { JSX } from "preact";

import { call, couponPath } from "../api.ts";
import { units } from "../format.ts";
import { Action, notifyNext } from "../ui.tsx";
import { capital, claimedOf, claims, holds, isolated, leftIn } from "./coupon.ts";
import { useSeen, type SaleProps } from "./parts.ts";

/** The button that ends all holds. */
export function EndHoldsAction({ coupon, refresh }: SaleProps): JSX.Element {
  const { name, held_amount: held, state } = coupon;
  const isOne = held === 1;
  return (
    <Action
      label="End all holds"
      isDisabled={held === 0}
      isDanger
      before={
        <p>
          {capital(holds(held))} {isOne ? "ends and its unit goes" : "end and their units go"} back to the stock.{" "}
          {isOne ? "Its user" : "Their users"} can no longer be sure of a unit
          {state === "open" || state === "sold_out" ? ", and others can claim it" : ""}.
        </p>
      }
      run={async () => {
        type Ended = { readonly ended_count: number; readonly remaining_amount: number };
        const answer = await call<Ended>(couponPath(name, "/holds"), { method: "DELETE" });
        refresh();
        if (!answer.ok) return answer;
        const { ended_count: ended } = answer.value;
        return `${capital(holds(ended))} ended, and ${units(ended)} went back to the stock: ${leftIn(answer.value)}.`;
      }}
    />
  );
}

/** The button that closes a sale for good. */
export function ArchiveAction(props: SaleProps): JSX.Element {
  const { seen, open, send } = useSeen(props);
  const claimed = claimedOf(seen);
  const ends = seen.held_amount === 0 ? "" : ` ${capital(holds(seen.held_amount))} ${seen.held_amount === 1 ? "ends" : "end"}.`;
  return (
    <Action
      label="Archive"
      isDanger
      typed={seen.name}
      onOpen={open}
      before={
        <p>
          The sale closes for good, and {leftIn(seen)} unsold.{ends} The {claims(claimed)} and the history stay readable. It can't be opened
          again.
        </p>
      }
      run={async () => {
        const answer = await send("/archive", { method: "POST" });
        return answer.ok ? `The sale is archived with ${claims(claimedOf(answer.value))}.` : answer;
      }}
    />
  );
}

/** The button that deletes a sale. */
export function DeleteAction(props: SaleProps): JSX.Element {
  const { seen, open, send } = useSeen(props);
  const claimed = claims(claimedOf(seen));
  return (
    <Action
      label="Delete"
      isDanger
      typed={seen.name}
      onOpen={open}
      before={
        <>
          <p>
            The sale, its {claimed}, its {holds(seen.held_amount)} and its history are gone. Nothing brings them back. Export the claims
            before, or archive the sale instead.
          </p>
          <p>The name can be used again.</p>
        </>
      }
      run={async () => {
        const answer = await send("", { method: "DELETE" });
        if (!answer.ok) return answer;
        notifyNext(`The sale ${isolated(seen.name)} is deleted, with ${claimed}.`);
        location.assign("/operator");
        return `The sale is deleted, with ${claimed}.`;
      }}
    />
  );
}
