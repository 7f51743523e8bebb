// Commands about webhooks: the endpoints that get the events of sales.

import type { Webhook, WebhookEvent, WebhookPage } from "../../../client/src/operator.ts";
import type { Command } from "../args.ts";
import { CommandError, EXIT, usage, valueOf } from "../failure.ts";
import { table } from "../format.ts";
import { confirm } from "../prompt.ts";
import type { Session } from "../session.ts";
import { shownInstant } from "../time.ts";
import { SURE } from "./end.ts";

const EVENTS = {
  "claim.granted": true,
  "claim.revoked": true,
  "hold.created": true,
  "hold.released": true,
  "hold.expired": true,
  "coupon.created": true,
  "coupon.changed": true,
  "coupon.archived": true,
  "coupon.started": true,
  "coupon.sold_out": true,
  "coupon.reopened": true,
  "coupon.ended": true,
  "coupon.deleted": true,
} as const satisfies Record<WebhookEvent, true>;

function isEvent(text: string): text is WebhookEvent {
  return Object.hasOwn(EVENTS, text);
}

function stateOf({ paused, disabled_at: disabledAt }: Webhook): string {
  return disabledAt !== null ? "disabled" : paused ? "paused" : "active";
}

/** A command on one webhook. */
function onWebhook(word: string, about: string, json: string, run: (session: Session, id: string) => Promise<void>): Command {
  return {
    name: `webhooks ${word}`,
    operands: ["ID"],
    about,
    options: {},
    examples: [`doorbuster webhooks ${word} wh_6f1c2c4e-8d0b-4b52-9a37-2f7a3a1d5c90`],
    json,
    async run(session) {
      await run(session, session.args.operand("ID"));
      return EXIT.done;
    },
  };
}

const list: Command = {
  name: "webhooks list",
  operands: [],
  about: "Lists the webhooks.",
  options: {},
  examples: ["doorbuster webhooks list"],
  json: "`{webhooks}`",
  async run(session) {
    const webhooks: Webhook[] = [];
    for (let after: string | null = ""; after !== null;) {
      const page: WebhookPage = valueOf(await session.operator().webhooks.list(after === "" ? {} : { after }));
      webhooks.push(...page.webhooks);
      after = page.next_after;
    }
    const rows = webhooks.map((webhook) => {
      const { id, url, events, coupons } = webhook;
      const isAll = events.length === Object.keys(EVENTS).length;
      return [id, stateOf(webhook), url, isAll ? "all" : events.join(","), coupons === null ? "all" : coupons.join(",")];
    });
    session.print({ webhooks }, rows.length === 0 ? ["no webhook"] : table(["ID", "STATE", "URL", "EVENTS", "SALES"], rows));
    return EXIT.done;
  },
};

const add: Command = {
  name: "webhooks add",
  operands: ["ENDPOINT"],
  about: "Sends the events of sales to an address. Prints the secret that verifies them, once.",
  details: `The events are ${Object.keys(EVENTS).join(", ")}.`,
  options: {
    events: { value: "EVENTS", help: "which events, with commas between them (all)" },
    coupons: { value: "NAMES", help: "of which sales, with commas between them (all)" },
  },
  examples: ["doorbuster webhooks add https://shop.example/hooks --events claim.granted,claim.revoked"],
  json: "the webhook with its `secret`",
  async run(session) {
    const { args } = session;
    const events = (args.text("events") ?? Object.keys(EVENTS).join(",")).split(",");
    const unknown = events.find((event) => !isEvent(event));
    if (unknown !== undefined) throw usage(`there is no event "${unknown}"`, `choose of ${Object.keys(EVENTS).join(", ")}`);
    const coupons = args.text("coupons")?.split(",") ?? null;
    const webhook = valueOf(
      await session.operator().webhooks.create({ url: args.operand("ENDPOINT"), events: events.filter(isEvent), coupons }),
    );
    session.print(webhook, [`added ${webhook.id}`, `secret ${webhook.secret}`]);
    session.note("Keep the secret: nothing shows it again.");
    return EXIT.done;
  },
};

const remove: Command = {
  name: "webhooks remove",
  operands: ["ID"],
  about: "Removes a webhook. What it did not get yet, it never gets.",
  options: SURE,
  examples: ["doorbuster webhooks remove wh_6f1c2c4e-8d0b-4b52-9a37-2f7a3a1d5c90 --yes"],
  json: "`{removed}`",
  async run(session) {
    const id = session.args.operand("ID");
    await confirm(`This removes the webhook ${id}. What it did not get yet, it never gets.`, id, session.args.flag("yes"));
    valueOf(await session.operator().webhooks.delete(id));
    session.print({ removed: id }, [`removed ${id}`]);
    return EXIT.done;
  },
};

const replay: Command = {
  name: "webhooks replay",
  operands: ["ID", "NAME"],
  about: "Delivers the events of a sale again.",
  options: { "from-seq": { value: "SEQ", help: "from this event on (1)" } },
  examples: ["doorbuster webhooks replay wh_6f1c2c4e-8d0b-4b52-9a37-2f7a3a1d5c90 PROMO --from-seq 20"],
  json: "`{replaying, coupon_name, from_seq}`",
  async run(session) {
    const [id, coupon] = [session.args.operand("ID"), session.args.operand("NAME")];
    const fromSeq = session.args.count("from-seq") ?? 1;
    valueOf(await session.operator().webhooks.replay(id, { coupon, from_seq: fromSeq }), coupon);
    const lines = [`${id} gets the events of ${coupon} from ${fromSeq} on again`];
    session.print({ replaying: id, coupon_name: coupon, from_seq: fromSeq }, lines);
    return EXIT.done;
  },
};

function setPaused(paused: boolean): (session: Session, id: string) => Promise<void> {
  return async (session, id) => {
    const webhook = valueOf(await session.operator().webhooks.change(id, { paused }));
    session.print(webhook, [`${id} is ${stateOf(webhook)}`]);
  };
}

export const webhookCommands: readonly Command[] = [
  list,
  add,
  onWebhook("test", "Sends a test event at once.", "`{delivered, status, duration_ms, error}`", async (session, id) => {
    const tested = valueOf(await session.operator().webhooks.test(id));
    const { delivered, status, duration_ms: ms, error } = tested;
    const answered = status === null ? "no answer" : `status ${status}`;
    if (!delivered)
      throw new CommandError(EXIT.refused, `not delivered: ${error ?? answered}`, "read the log of the endpoint", {
        code: "not_delivered",
        ...tested,
      });
    session.print(tested, [`delivered: ${answered} after ${ms} ms`]);
  }),
  onWebhook("pause", "Pauses a webhook. It gets what it missed once it is resumed.", "the webhook", setPaused(true)),
  onWebhook("resume", "Resumes a paused, parked or disabled webhook.", "the webhook", setPaused(false)),
  onWebhook(
    "rotate",
    "Makes a new secret. The one before signs too, for 24 hours.",
    "the webhook with its `secret`",
    async (session, id) => {
      const rotated = valueOf(await session.operator().webhooks.rotate(id));
      const until = shownInstant(rotated.previous_secret_expires_at, Date.now());
      session.print(rotated, [`secret ${rotated.secret}`, `the secret before is valid until ${until}`]);
    },
  ),
  remove,
  replay,
];
