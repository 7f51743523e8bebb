// What the sale page offers its visitor: the button's text, what it does, and when there is none.

import { expect, test } from "vitest";

import { pressed, purchaseView, type PurchaseFacts } from "../../src/web/purchase-view.ts";

const NEW: PurchaseFacts = {
  isHoldFlow: false,
  isKnown: true,
  canBuy: true,
  isOver: false,
  isHolding: false,
  isMaybe: false,
  running: null,
  outcome: null,
};

type Row = [about: string, facts: Partial<PurchaseFacts>, label: string | null, press: string, asksWho: boolean];

test.for<Row>([
  ["a new visitor", {}, "Get yours", "claim", true],
  ["a new visitor who reserves first", { isHoldFlow: true }, "Reserve yours", "hold", true],
  ["a visitor without a token", { isKnown: false }, null, "claim", true],
  ["an early visitor", { canBuy: false }, null, "claim", true],
  ["a visitor of a sold-out sale", { canBuy: false, isOver: true }, null, "claim", false],
  ["a running claim", { running: "claim" }, "Getting yours…", "claim", true],
  ["a winner", { outcome: "granted" }, null, "claim", false],
  ["a winner of before", { outcome: "already_claimed", canBuy: false }, null, "claim", false],
  ["a holder", { isHoldFlow: true, isHolding: true, outcome: "held", canBuy: false }, "Confirm", "claim", false],
  ["a holder whose confirmation was limited", { isHolding: true, outcome: "rate_limited" }, "Confirm", "claim", false],
  ["a lost answer after the sale", { isMaybe: true, outcome: "no_answer", canBuy: false, isOver: true }, "Try again", "claim", true],
  ["a lost answer to a confirmation", { isHoldFlow: true, isMaybe: true, outcome: "no_answer" }, "Try again", "claim", true],
  ["a limited visitor", { outcome: "rate_limited" }, "Try again", "claim", true],
  ["a revoked claim", { outcome: "claim_released" }, "Start again", "claim anew", true],
  ["a revoked claim of a sold-out sale", { outcome: "claim_released", canBuy: false }, null, "claim anew", true],
  ["a hold that ran out", { isHoldFlow: true, outcome: "hold_expired" }, "Start again", "hold anew", true],
  ["a refused token", { outcome: "unauthorized" }, null, "claim", true],
  ["a sale that sells again", { outcome: "out_of_stock" }, "Get yours", "claim", true],
])("%s with %o gets the button %s, which does: %s", ([, more, label, press, asksWho]) => {
  const facts = { ...NEW, ...more };
  const view = purchaseView(facts);
  const { action, isAnew } = pressed(facts);
  expect([view.label, view.asksWho, view.canGiveBack]).toEqual([label, asksWho, facts.isHolding]);
  expect(isAnew ? `${action} anew` : action).toBe(press);
});
