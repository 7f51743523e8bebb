// One sale on one server: all users claim at the same instant, and then the results are counted.

import { CommandFailure } from "../../scripts/cli/command.ts";
import { couponClient, type Answer } from "../client/coupon-client.ts";
import { connectionTo, connectUsers } from "../stress/virtual-users.ts";
import { drive } from "../stress/load.ts";
import { countOutcomes, receiptsOf, wordsOf } from "../stress/outcomes.ts";

export type Sale = { readonly users: number; readonly stock: number; readonly coupon: string };

export type Sold = {
  readonly granted: number;
  readonly outOfStock: number;
  /** Requests with any other outcome. */
  readonly errors: number;
  /** Different positions of the receipts. */
  readonly positions: number;
  /** The server's own count afterwards. */
  readonly remaining: number;
};

const TIMEOUT_MS = 30_000;

/** Sells `stock` units to `users` users, each with its own open connection. Throws if the server can't. */
export async function sell(label: string, url: string, { users, stock, coupon }: Sale): Promise<Sold> {
  const server = { url, adminToken: undefined, timeoutMs: TIMEOUT_MS };
  const connection = connectionTo(server);
  const virtualUsers = await connectUsers(server, users);
  try {
    const operator = couponClient(connection, server);
    expectStatus(await operator.create(coupon, stock), 201);
    const slots = virtualUsers.users.map((user, index) => {
      const userId = `user-${index + 1}`;
      return { atMs: 0, coupon, userId, send: () => user.claim(coupon, userId) };
    });
    const sent = await drive(label, slots, virtualUsers);
    const counts = countOutcomes(sent);
    const receipts = receiptsOf(sent);
    const status = expectStatus(await operator.status(coupon), 200);
    return {
      granted: counts.claim_granted,
      outOfStock: counts.claim_out_of_stock,
      errors: users - counts.claim_granted - counts.claim_out_of_stock,
      positions: new Set(receipts.map(({ position }) => position)).size,
      remaining: Number(status.body["remaining_amount"]),
    };
  } finally {
    await Promise.all([virtualUsers.close(), connection.destroy()]);
  }
}

/** Whether exactly the stock is granted at different positions, and all other users are refused. */
export function isExact({ users, stock }: Omit<Sale, "coupon">, { granted, outOfStock, errors, positions, remaining }: Sold): boolean {
  const winners = Math.min(users, stock);
  return granted === winners && positions === winners && outOfStock === users - winners && errors === 0 && remaining === stock - winners;
}

/** Granted units beyond the stock. */
export function oversoldBy({ stock }: Pick<Sale, "stock">, { granted }: Sold): number {
  return Math.max(0, granted - stock);
}

function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer;
  throw new CommandFailure(`the server answered ${wordsOf(answer)} instead of ${status}`);
}
