// One call of a command: its arguments, its server, and what it prints.

import { createClient, type Client } from "../../client/src/index.ts";
import { createOperator, type Operator } from "../../client/src/operator.ts";
import type { Args } from "./args.ts";
import { usage } from "./failure.ts";
import { printable } from "./format.ts";
import { readProfiles } from "./profiles.ts";
import { chooseServer, watchedFetch, type Address } from "./server.ts";

export type Session = {
  readonly args: Args;
  readonly isJson: boolean;
  /** The server that the arguments choose. Throws {@link CommandError} if they are wrong. */
  readonly address: () => Address;
  /** At another address, if one is given. */
  readonly operator: (at?: Address) => Operator;
  readonly client: () => Client;
  /** Prints a result: the value as JSON, or the lines. */
  readonly print: (value: unknown, lines: readonly string[]) => void;
  /** Prints a remark for people on standard error. */
  readonly note: (line: string) => void;
  /** Why the last attempt failed. */
  readonly lastFault: () => string | undefined;
};

const SECONDS_MAX = 86_400;

/** Returns the session of a call. */
export function openSession(args: Args, env: Readonly<Record<string, string | undefined>>): Session {
  const isJson = args.flag("json");
  let chosen: Address | undefined;
  let fault: string | undefined;
  const note = (line: string): void => {
    if (!isJson) process.stderr.write(`${printable(line)}\n`);
  };
  const address = (): Address =>
    (chosen ??= chooseServer(
      { url: args.text("url"), token: args.text("token"), profile: args.text("profile") },
      { url: env["DOORBUSTER_URL"] || undefined, token: env["DOORBUSTER_TOKEN"] || undefined },
      readProfiles(),
    ));
  function options({ url: baseUrl, token }: Address = address()) {
    const seconds = args.count("timeout") ?? 30;
    if (seconds < 1 || seconds > SECONDS_MAX) throw usage(`--timeout takes 1 to ${SECONDS_MAX} seconds`, "leave it out for 30");
    const actor = args.text("actor") ?? env["DOORBUSTER_ACTOR"] ?? "";
    if (!/^[!-~]{0,64}$/.test(actor)) throw usage("an actor has 1 to 64 visible ASCII characters, without spaces", "--actor ada");
    if (token !== undefined && !/^[!-~]+$/.test(token))
      throw usage("a token has visible ASCII characters alone", "check for spaces and line breaks in it");
    const fetch = watchedFetch((why) => {
      if (fault === undefined) note(`waiting for ${baseUrl} (${why})`);
      fault = why;
    });
    // On a slow line a part of a restore takes longer than an answer of the server.
    const attemptMs = Math.max(11_000, seconds * 500);
    return {
      baseUrl,
      fetch,
      deadlineMs: seconds * 1_000,
      attemptMs,
      ...(token === undefined ? {} : { token }),
      ...(actor === "" ? {} : { actor }),
    };
  }
  return {
    args,
    isJson,
    address,
    operator: (at) => createOperator(options(at)),
    client: () => createClient(options()),
    print(value, lines) {
      process.stdout.write(isJson ? `${JSON.stringify(value)}\n` : lines.map((line) => `${printable(line)}\n`).join(""));
    },
    note,
    lastFault: () => fault,
  };
}
