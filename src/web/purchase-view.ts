// What the sale page offers to its visitor: the button, and whether a unit or a hold is shown as the visitor's own.

import { isGrant, outcomeView, type OutcomeCode } from "./outcome-view.ts";

export const ACTIONS = ["claim", "hold", "give_back"] as const;
export type Action = (typeof ACTIONS)[number];

export type PurchaseFacts = {
  /** The page first reserves a unit, and then confirms. */
  readonly isHoldFlow: boolean;
  /** Whether the page knows who buys, or asks. */
  readonly isKnown: boolean;
  /** Whether the sale gives units to new users. */
  readonly canBuy: boolean;
  /** Nothing more will happen in this sale. */
  readonly isOver: boolean;
  readonly isHolding: boolean;
  /** An answer is missing, so the visitor may have a unit. */
  readonly isMaybe: boolean;
  readonly running: Action | null;
  readonly outcome: OutcomeCode | null;
};

export type PurchaseView = {
  /** Null hides the button. */
  readonly label: string | null;
  readonly canGiveBack: boolean;
  /** The page asks for the visitor's id, where no token names it. */
  readonly asksWho: boolean;
  /** The visitor's own unit or hold matters more than the sale. */
  readonly isMine: boolean;
};

const BUSY = { claim: "Getting yours…", hold: "Reserving…", give_back: "Giving it back…" } as const satisfies Record<Action, string>;

/** Returns the text of the button of a visitor who has tried nothing. */
export function firstLabel(isHoldFlow: boolean): string {
  return isHoldFlow ? "Reserve yours" : "Get yours";
}

/** Returns what the page offers. */
export function purchaseView(facts: PurchaseFacts): PurchaseView {
  const { isHoldFlow, isKnown, canBuy, isOver, isHolding, isMaybe, running, outcome } = facts;
  const isMine = isHolding || (outcome !== null && isGrant(outcome));
  const show = (label: string | null): PurchaseView => ({
    label,
    canGiveBack: isHolding,
    isMine,
    asksWho: !isMine && (label !== null || !isOver),
  });
  if (running !== null) return show(BUSY[running]);
  if (!isKnown) return show(null);
  if (isHolding) return show("Confirm");
  if (isMine) return show(null);
  const words = outcome === null ? null : outcomeView(outcome);
  const label = words?.button?.label ?? firstLabel(isHoldFlow);
  // An attempt without an answer may be sent again whatever the state is: its unit may be there.
  if (isMaybe) return show(label);
  const isFinal = words?.tone === "bad" && words.button === null;
  return show(canBuy && !isFinal ? label : null);
}

/** Returns what a press of the button does. With `isAnew` it is a new attempt. */
export function pressed({ isHoldFlow, isHolding, isMaybe, outcome }: PurchaseFacts): { readonly action: Action; readonly isAnew: boolean } {
  const isAnew = !isHolding && !isMaybe && outcome !== null && outcomeView(outcome).button?.sends === "anew";
  return { action: isHoldFlow && !isHolding && !isMaybe ? "hold" : "claim", isAnew };
}

/** Whether an outcome is past once the sale can sell again. */
export function isPast(outcome: OutcomeCode): boolean {
  return ["out_of_stock", "sale_not_started", "sale_paused", "sale_ended", "hold_limit_reached"].includes(outcome);
}
