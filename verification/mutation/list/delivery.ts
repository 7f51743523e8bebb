// Faults in delivery: what counts as delivered, what the read model keeps, and when a ledger may go.

import { inNode, inWorkerd, type Mutation } from "../mutation.ts";

export const DELIVERY_MUTATIONS: readonly Mutation[] = [
  {
    name: "failure-taken-for-a-delivery",
    fault: "An endpoint that answers 500 counts as having the message, so it is never sent again.",
    edits: [
      {
        file: "src/webhooks/send.ts",
        find: "const { ok, status } = answer;",
        replace: "const { status } = answer;\n    const ok = status < 600;",
      },
    ],
    suite: inNode("rules/webhook-send"),
  },
  {
    name: "ledger-forgotten-too-early",
    fault: "The ledger of a deleted coupon is discarded once one sink has it, and the others lose its events.",
    edits: [{ file: "src/engine/outbox.ts", find: "cursors.every((cursor)", replace: "cursors.some((cursor)" }],
    suite: inNode("rules/outbox"),
  },
  {
    name: "old-page-overwrites-the-read-model",
    fault: "A page that arrives late sets a coupon of the read model back.",
    edits: [{ file: "src/read-model/store.ts", find: "WHERE (excluded.seq, excluded.as_of) >= (seq, as_of)", replace: "" }],
    suite: inWorkerd("worker/delivery/read-model"),
  },
  {
    name: "texts-lost-in-the-ledger",
    fault: "An event has no texts of the sale's page, so the history and a rebuilt database lose them.",
    edits: [
      {
        file: "src/domain/ledger-event.ts",
        find: "const { paused, ...others } = named(settings);",
        replace: "const { paused, title: _title, description: _description, image_url: _imageUrl, ...others } = named(settings);",
      },
    ],
    suite: inWorkerd("worker/sale/page-texts"),
  },
  {
    name: "title-and-description-mixed-up",
    fault: "The title of a coupon is stored and shown as its description.",
    edits: [
      { file: "src/domain/coupon.ts", find: 'title: "title",', replace: 'title: "description",' },
      { file: "src/domain/coupon.ts", find: 'description: "description",', replace: 'description: "title",' },
    ],
    suite: inNode("rules/holds-property"),
  },
];
