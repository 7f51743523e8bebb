// The texts of `--help`.

import { GLOBAL, type Command, type Options } from "./args.ts";

/** Returns the help of one command. */
export function helpOf({ name, operands, about, details, options, examples }: Command): string {
  const wide = widthOf({ ...options, ...GLOBAL });
  const own = Object.keys(options).length === 0 ? "" : `\n\nOptions:\n${rows(options, wide)}`;
  return `${["doorbuster", name, ...operands, "[options]"].join(" ")}

${about}${details === undefined ? "" : `\n\n${details}`}${own}

Options of every command:
${rows(GLOBAL, wide)}

For example:
${examples.map((example) => `  ${example}`).join("\n")}`;
}

/** Returns the list of commands, all or those of a group. */
export function overview(commands: readonly Command[]): string {
  const calls = commands.map(({ name, operands, about }) => [[name, ...operands].join(" "), about] as const);
  const wide = Math.max(...calls.map(([call]) => call.length));
  return `doorbuster COMMAND [options]

${calls.map(([call, about]) => `  ${call.padEnd(wide)}  ${about}`).join("\n")}

Options of every command:
${rows(GLOBAL, widthOf(GLOBAL))}

A time is 2026-12-01T10:00:00+01:00, or "2026-12-01 10:00" in your time zone.
Exit codes: 0 done, 1 refused, 2 wrong call, 3 no answer, or not known whether it happened.
Each command has its own help: doorbuster create --help`;
}

function flagOf(name: string, value: string | undefined): string {
  return `--${name}${value === undefined ? "" : ` ${value}`}`;
}

function widthOf(options: Options): number {
  return Math.max(...Object.entries(options).map(([name, { value }]) => flagOf(name, value).length));
}

function rows(options: Options, wide: number): string {
  return Object.entries(options)
    .map(([name, { value, help }]) => `  ${flagOf(name, value).padEnd(wide)}  ${help}`)
    .join("\n");
}
