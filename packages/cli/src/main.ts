// The entry: finds the command, runs it, and prints a failure with its next step.

import { readFileSync } from "node:fs";

import { RefusedError } from "../../client/src/operator.ts";
import { commandIn, parse } from "./args.ts";
import { COMMANDS } from "./commands.ts";
import { CommandError, EXIT, refused, usage } from "./failure.ts";
import { printable } from "./format.ts";
import { helpOf, overview } from "./help.ts";
import { openSession, type Session } from "./session.ts";

let session: Session | undefined;

async function run(words: readonly string[]): Promise<number> {
  const [first = "--help"] = words;
  if (first === "--version") return print(version());
  if (first === "--help" || first === "help") return print(overview(COMMANDS));
  const found = commandIn(COMMANDS, words);
  if (found === null) {
    const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `));
    if (group.length > 0 && (words.length === 1 || words[1] === "--help")) return print(overview(group));
    throw usage(
      first.startsWith("-") ? "the command comes first" : `there is no command "${words.slice(0, group.length > 0 ? 2 : 1).join(" ")}"`,
      group.length > 0 ? `doorbuster ${first} --help` : "doorbuster --help",
    );
  }
  const args = parse(found.command, found.rest);
  if (args.flag("help")) return print(helpOf(found.command));
  session = openSession(args, process.env);
  return found.command.run(session);
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return EXIT.done;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "";
}

/** Prints why a command failed, and what to do. Returns the exit code. */
function fail(cause: unknown): number {
  const failure = cause instanceof RefusedError ? refused(cause.refusal) : cause;
  if (!(failure instanceof CommandError)) {
    console.error(failure);
    console.error("doorbuster: this is a bug of the command line\n  next: report what is above");
    return EXIT.unknown;
  }
  const { message, nextStep, body, exitCode } = failure;
  const fault = exitCode === EXIT.unknown ? session?.lastFault() : undefined;
  const error = fault === undefined ? message : `${message} (${session?.address().url}: ${fault})`;
  if (session?.isJson === true || process.argv.includes("--json"))
    process.stderr.write(`${JSON.stringify({ error, ...body, next_step: nextStep })}\n`);
  else process.stderr.write(printable(`doorbuster: ${error}\n  next: ${nextStep}\n`));
  return exitCode;
}

process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
  // A reader may stop reading, as `head` does. A full disk is a failure.
  if (cause.code !== "EPIPE") process.stderr.write(`doorbuster: the output can't be written: ${cause.message}\n  next: make room for it\n`);
  process.exit(cause.code === "EPIPE" ? EXIT.done : EXIT.unknown);
});
process.stderr.on("error", () => undefined);
const exitCode = await run(process.argv.slice(2)).catch(fail);
// The reader of a pipe has to get all of it.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))));
process.exit(exitCode);
