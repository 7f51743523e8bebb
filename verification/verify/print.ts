// Prints the checks.

import { TITLES } from "./checks.ts";
import type { Check } from "./verify.ts";
import { counted, quoted } from "./words.ts";

const TITLE_WIDTH = Math.max(...Object.values(TITLES).map(({ length }) => length)) + 2;
/** With more coupons only failures are printed. */
const COUPONS_SHOWN_MAX = 20;

/** Prints each coupon with its checks, and a total. Of many coupons it prints only failures, unless `all`. */
export function printChecks(checks: readonly Check[], { all = false }: { readonly all?: boolean } = {}): void {
  const coupons = byCoupon(checks);
  const isWhole = all || coupons.length <= COUPONS_SHOWN_MAX;
  const shown = isWhole ? coupons : coupons.map((ofOne) => ofOne.filter(({ verdict }) => verdict === "FAIL"));
  for (const line of [...shown.flatMap(blockOf), totalOf(coupons.length, checks)]) console.log(line);
}

function byCoupon(checks: readonly Check[]): Check[][] {
  const coupons: Check[][] = [];
  let last: Check | undefined;
  for (const check of checks) {
    const isNext = last === undefined || check.coupon !== last.coupon || check.number <= last.number;
    if (isNext) coupons.push([check]);
    else coupons.at(-1)?.push(check);
    last = check;
  }
  return coupons;
}

function blockOf(ofOne: readonly Check[]): string[] {
  const [first] = ofOne;
  return first === undefined ? [] : [headingOf(first), ...ofOne.map(lineOf), ""];
}

function headingOf({ coupon, stock }: Check): string {
  if (stock === undefined) return quoted(coupon);
  const { amount, claimed, held, remaining } = stock;
  return `${quoted(coupon)}  amount ${amount}, claimed ${claimed}, held ${held}, remaining ${remaining}`;
}

function lineOf({ number, title, verdict, detail }: Check): string {
  return `  ${verdict}  ${number}  ${title.padEnd(TITLE_WIDTH)}${detail}`;
}

function totalOf(couponCount: number, checks: readonly Check[]): string {
  const skippedCount = checks.filter(({ verdict }) => verdict === "SKIP").length;
  const failedCount = checks.filter(({ verdict }) => verdict === "FAIL").length;
  const skipped = skippedCount === 0 ? "" : `, ${skippedCount} skipped`;
  return `${counted(couponCount, "coupon")}, ${counted(checks.length - skippedCount, "check")}, ${failedCount} failed${skipped}`;
}
