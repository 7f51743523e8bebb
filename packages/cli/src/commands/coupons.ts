// Commands that create, read and change a sale.

import type { Change, Coupon, ListedCoupon, NewCoupon, SaleState } from "../../../client/src/operator.ts";
import type { Args, Command, Options } from "../args.ts";
import { EXIT, usage, valueOf } from "../failure.ts";
import { counted, grouped, saleLines, shownState, table } from "../format.ts";
import type { Session } from "../session.ts";
import { instantIn, shownInstant } from "../time.ts";

const STATES = ["archived", "ended", "scheduled", "paused", "sold_out", "open"] as const satisfies readonly SaleState[];

const SETTINGS: Options = {
  starts: { value: "TIME", help: "when it opens" },
  ends: { value: "TIME", help: "when it closes" },
  title: { value: "TEXT", help: "the title of its page" },
  description: { value: "TEXT", help: "the text of its page" },
  "image-url": { value: "PATH", help: "the picture of its page, a path of the server such as /shoe.jpg" },
  "hold-seconds-max": { value: "N", help: "how long a unit can be held" },
  "holds-max": { value: "N", help: "how many units can be held at the same time" },
};

/** Returns the settings that the options give. The text `none` clears a setting where `canClear`. */
function settingsIn(args: Args, canClear: boolean): Change {
  const isCleared = (option: string): boolean => canClear && args.text(option) === "none";
  const text = (option: string): string | null | undefined => (isCleared(option) ? null : args.text(option));
  const time = (option: string): string | null | undefined => {
    const given = text(option);
    return typeof given === "string" ? instantIn(given) : given;
  };
  const settings = {
    starts_at: time("starts"),
    ends_at: time("ends"),
    title: text("title"),
    description: text("description"),
    image_url: text("image-url"),
    hold_seconds_max: args.count("hold-seconds-max"),
    holds_max: isCleared("holds-max") ? null : args.count("holds-max"),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function printSale(session: Session, coupon: Coupon, ...before: readonly string[]): number {
  // A list of all winners is what `export` is for.
  const { claimed_by: _claimedBy, ...shown } = coupon;
  session.print(shown, [...before, ...saleLines(coupon, session.address().url, Date.now())]);
  return EXIT.done;
}

const create: Command = {
  name: "create",
  operands: ["NAME"],
  about: "Creates a sale. It never changes one that exists.",
  options: { amount: { value: "N", help: "how many units there are (required)" }, ...SETTINGS },
  examples: [
    "doorbuster create PROMO --amount 5",
    'doorbuster create SHOE --amount 500 --starts "2030-12-01 10:00" --title "The new shoe"',
  ],
  json: "the coupon",
  async run(session) {
    const { args } = session;
    const name = args.operand("NAME");
    const amount = args.count("amount");
    if (amount === undefined) throw usage("--amount is missing: how many units are there?", "doorbuster create NAME --amount 500");
    const wanted: NewCoupon = { ...settingsIn(args, false), name, amount };
    return printSale(session, valueOf(await session.operator().create(wanted), name), "created");
  },
};

const list: Command = {
  name: "list",
  operands: [],
  about: "Lists the sales.",
  details: "It comes from the server's database, which is mostly less than two seconds behind.",
  options: {
    state: { value: "STATE", help: `only those in this state: ${STATES.join(", ")}` },
    search: { value: "TEXT", help: "only names with this part" },
  },
  examples: ["doorbuster list", "doorbuster list --state open"],
  json: "`{coupons, as_of}`",
  async run(session) {
    const wanted = session.args.text("state");
    const state = STATES.find((one) => one === wanted);
    if (wanted !== undefined && state === undefined) throw usage(`there is no state "${wanted}"`, `choose one of ${STATES.join(", ")}`);
    const q = session.args.text("search");
    const query = { limit: 1_000, ...(state === undefined ? {} : { state }), ...(q === undefined ? {} : { q }) };
    const coupons: ListedCoupon[] = [];
    let asOf: string | null = null;
    for (let after: string | null = ""; after !== null;) {
      const page: { coupons: readonly ListedCoupon[]; next_after: string | null; as_of: string | null } = valueOf(
        await session.operator().list(after === "" ? query : { ...query, after }),
      );
      coupons.push(...page.coupons);
      [after, asOf] = [page.next_after, page.as_of];
    }
    session.print({ coupons, as_of: asOf }, coupons.length === 0 ? ["no sale"] : listLines(coupons));
    return EXIT.done;
  },
};

function listLines(coupons: readonly ListedCoupon[]): string[] {
  const now = Date.now();
  const rows = coupons.map(
    ({ name, state, remaining_amount: left, amount, claimed_amount: claimed, held_amount: held, starts_at: starts }) => [
      name,
      shownState(state),
      left,
      amount,
      claimed,
      held,
      starts === null ? "" : shownInstant(starts, now),
    ],
  );
  return table(["NAME", "STATE", "LEFT", "OF", "CLAIMED", "HELD", "STARTS"], rows);
}

const show: Command = {
  name: "show",
  operands: ["NAME"],
  about: "Shows one sale.",
  options: {},
  examples: ["doorbuster show PROMO"],
  json: "the coupon, without `claimed_by`",
  async run(session) {
    const name = session.args.operand("NAME");
    return printSale(session, valueOf(await session.operator().get(name, { claimed_by: "omit" }), name));
  },
};

const change: Command = {
  name: "change",
  operands: ["NAME"],
  about: "Changes the window, the texts or the holds of a sale. What is left out stays as it is.",
  details: "The word none clears a setting: --ends none.",
  options: SETTINGS,
  examples: ['doorbuster change PROMO --ends "2030-12-24 18:00"'],
  json: "the coupon",
  async run(session) {
    const name = session.args.operand("NAME");
    const settings = settingsIn(session.args, true);
    if (Object.keys(settings).length === 0) throw usage("there is nothing to change", "doorbuster change --help");
    return printSale(session, valueOf(await session.operator().change(name, settings), name), "changed");
  },
};

const restock: Command = {
  name: "restock",
  operands: ["NAME"],
  about: "Adds units to a sale, or sets how many there are.",
  options: {
    by: { value: "N", help: "adds N units" },
    to: { value: "N", help: "sets the number of all units, with those that are claimed" },
  },
  examples: ["doorbuster restock PROMO --by 10"],
  json: "the coupon",
  async run(session) {
    const { args } = session;
    const name = args.operand("NAME");
    const [by, to] = [args.count("by"), args.count("to")];
    if ((by === undefined) === (to === undefined)) throw usage("give either --by or --to", `doorbuster restock ${name} --by 50`);
    const operator = session.operator();
    const before = valueOf(await operator.get(name, { claimed_by: "omit" }), name).amount;
    // An absolute number, so that a repeated request adds nothing.
    const coupon = valueOf(await operator.change(name, { amount: to ?? before + (by ?? 0) }), name);
    return printSale(session, coupon, `${counted(before, "unit")} before, ${grouped(coupon.amount)} now`);
  },
};

function switchOf(word: "pause" | "resume", about: string): Command {
  return {
    name: word,
    operands: ["NAME"],
    about,
    options: {},
    examples: [`doorbuster ${word} PROMO`],
    json: "the coupon",
    async run(session) {
      const name = session.args.operand("NAME");
      return printSale(session, valueOf(await session.operator()[word](name), name), `${word}d`);
    },
  };
}

export const couponCommands: readonly Command[] = [
  create,
  list,
  show,
  change,
  switchOf("pause", "Pauses a sale: new users are refused, and winners keep what they have."),
  switchOf("resume", "Resumes a paused sale."),
  restock,
];
