// Verifies the files of coupons without any code of the product: what they hold has to add up, whoever wrote them.

import { rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

import { CommandFailure } from "../cli/command.ts";
import { removeScratch, scratchFolder } from "../server/workerd.ts";
import { apiAt, type Api, type ApiOptions } from "./api.ts";
import { lostWithItsCoupon } from "./checks.ts";
import { checksOfFile } from "./object-file.ts";
import { fileOf, stateFolder, type StateFolder } from "./state-folder.ts";
import { quoted } from "./words.ts";

export { printChecks } from "./print.ts";

/** One 201 that a client got. */
export type Told = { readonly coupon: string; readonly userId: string; readonly position: number; readonly claimedAt: string };

/** A coupon's own numbers, as its file has them. */
export type Stock = { readonly amount: number; readonly claimed: number; readonly held: number; readonly remaining: number };

export type Check = {
  readonly coupon: string;
  readonly number: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;
  readonly title: string;
  readonly verdict: "PASS" | "FAIL" | "SKIP";
  readonly detail: string;
  /** Left out where the file can't be read. */
  readonly stock?: Stock;
};

export type VerifyOptions = {
  /** The folder that a server keeps its objects in, or the one with their files itself. */
  readonly state: string;
  /** This coupon alone. */
  readonly coupon?: string;
  /** The server of that state, to be asked for each coupon. */
  readonly api?: ApiOptions;
  /** All that clients were told about. */
  readonly told?: readonly Told[];
  /** Is told how many files of how many were seen. */
  readonly onProgress?: (count: number, total: number) => void;
};

/**
 * Checks every coupon of a state folder, or one; a server may go on meanwhile. What holds of no coupon is in the answer and never
 * thrown. Throws {@link CommandFailure} where the folder is no state of ours, the coupon is not in there, or the API does not answer.
 */
export async function verify(options: VerifyOptions): Promise<readonly Check[]> {
  const state = await stateFolder(options.state);
  const scratch = await scratchFolder(`verify-${process.pid}`);
  // Ends with the process as well, where nobody waits for promises any more.
  process.once("exit", removeAtExit);
  const api = options.api === undefined ? null : apiAt(options.api);
  try {
    return await checked(state, options, scratch, api);
  } finally {
    await api?.close();
    await removeScratch(scratch);
    process.off("exit", removeAtExit);
  }

  function removeAtExit(): void {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
    try {
      rmdirSync(dirname(scratch));
    } catch {
      // Another command has something in there.
    }
  }
}

async function checked({ folder, files }: StateFolder, { coupon, told, onProgress }: VerifyOptions, scratch: string, api: Api | null) {
  const receipts = told === undefined ? null : toldByCoupon(told);
  const named = [...(receipts?.keys() ?? []), ...(coupon === undefined ? [] : [coupon])];
  const names = new Map(named.map((name) => [fileOf(name), name]));
  const means = { copy: join(scratch, "copy.sqlite"), api, told: receipts, names, wanted: coupon };
  const checks: Check[] = [];
  const seen = new Set<string>();

  for (const [index, file] of inOrder(files, coupon).entries()) {
    const ofFile = await checksOfFile(join(folder, file), means);
    checks.push(...ofFile);
    for (const check of ofFile) seen.add(check.coupon);
    onProgress?.(index + 1, files.length);
    if (coupon !== undefined && seen.has(coupon)) return checks;
  }
  if (coupon !== undefined) throw new CommandFailure(`there is no coupon ${quoted(coupon)} in ${folder}`);
  for (const [name, lost] of receipts ?? []) if (!seen.has(name)) checks.push(lostWithItsCoupon(name, lost));
  return checks;
}

/** With a coupon in mind, the file that it should be in comes first. */
function inOrder(files: readonly string[], coupon: string | undefined): readonly string[] {
  if (coupon === undefined) return files;
  const own = fileOf(coupon);
  return [...files.filter((file) => file === own), ...files.filter((file) => file !== own)];
}

function toldByCoupon(told: readonly Told[]): ReadonlyMap<string, readonly Told[]> {
  const byCoupon = new Map<string, Told[]>();
  for (const receipt of told) {
    const receipts = byCoupon.get(receipt.coupon);
    if (receipts === undefined) byCoupon.set(receipt.coupon, [receipt]);
    else receipts.push(receipt);
  }
  return byCoupon;
}
