// Commands that end a sale.

import type { Command, Options } from "../args.ts";
import { EXIT, valueOf } from "../failure.ts";
import { counted } from "../format.ts";
import { confirm } from "../prompt.ts";

export const SURE: Options = { yes: { help: "go on without asking" } };

const archive: Command = {
  name: "archive",
  operands: ["NAME"],
  about: "Closes a sale for good. Everything stays readable.",
  options: SURE,
  examples: ["doorbuster archive PROMO --yes"],
  json: "the coupon",
  async run(session) {
    const name = session.args.operand("NAME");
    await confirm(`This closes the sale ${name} for good, and ends its holds. No command opens it again.`, name, session.args.flag("yes"));
    const { claimed_by: _claimedBy, ...coupon } = valueOf(await session.operator().archive(name), name);
    session.print(coupon, [`archived ${name}: everything stays readable`]);
    return EXIT.done;
  },
};

const remove: Command = {
  name: "delete",
  operands: ["NAME"],
  about: "Deletes a sale, with its claims and its history. Archive it instead, unless it was a test.",
  options: SURE,
  examples: ["doorbuster delete PROMO --yes"],
  json: "`{deleted}`",
  async run(session) {
    const { args } = session;
    const name = args.operand("NAME");
    const operator = session.operator();
    if (!args.flag("yes")) {
      const { amount, remaining_amount: left, held_amount: held } = valueOf(await operator.get(name, { claimed_by: "omit" }), name);
      const lost = counted(amount - left - held, "claim");
      await confirm(`This erases the sale ${name} with ${lost}. Its winners have no proof then, and nothing brings it back.`, name, false);
    }
    valueOf(await operator.delete(name), name);
    session.print({ deleted: name }, [`deleted ${name}`]);
    return EXIT.done;
  },
};

export const endCommands: readonly Command[] = [archive, remove];
