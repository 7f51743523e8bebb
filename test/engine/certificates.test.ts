// What the engine certifies: that everybody but those it names is refused, in this life of the coupon, by its own clock.

import { describe, expect, test } from "vitest";

import { CERTIFIER_ROWS_MAX } from "../../src/domain/limits.ts";
import { mayContain } from "../../src/domain/membership.ts";
import { keyMember, userMember, type Certificate } from "../../src/domain/sold-out.ts";
import { CouponEngine } from "../../src/engine/coupon-engine.ts";
import { asks, crowd, newCoupon, opened, T0 } from "./coupon.ts";
import { nodeSql } from "./node-sql.ts";

const WISH = { known: null, refused: null };

/** Asks until there is a certificate: a long ledger is read in parts. */
function certificateOf(engine: CouponEngine, asksMax = 10): Certificate {
  for (let count = 0; count < asksMax; count += 1) {
    const certificate = engine.certificate(WISH, T0);
    if (certificate !== null) return certificate;
  }
  throw new Error(`no certificate in ${asksMax} tries`);
}

/** Which of `members` a certificate says it does not know. */
function unknownTo({ members }: Certificate, asked: readonly string[]): string[] {
  const isKnown = mayContain(members ?? []);
  return asked.filter((member) => !isKnown(member));
}

function sellOut(engine: CouponEngine, count: number, prefix: string): string[] {
  const requests = crowd(count, prefix);
  engine.claimMany(requests, T0);
  return requests.map(({ userId }) => userMember(userId));
}

describe("a certificate of the engine", () => {
  test("is not given while somebody may get a unit", () => {
    const { engine } = opened(2);
    sellOut(engine, 1, "early");
    expect(engine.certificate(WISH, T0)).toBeNull();
  });

  test("names every claimant and every key, and goes on from there", () => {
    const { engine } = opened(1);
    engine.claimMany([asks("ann", { key: "order-1" })], T0);
    expect(certificateOf(engine)).toMatchObject({ code: "out_of_stock", epoch: "epoch-1", seq: 2, members: ["uann", "korder-1"] });
    engine.change({ amount: 2 }, null, T0);
    engine.claimMany([asks("bob")], T0);
    expect(certificateOf(engine)).toMatchObject({ seq: 4, members: ["uann", "korder-1", "ubob"] });
  });

  test("names those of this life of the coupon, by an engine that knew the one before", () => {
    const sql = nodeSql();
    const engine = new CouponEngine(sql);
    engine.create(newCoupon(3), "epoch-1", T0);
    sellOut(engine, 3, "before");
    certificateOf(engine);
    sql.all("DROP TRIGGER ledger_forgets_nothing");
    for (const table of ["coupon", "claims", "holds", "releases", "ledger"]) sql.all(`DROP TABLE ${table}`);
    engine.forget();
    engine.create(newCoupon(1), "epoch-2", T0);
    engine.claimMany([asks("bob")], T0);
    expect(certificateOf(engine)).toMatchObject({ epoch: "epoch-2", seq: 2, members: ["ubob"] });
  });

  test("waits until the whole ledger was read", () => {
    const { engine } = opened(CERTIFIER_ROWS_MAX + 10);
    const members = sellOut(engine, CERTIFIER_ROWS_MAX + 10, "user");
    expect(engine.certificate(WISH, T0)).toBeNull();
    expect(unknownTo(certificateOf(engine, 1), members)).toEqual([]);
  });

  test("makes a larger filter where a restock brought more than fit", () => {
    const { engine } = opened(300);
    const members = sellOut(engine, 300, "first");
    expect(unknownTo(certificateOf(engine), members)).toEqual([]);
    engine.change({ amount: 3_000 }, null, T0);
    members.push(...sellOut(engine, 2_700, "second"));
    const strangers = Array.from({ length: 2_000 }, (_, index) => userMember(`stranger-${index}`));
    const certificate = certificateOf(engine);
    expect(unknownTo(certificate, members)).toEqual([]);
    // One in a thousand is taken for a member; with the first filter it would be most of them.
    expect(unknownTo(certificate, [...strangers, keyMember("nobody's")]).length).toBeGreaterThan(1_950);
  });

  test("says that the sale is over where that was told once, though the clock was set back", () => {
    const { engine } = opened(1, { endsAt: T0 + 900 });
    sellOut(engine, 1, "user");
    expect(engine.read({ claimedBy: false }, T0 + 1_000)).toMatchObject({ coupon: { state: "ended" } });
    expect(engine.certificate(WISH, T0 + 400)).toMatchObject({ code: "sale_ended" });
  });
});
