// What a command takes, and how its arguments are read.

import { parseArgs } from "node:util";

import { usage } from "./failure.ts";
import type { Session } from "./session.ts";

/** Without `value` it is a flag. */
export type Option = { readonly value?: string; readonly help: string };
export type Options = Readonly<Record<string, Option>>;

export type Command = {
  /** One word, or two: `webhooks add`. */
  readonly name: string;
  /** Such as `NAME`. One in brackets may be left out. */
  readonly operands: readonly string[];
  readonly about: string;
  /** What `--help` says below it. */
  readonly details?: string;
  readonly options: Options;
  /** Commands that work as they stand. */
  readonly examples: readonly string[];
  /** What it prints with `--json`. */
  readonly json: string;
  /** Returns the exit code. Throws {@link CommandError}. */
  readonly run: (session: Session) => Promise<number>;
};

export const GLOBAL: Options = {
  json: { help: "print JSON, for programs" },
  url: { value: "URL", help: "the server; also DOORBUSTER_URL, or that of the profile (http://127.0.0.1:8787)" },
  token: { value: "TOKEN", help: "the bearer token; also DOORBUSTER_TOKEN, or that of the profile" },
  profile: { value: "NAME", help: "a server that `doorbuster login` has stored (default)" },
  actor: { value: "NAME", help: "your name in the history of the sale; also DOORBUSTER_ACTOR" },
  timeout: { value: "SECONDS", help: "how long to try until the server answers (30)" },
  help: { help: "this text" },
};

export type Args = {
  /** Returns a required operand. */
  readonly operand: (name: string) => string;
  readonly text: (option: string) => string | undefined;
  /** Returns a whole number, from 0 on. */
  readonly count: (option: string) => number | undefined;
  readonly flag: (option: string) => boolean;
};

/** Reads the arguments behind a command's name. Throws {@link CommandError} if they don't fit. */
export function parse(command: Command, given: readonly string[]): Args {
  const declared: Options = { ...command.options, ...GLOBAL };
  const help = `doorbuster ${command.name} --help`;
  const { values, positionals } = orUsage(help, () =>
    parseArgs({
      args: [...given],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(declared).map(([name, { value }]) => [name, { type: value === undefined ? "boolean" : "string" }] as const),
      ),
    }),
  );
  const required = command.operands.filter((name) => !name.startsWith("["));
  const missing = values["help"] === true ? undefined : required[positionals.length];
  if (missing !== undefined) throw usage(`${missing} is missing`, help);
  const extra = positionals[command.operands.length];
  if (extra !== undefined) throw usage(`"${extra}" is one word too many: quote texts with spaces`, help);

  function text(option: string): string | undefined {
    if (!Object.hasOwn(declared, option)) throw new Error(`--${option} is not declared`);
    const value = values[option];
    return typeof value === "string" ? value : undefined;
  }
  return {
    operand: (name) => positionals[command.operands.indexOf(name)] ?? "",
    text,
    count(option) {
      const value = text(option);
      if (value !== undefined && !/^\d{1,15}$/.test(value)) throw usage(`--${option} takes a whole number, not "${value}"`, help);
      return value === undefined ? undefined : Number(value);
    },
    flag(option) {
      text(option);
      return values[option] === true;
    },
  };
}

function orUsage<T>(help: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw usage(said.split(". ")[0] ?? said, help);
  }
}

/** Returns the command that the first words name, and the arguments behind them. Null where no command has that name. */
export function commandIn(commands: readonly Command[], words: readonly string[]): { command: Command; rest: readonly string[] } | null {
  for (const count of [2, 1]) {
    const command = commands.find(({ name }) => name === words.slice(0, count).join(" "));
    if (command !== undefined) return { command, rest: words.slice(count) };
  }
  return null;
}
