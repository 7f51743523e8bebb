// Receipts that clients wrote into a file: a line of JSON for each 201.

import { readFile } from "node:fs/promises";

import { CommandFailure, EXIT } from "../../scripts/cli/command.ts";
import type { Receipt } from "./verify.ts";

/**
 * Reads the receipts of a file: `{coupon, userId, position, claimedAt}`, or the body of a 201. Throws
 * {@link CommandFailure} where the file can't be read or a line is not a receipt.
 */
export async function receiptsIn(file: string): Promise<Receipt[]> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new CommandFailure(`--receipts ${file} can't be read: ${String((cause as NodeJS.ErrnoException).code)}`, EXIT.usage);
  });
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const receipt = receiptIn(line);
    if (receipt !== null) return [receipt];
    throw new CommandFailure(`line ${index + 1} of ${file} is no receipt: it takes coupon, userId, position and claimedAt`, EXIT.usage);
  });
}

function receiptIn(line: string): Receipt | null {
  const fields = objectIn(line);
  const coupon = fields["coupon"] ?? fields["coupon_name"];
  const userId = fields["userId"] ?? fields["user_id"];
  const claimedAt = fields["claimedAt"] ?? fields["claimed_at"];
  const { position } = fields;
  const isReceipt = typeof coupon === "string" && typeof userId === "string" && Number.isInteger(position) && typeof claimedAt === "string";
  return isReceipt ? { coupon, userId, position: Number(position), claimedAt } : null;
}

function objectIn(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
