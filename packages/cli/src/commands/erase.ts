// `erase`: puts a pseudonym in the place of a user's id, everywhere.

import type { Erasure, Result } from "../../../client/src/operator.ts";
import type { Command } from "../args.ts";
import { EXIT, valueOf } from "../failure.ts";
import { counted } from "../format.ts";
import { confirm } from "../prompt.ts";
import { SURE } from "./end.ts";

export const erase: Command = {
  name: "erase",
  operands: ["USER"],
  about: "Erases a user: a pseudonym takes the place of the id in every sale. No count changes.",
  details: "A claim of the last few seconds may not be found. Run it again then, or name the sale.",
  options: { coupon: { value: "NAME", help: "in this sale alone, also if it was deleted" }, ...SURE },
  examples: ["doorbuster erase ada --yes"],
  json: "`{user_id, erased_count, as_of}`",
  async run(session) {
    const { args } = session;
    const [user, coupon] = [args.operand("USER"), args.text("coupon")];
    const where = coupon === undefined ? "in every sale" : `in ${coupon}`;
    await confirm(`This puts a pseudonym in the place of ${user} ${where}. Nothing brings the id back.`, user, args.flag("yes"));
    const operator = session.operator();
    let [erasedCount, asOf]: [number, string | null] = [0, null];
    for (let after: string | null = ""; after !== null;) {
      const from = { ...(coupon === undefined ? {} : { coupon }), ...(after === "" ? {} : { after }) };
      const answer: Result<Erasure> = await operator.eraseUser(user, from);
      const erased = valueOf(answer, coupon);
      erasedCount += erased.erased_count;
      [after, asOf] = [erased.next_after, erased.as_of];
    }
    session.print({ user_id: user, erased_count: erasedCount, as_of: asOf }, [`erased ${user} in ${counted(erasedCount, "sale")}`]);
    return EXIT.done;
  },
};
