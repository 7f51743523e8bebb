// `watch`: a sale live, as a bar on a terminal and as lines elsewhere.

import type { Command } from "../args.ts";
import { EXIT, nextStepOf, CommandError, usage } from "../failure.ts";
import { bar, printable, rateOf, statusLine, type Sample } from "../format.ts";
import type { Status } from "../../../client/src/index.ts";

const REDRAW_MS = 500;
const SAMPLES_MAX = 100;
const STATES: readonly string[] = ["open", "sold_out", "paused", "ended", "archived", "scheduled"];

export const watch: Command = {
  name: "watch",
  operands: ["NAME"],
  about: "Shows a sale live: units left, claims a second, state.",
  details: "On a terminal it draws a bar, elsewhere it prints a line for each change. It ends when the sale is deleted, or by Ctrl-C.",
  options: { until: { value: "STATE", help: `ends in this state: ${STATES.join(", ")}` } },
  examples: ["doorbuster watch PROMO", "doorbuster watch PROMO --until sold_out"],
  json: "a status of the API a line",
  async run(session) {
    const name = session.args.operand("NAME");
    const until = session.args.text("until");
    if (until !== undefined && !STATES.includes(until)) throw usage(`there is no state "${until}"`, `choose one of ${STATES.join(", ")}`);
    const isLive = process.stdout.isTTY && !session.isJson;
    const samples: Sample[] = [];
    let last: Status | undefined;
    const draw = (): void => {
      if (last !== undefined)
        process.stdout.write(`\r\u001B[K${liveLine(last, rateOf(samples, Date.now()), process.stdout.columns || 80)}`);
    };
    const timer = isLive ? setInterval(draw, REDRAW_MS) : undefined;
    try {
      for await (const event of session.client().watch(name)) {
        if (event.type === "deleted" && last === undefined)
          throw new CommandError(EXIT.refused, "coupon not found", nextStepOf("coupon_not_found"), { code: "coupon_not_found" });
        if (event.type !== "status") continue;
        last = event.status;
        samples.push({ at: Date.now(), claimed: last.amount - last.remaining_amount - last.held_amount });
        if (samples.length > SAMPLES_MAX) samples.shift();
        if (isLive) draw();
        else session.print(last, [`${last.server_time}  ${statusLine(last, rateOf(samples, Date.now()))}`]);
        if (last.state === until) return EXIT.done;
      }
      session.note("the sale was deleted");
      return EXIT.done;
    } finally {
      clearInterval(timer);
      if (isLive) process.stdout.write("\n");
    }
  },
};

/** Returns the line of a terminal. It is cut where it would wrap, because a wrapped line can't be drawn again. */
export function liveLine(status: Status, rate: number, columns: number): string {
  const said = statusLine(status, rate);
  const left = columns - said.length - status.name.length - 5;
  const drawn = left < 5 ? "" : `${bar(status.remaining_amount, status.amount, Math.min(40, left))}  `;
  return printable(`${status.name}  ${drawn}${said}`).slice(0, Math.max(1, columns - 1));
}
