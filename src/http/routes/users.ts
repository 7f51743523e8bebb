// The route of a user of all coupons: the erasure.

import { ERASED_COUPONS_AT_ONCE_MAX } from "../../domain/delivery-limits.ts";
import { isPseudonym } from "../../domain/pseudonym.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { couponsOfUser, readFreshness } from "../../read-model/queries.ts";
import * as wire from "../../wire.ts";
import * as answers from "../answer-schemas.ts";
import { fromDatabase } from "../database.ts";
import { JSON_TYPE } from "../media-types.ts";
import { invalid } from "../refusals.ts";
import * as requests from "../request-schemas.ts";
import { ok, route } from "../route.ts";

const SOME_FAILED = "some coupons can't answer right now, so the user is not erased in all: send it again";

export const eraseUser = route({
  id: "eraseUser",
  tag: "claims",
  method: "DELETE",
  path: "/api/users/{user_id}",
  summary: "Erase a user",
  description:
    "Puts a pseudonym in the place of the user's id, in every coupon that the database knows for it. Counts, positions and receipts stay, and the user still can't claim a second unit. Send it again with `next_after` as `after` until that is null. After a refusal, send the same again: it goes on. A coupon that got the user after `as_of` is not found: name it with `coupon`, or send it again later.",
  who: "operator",
  query: {
    after: requests.queryText("Only coupons behind this name."),
    coupon: requests.CouponName.optional().meta({ description: "Only this coupon, whether or not the database knows of it." }),
  },
  successes: { 200: { description: "Erased in these coupons.", content: { [JSON_TYPE]: answers.ErasedAnswer } } },
  refusals: ["claim_not_found"],
  async handle({ params: { user_id: userId }, query: { after, coupon } }, { worker: { env }, actor }) {
    if (isPseudonym(userId)) return invalid("user_id", "is a pseudonym: this user is erased");
    const found =
      coupon === undefined
        ? await fromDatabase(env, async (db) => {
            const asOf = await readFreshness(db);
            return { asOf, ...(await couponsOfUser(db, userId, after, ERASED_COUPONS_AT_ONCE_MAX)) };
          })
        : { ok: true as const, value: { asOf: null, names: [coupon], next: null } };
    if (!found.ok) return found;
    const { names, next, asOf } = found.value;
    const results = await Promise.all(names.map((name) => callCoupon(env, name, (object) => object.erase(userId, actor), "repeatable")));
    const failed = results.find((result) => !result.ok && (result.code !== "coupon_not_found" || coupon !== undefined));
    if (failed?.ok === false && names.length === 1) return failed;
    if (failed?.ok === false) return { ok: false, code: "outcome_unknown", error: SOME_FAILED, cause: failed };
    const erasedCount = results.filter((result) => result.ok && result.eventCount > 0).length;
    return ok(200, { json: { erased_count: erasedCount, next_after: next, as_of: wire.instantOrNull(asOf) } });
  },
});
