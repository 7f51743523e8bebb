// The requests of one sale: what callers and the operator do with its coupons. Each is sent again until it is answered.

import type { Answer, CouponClient } from "../client/coupon-client.ts";
import type { Random } from "../random.ts";
import type { Receipt } from "../verify/verify.ts";

/** Sends one request. Rejects without an answer. Throws a {@link WrongAnswer} for one that can't be right. */
export type Request = (client: CouponClient) => Promise<void>;

/** The requests of one coupon. Those of one stage can be sent in any order, after all of the stage before. */
export type Lane = Request[][];

export class WrongAnswer extends Error {}

/** A bulk claim has so many users. */
const BULK_SIZE = 15;
/** Of a coupon's users so many hold first, lose their claim again, or meet a change. */
const HOLDS = 12;
const REVOKES = 8;
const CHANGES = 4;
/** The sale of a coupon that was created again ends so long after its last request. */
const ENDS_IN_MS = 1_500;

/** What callers got. */
export class Account {
  readonly receipts: Receipt[] = [];
  /** Called after each answer. */
  onAnswer: () => void = () => undefined;

  granted(coupon: string, { user_id: userId, position, claimed_at: claimedAt }: Answer["body"]): void {
    const isNew = !this.receipts.some((one) => one.coupon === coupon && one.userId === userId && one.claimedAt === claimedAt);
    if (isNew) this.receipts.push({ coupon, userId: String(userId), position: Number(position), claimedAt: String(claimedAt) });
  }
}

/** Draws the requests of a coupon, with `claimCount` users who claim alone. `ending` is what happens after a first sale. */
export function laneOf(coupon: string, claimCount: number, ending: "none" | "reborn" | "deleted", account: Account, random: Random): Lane {
  const ask = (
    wanted: readonly number[],
    send: (client: CouponClient) => Promise<Answer>,
    take?: (body: Answer["body"]) => void,
  ): Request => {
    return async (client) => {
      const { status, body } = await send(client);
      if (!wanted.includes(status)) throw new WrongAnswer(`a request about ${coupon} got ${status} ${JSON.stringify(body)}`);
      if (status < 300) take?.(body);
      account.onAnswer();
    };
  };
  const sell = (round: string): Request[] => {
    const user = (index: number): string => `${round}-user-${index}`;
    const claims = Array.from({ length: claimCount }, (_, index) => {
      const key = `${coupon}-${user(index)}`;
      return ask(
        [201, 400],
        (client) => client.claim(coupon, user(index), { key }),
        (body) => account.granted(coupon, body),
      );
    });
    const bulk = Array.from({ length: 2 }, (_, index) => {
      const body = { user_ids: Array.from({ length: BULK_SIZE }, (__, place) => `${round}-bulk-${index}-${place}`) };
      const headers = { "idempotency-key": `${coupon}-${round}-bulk-${index}` };
      return ask(
        [200],
        (client) => client.send("POST", `/api/coupons/${coupon}/claims`, { body, headers }),
        ({ results }) => {
          for (const one of results as readonly Answer["body"][]) if (one["position"] !== undefined) account.granted(coupon, one);
        },
      );
    });
    const holds = Array.from({ length: HOLDS }, (_, index) =>
      ask([200, 201, 400, 409], (client) => client.hold(coupon, `${round}-holder-${index}`, index % 3 === 0 ? 1 : 600)),
    );
    const releases = Array.from({ length: HOLDS / 3 }, (_, index) =>
      ask([200, 204, 404], (client) => client.releaseHold(coupon, `${round}-holder-${index}`)),
    );
    const revokes = Array.from({ length: REVOKES }, (_, index) => ask([200, 404], (client) => client.revoke(coupon, user(index))));
    // The last ones sell out, and the change makes room again.
    const changes = Array.from({ length: CHANGES }, (_, index) =>
      ask([200, 400, 409], (client) => client.change(coupon, { amount: claimCount + 10 * (index + 1) })),
    );
    return shuffled([...claims, ...bulk, ...holds, ...releases, ...revokes, ...changes], random);
  };
  const create = ask([201, 409], (client) => client.create(coupon, claimCount));
  const remove = ask([200, 204, 404], (client) => client.remove(coupon));
  const first: Lane = [[create], sell("first")];
  if (ending === "none") return first;
  if (ending === "deleted") return [...first, [remove]];
  // The end of the sale is no event of the ledger. Only an alarm of the courier makes its message.
  const close = ask([200], (client) => client.change(coupon, { ends_at: new Date(Date.now() + ENDS_IN_MS).toISOString() }));
  return [...first, [remove], [create], sell("second"), [close]];
}

export function countOf(lanes: readonly Lane[]): number {
  return lanes.flat().reduce((sum, stage) => sum + stage.length, 0);
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const places = items.map((item) => ({ item, place: random.below(2 ** 31) }));
  return places.toSorted((a, b) => a.place - b.place).map(({ item }) => item);
}
