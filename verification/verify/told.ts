// What clients were told, from a file that they wrote: a line of JSON for each 201.

import { readFile } from "node:fs/promises";

import { CommandFailure, EXIT } from "../cli/command.ts";
import type { Told } from "./verify.ts";

/**
 * Reads the receipts of a file: `{coupon, userId, position, claimedAt}`, or the 201's body as it came. Throws
 * {@link CommandFailure} where the file or one of its lines is no such thing.
 */
export async function toldIn(file: string): Promise<Told[]> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new CommandFailure(`--told ${file} can't be read: ${String((cause as NodeJS.ErrnoException).code)}`, EXIT.usage);
  });
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const told = toldOf(line);
    if (told !== null) return [told];
    throw new CommandFailure(`line ${index + 1} of ${file} is no receipt: it takes coupon, userId, position and claimedAt`, EXIT.usage);
  });
}

function toldOf(line: string): Told | null {
  const fields = objectOf(line);
  const coupon = fields["coupon"] ?? fields["coupon_name"];
  const userId = fields["userId"] ?? fields["user_id"];
  const claimedAt = fields["claimedAt"] ?? fields["claimed_at"];
  const { position } = fields;
  const isReceipt = typeof coupon === "string" && typeof userId === "string" && Number.isInteger(position) && typeof claimedAt === "string";
  return isReceipt ? { coupon, userId, position: Number(position), claimedAt } : null;
}

function objectOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
