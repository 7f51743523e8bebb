// The frame of every command: options from flags and the environment, help, one sentence for a failure, exit
// codes, and cleaning up, also after Ctrl-C.

import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

/** Exit codes. Those from 64 on are of BSD's sysexits.h, so a count of failures is at most 63. */
export const EXIT = { ok: 0, failed: 1, failuresMax: 63, usage: 64, unavailable: 69, bug: 70, interrupted: 130 } as const;

const READER_MS_MAX = 1_000;

/** An expected failure: a sentence for the terminal, and the exit code. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.unavailable) {
    super(message);
    this.name = "CommandFailure";
    this.exitCode = exitCode;
  }
}

type Described = {
  readonly help: string;
  /** Also read from this variable, or from the flag's name in capitals: `INITIAL_STOCK`. */
  readonly env?: true | string;
};
export type TextOption = Described & { readonly kind: "text"; readonly value: string; readonly default?: string };
export type CountOption = Described & { readonly kind: "count"; readonly default: number; readonly min?: number; readonly max: number };
export type FlagOption = Described & { readonly kind: "flag" };
/** A flag with a value that can be given several times. */
export type ListOption = { readonly help: string; readonly env?: never; readonly kind: "list"; readonly value: string };
export type Option = TextOption | CountOption | FlagOption | ListOption;
export type Options = Readonly<Record<string, Option>>;

export type Values<Wanted extends Options> = {
  readonly [Name in keyof Wanted]: Wanted[Name] extends FlagOption
    ? boolean
    : Wanted[Name] extends ListOption
      ? readonly string[]
      : Wanted[Name] extends CountOption
        ? number
        : Wanted[Name] extends { readonly default: string }
          ? string
          : string | undefined;
};

export type Command<Wanted extends Options> = {
  /** Such as `npm run stress`. */
  readonly name: string;
  /** Operands in the help text, such as `[MODE]`. */
  readonly operands?: string;
  /** 0 when left out. */
  readonly operandsMax?: number;
  /** For `--help`. */
  readonly about: string;
  readonly options: Wanted;
  /** A server runs until it is stopped, so an interrupt is no failure. */
  readonly isServer?: true;
};

export type Call<Wanted extends Options> = {
  readonly options: Values<Wanted>;
  readonly operands: readonly string[];
  /** Runs `work` at the end of the command, also after a failure. The last one added runs first. */
  readonly atEnd: (work: () => Promise<unknown>) => void;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
};

/** Runs a command and ends the process with the exit code of `run`. */
export async function runCommand<const Wanted extends Options>(
  command: Command<Wanted>,
  run: (call: Call<Wanted>) => Promise<number>,
): Promise<never> {
  const ends: (() => Promise<unknown>)[] = [];
  const interrupted = new AbortController();
  const never = new Promise<never>(() => undefined);

  async function end(exitCode: number): Promise<never> {
    while (ends.length > 0)
      await ends
        .pop()?.()
        .catch((cause: unknown) => console.error(String(cause)));
    const isRead = Promise.all([process.stdout, process.stderr].map(flushed));
    // An interrupt does not wait for a reader that has stopped reading.
    await (interrupted.signal.aborted ? Promise.race([isRead, pause(READER_MS_MAX)]) : isRead);
    process.exit(exitCode);
  }

  // A reader may stop reading (`| head`). The run goes on to its end and cleans up.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      // Ctrl-C can arrive twice: from the terminal and from npm.
      if (interrupted.signal.aborted) return;
      interrupted.abort();
      const isServer = command.isServer === true;
      console.error(`\n${command.name}: ${isServer ? "stopping" : "interrupted, cleaning up"}`);
      void end(isServer ? EXIT.ok : EXIT.interrupted);
    });
  }

  try {
    const { options, operands } = parseCommand(command, process.argv.slice(2), process.env);
    if (options === "help") {
      console.log(helpOf(command));
      return await end(EXIT.ok);
    }
    const exitCode = await run({ options, operands, atEnd: (work) => ends.push(work), signal: interrupted.signal });
    // An interrupt ends the process itself, once it has cleaned up.
    return await (interrupted.signal.aborted ? never : end(exitCode));
  } catch (cause) {
    // An error during the clean-up of an interrupt comes from the interrupt.
    if (interrupted.signal.aborted) return never;
    if (cause instanceof CommandFailure) console.error(`${command.name}: ${cause.message}`);
    else console.error(cause);
    return end(cause instanceof CommandFailure ? cause.exitCode : EXIT.bug);
  }
}

/** Resolves once the reader of a pipe has read all output, or gave up. An earlier exit would cut it off. */
async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}

/** Reads flags, then the environment, then defaults. Throws {@link CommandFailure} on an invalid option. */
export function parseCommand<const Wanted extends Options>(
  command: Command<Wanted>,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): { readonly options: Values<Wanted> | "help"; readonly operands: readonly string[] } {
  const config = Object.fromEntries(
    [...Object.entries(command.options).map(([name, { kind }]) => [flagOf(name), kind] as const), ["help", "flag"] as const].map(
      ([flag, kind]) => [flag, { type: kind === "flag" ? ("boolean" as const) : ("string" as const), multiple: kind === "list" }],
    ),
  );
  const parsed = orUsage(command, () => parseArgs({ args: [...args], options: config, allowPositionals: true }));
  if (parsed.values["help"] === true) return { options: "help", operands: [] };
  if (parsed.positionals.length > (command.operandsMax ?? 0)) {
    throw usage(command, `does not take "${parsed.positionals[command.operandsMax ?? 0] ?? ""}"`);
  }
  const values = Object.entries(command.options).map(([name, option]) => {
    const given = parsed.values[flagOf(name)];
    const ofEnv = option.env === undefined ? undefined : env[envOf(name, option.env)];
    return [name, valueOf(command, name, option, given ?? (ofEnv === "" ? undefined : ofEnv))] as const;
  });
  return { options: Object.fromEntries(values) as Values<Wanted>, operands: parsed.positionals };
}

type Given = string | boolean | (string | boolean)[] | undefined;

function valueOf(command: Command<Options>, name: string, option: Option, given: Given): unknown {
  if (option.kind === "list") return given ?? [];
  if (option.kind === "flag") return given === true || given === "1" || given === "true";
  if (option.kind === "text") return given ?? option.default;
  const value = given === undefined ? option.default : Number(given);
  const min = option.min ?? 1;
  if (Number.isInteger(value) && value >= min && value <= option.max) return value;
  throw usage(command, `--${flagOf(name)} takes a whole number from ${min} to ${option.max}, not "${String(given)}"`);
}

/** The failure of an invalid call. */
export function usage(command: Pick<Command<Options>, "name">, message: string): CommandFailure {
  return new CommandFailure(`${message} (see ${command.name} -- --help)`, EXIT.usage);
}

function orUsage<Result>(command: Command<Options>, parse: () => Result): Result {
  try {
    return parse();
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw usage(command, said.split(". ")[0] ?? said);
  }
}

function helpOf(command: Command<Options>): string {
  const rows = Object.entries(command.options).map(([name, option]) => {
    const value = option.kind === "flag" ? "" : option.kind === "count" ? " N" : ` ${option.value}`;
    const notes = [
      "default" in option && option.default !== undefined ? `default ${option.default}` : "",
      option.env === undefined ? "" : `also ${envOf(name, option.env)}`,
    ].filter((note) => note !== "");
    return [`--${flagOf(name)}${value}`, option.help + (notes.length > 0 ? ` (${notes.join("; ")})` : "")] as const;
  });
  const width = Math.max(...rows.map(([flag]) => flag.length), 6) + 2;
  const operands = command.operands === undefined ? "" : ` ${command.operands}`;
  const lines = [...rows, ["--help", "this text"] as const].map(([flag, help]) => `  ${flag.padEnd(width)}${help}`);
  return `${command.name} --${operands} [options]\n\n${command.about.trim()}\n\n${lines.join("\n")}`;
}

function flagOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function envOf(name: string, env: true | string): string {
  return env === true ? flagOf(name).replaceAll("-", "_").toUpperCase() : env;
}
