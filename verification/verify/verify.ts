// Verifies the files of coupons without any code of the product. What the files hold has to add up.

import { rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

import { CommandFailure } from "../../scripts/cli/command.ts";
import { removeScratch, scratchFolder } from "../../scripts/server/workerd.ts";
import { apiAt, type Api, type ApiOptions } from "./api.ts";
import { forgottenCheck, lostWithItsCoupon } from "./checks.ts";
import { checksOfFile } from "./object-file.ts";
import { ReadModel } from "./read-model.ts";
import { fileOf, stateFolder, type StateFolder } from "./state-folder.ts";
import { quoted } from "./words.ts";

export { printChecks } from "./print.ts";

/** A receipt that a client got with 201. */
export type Receipt = { readonly coupon: string; readonly userId: string; readonly position: number; readonly claimedAt: string };

/** A coupon's counters, as its file has them. */
export type Stock = { readonly amount: number; readonly claimed: number; readonly held: number; readonly remaining: number };

export type Check = {
  readonly coupon: string;
  readonly number: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
  readonly title: string;
  readonly verdict: "PASS" | "FAIL" | "SKIP";
  readonly detail: string;
  /** Left out where the file can't be read. */
  readonly stock?: Stock;
};

export type VerifyOptions = {
  /** The folder that a server was given for its state, or the folder with the files. */
  readonly state: string;
  /** This coupon alone. */
  readonly coupon?: string;
  /** The server of that state. Its answers are compared with the files. */
  readonly api?: ApiOptions;
  /** All receipts that clients got. */
  readonly receipts?: readonly Receipt[];
  /** Whether the read model must have every event. Otherwise it may be behind. */
  readonly isDelivered?: boolean;
  /** Called after each file. */
  readonly onProgress?: (count: number, total: number) => void;
};

/**
 * Checks every coupon of a state folder, or one. A server may write meanwhile. A fault of a coupon is a
 * failed check, never thrown. Throws {@link CommandFailure} where the folder is not a state of Doorbuster,
 * lacks the coupon, or the API does not answer.
 */
export async function verify(options: VerifyOptions): Promise<readonly Check[]> {
  const state = await stateFolder(options.state);
  const scratch = await scratchFolder(`verify-${process.pid}`);
  // After an interrupt the process ends without waiting for promises.
  process.once("exit", removeAtExit);
  const api = options.api === undefined ? null : apiAt(options.api);
  // It is copied before the ledgers, so it can't be ahead of them.
  const readModel = await ReadModel.open(state.folder, join(scratch, "read-model.sqlite"));
  try {
    return await checked(state, options, scratch, api, readModel);
  } finally {
    await api?.close();
    await readModel?.close();
    await removeScratch(scratch);
    process.off("exit", removeAtExit);
  }

  function removeAtExit(): void {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
    try {
      rmdirSync(dirname(scratch));
    } catch {
      // Another command still uses the parent folder.
    }
  }
}

async function checked(
  { folder, files }: StateFolder,
  options: VerifyOptions,
  scratch: string,
  api: Api | null,
  readModel: ReadModel | null,
): Promise<Check[]> {
  const { coupon, onProgress, isDelivered = false } = options;
  const receipts = options.receipts === undefined ? null : byCoupon(options.receipts);
  const named = [...(receipts?.keys() ?? []), ...(coupon === undefined ? [] : [coupon])];
  const names = new Map(named.map((name) => [fileOf(name), name]));
  const means = { copy: join(scratch, "copy.sqlite"), api, receipts, names, wanted: coupon, readModel, isDelivered };
  const checks: Check[] = [];
  const seen = new Set<string>();

  for (const [index, file] of inOrder(files, coupon).entries()) {
    const ofFile = await checksOfFile(join(folder, file), means);
    checks.push(...ofFile);
    // A coupon that is deleted has only the ninth check.
    for (const check of ofFile) if (check.number === 8) seen.add(check.coupon);
    onProgress?.(index + 1, files.length);
    if (coupon !== undefined && ofFile.length > 0) return checks;
  }
  if (coupon !== undefined) throw new CommandFailure(`there is no coupon ${quoted(coupon)} in ${folder}`);
  for (const [name, lost] of receipts ?? []) if (!seen.has(name)) checks.push(lostWithItsCoupon(name, lost));
  if (readModel !== null) checks.push(...(await forgottenChecks(folder, readModel, scratch)));
  return checks;
}

/** The failed checks of incarnations that are in no file. A second copy shows which were deleted during the verification. */
async function forgottenChecks(folder: string, before: ReadModel, scratch: string): Promise<Check[]> {
  const unknown = before.others();
  const now = unknown.length === 0 ? null : await ReadModel.open(folder, join(scratch, "read-model-now.sqlite"));
  const checks = now === null ? [] : unknown.flatMap((epoch) => forgottenCheck(epoch, now) ?? []);
  await now?.close();
  return checks;
}

/** The wanted coupon's own file comes first. */
function inOrder(files: readonly string[], coupon: string | undefined): readonly string[] {
  if (coupon === undefined) return files;
  const own = fileOf(coupon);
  return [...files.filter((file) => file === own), ...files.filter((file) => file !== own)];
}

function byCoupon(receipts: readonly Receipt[]): ReadonlyMap<string, readonly Receipt[]> {
  const grouped = new Map<string, Receipt[]>();
  for (const receipt of receipts) {
    const group = grouped.get(receipt.coupon);
    if (group === undefined) grouped.set(receipt.coupon, [receipt]);
    else group.push(receipt);
  }
  return grouped;
}
