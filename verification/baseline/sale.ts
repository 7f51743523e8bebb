// One sale on one server: everybody claims at the same instant, and then it is counted.

import { CommandFailure } from "../cli/command.ts";
import { couponClient, type Answer } from "../client/coupon-client.ts";
import { connectionTo, connectUsers } from "../stress/virtual-users.ts";
import { drive } from "../stress/load.ts";
import { countOutcomes, receiptsOf, wordsOf } from "../stress/outcomes.ts";

export type Sale = { readonly users: number; readonly stock: number; readonly coupon: string };

export type Sold = {
  /** Users who were told 201. */
  readonly granted: number;
  readonly outOfStock: number;
  /** Requests that ended in any other way. */
  readonly errors: number;
  /** Different positions on the receipts. */
  readonly positions: number;
  /** What the server itself says is left afterwards. */
  readonly remaining: number;
};

const TIMEOUT_MS = 30_000;

/** Sells `stock` units to `users` users, each with a connection of its own that is open before. Throws where the server can't. */
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

/** Whether exactly the stock went out, to everybody a different unit, and everybody else was told so. */
export function isExact({ users, stock }: Omit<Sale, "coupon">, { granted, outOfStock, errors, positions, remaining }: Sold): boolean {
  const winners = Math.min(users, stock);
  return granted === winners && positions === winners && outOfStock === users - winners && errors === 0 && remaining === stock - winners;
}

/** Units that were promised and are not there. */
export function oversoldBy({ stock }: Pick<Sale, "stock">, { granted }: Sold): number {
  return Math.max(0, granted - stock);
}

function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer;
  throw new CommandFailure(`the server answered ${wordsOf(answer)} where ${status} was due`);
}
