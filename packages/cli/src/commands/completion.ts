// `completion`: scripts that complete commands and options in shells.

import { GLOBAL, type Command } from "../args.ts";
import { EXIT, usage } from "../failure.ts";

const INSTALL = {
  bash: "doorbuster completion bash > ~/.local/share/bash-completion/completions/doorbuster",
  zsh: 'doorbuster completion zsh > "${fpath[1]}/_doorbuster"',
  fish: "doorbuster completion fish > ~/.config/fish/completions/doorbuster.fish",
} as const;

/** Returns the command. The list of commands has it too, so it is read when it runs. */
export function completion(commands: () => readonly Command[]): Command {
  return {
    name: "completion",
    operands: ["SHELL"],
    about: "Prints a script that completes commands and options in bash, zsh or fish.",
    options: {},
    examples: Object.values(INSTALL),
    json: "the script, as without it",
    run({ args }) {
      const shell = args.operand("SHELL");
      if (!Object.hasOwn(SCRIPTS, shell)) throw usage(`there is no completion for "${shell}"`, "take bash, zsh or fish");
      process.stdout.write(`${scriptOf(shell, commands())}\n`);
      return Promise.resolve(EXIT.done);
    },
  };
}

const SCRIPTS: Readonly<Record<string, (commands: readonly Command[]) => string>> = { bash, zsh, fish };

/** Returns the script for a shell. */
export function scriptOf(shell: string, commands: readonly Command[]): string {
  return SCRIPTS[shell]?.(commands) ?? "";
}

function flagsOf({ options }: Command): string {
  return Object.keys({ ...options, ...GLOBAL })
    .map((option) => `--${option}`)
    .join(" ");
}

function firstWords(commands: readonly Command[]): string[] {
  return Array.from(new Set(commands.map(({ name }) => name.split(" ")[0] ?? "")));
}

/** The second words of each group of commands. */
function groupsOf(commands: readonly Command[]): [string, string[]][] {
  return firstWords(commands)
    .map((word): [string, string[]] => [
      word,
      commands.flatMap(({ name }) => (name.startsWith(`${word} `) ? [name.slice(word.length + 1)] : [])),
    ])
    .filter(([, second]) => second.length > 0);
}

/** What can stand at `$index`, as `$choices`. bash and zsh read it alike. */
function choices(commands: readonly Command[]): string {
  const groups = groupsOf(commands).map(
    ([word, second]) => `  elif [ "$index" -eq 2 ] && [ "$first" = ${word} ]; then choices="${second.join(" ")}"`,
  );
  return `  case "$first $second " in
${commands.map((command) => `    "${command.name} "*) choices="${flagsOf(command)}" ;;`).join("\n")}
  esac
  if [ "$index" -eq 1 ]; then choices="${firstWords(commands).join(" ")}"
${groups.join("\n")}
  fi`;
}

function bash(commands: readonly Command[]): string {
  return `_doorbuster() {
  local first="\${COMP_WORDS[1]}" second="\${COMP_WORDS[2]}" index="$COMP_CWORD" word="\${COMP_WORDS[COMP_CWORD]}" choices=""
${choices(commands)}
  COMPREPLY=($(compgen -W "$choices" -- "$word"))
  # No option fits, so it may be a file.
  [ "\${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -F _doorbuster doorbuster`;
}

function zsh(commands: readonly Command[]): string {
  return `#compdef doorbuster
_doorbuster() {
  local first="$words[2]" second="$words[3]" index="$((CURRENT - 1))" choices=""
${choices(commands)}
  compadd -- \${=choices} || _files
}
compdef _doorbuster doorbuster
[ "$funcstack[1]" != _doorbuster ] || _doorbuster "$@"`;
}

function depth(count: number): string {
  return `test (count (commandline -opc)) -eq ${count}`;
}

function fish(commands: readonly Command[]): string {
  return [
    ...firstWords(commands).map((word) => `complete -c doorbuster -f -n '${depth(1)}' -a ${word}${aboutOf(commands, word)}`),
    ...groupsOf(commands).flatMap(([word, second]) =>
      second.map(
        (one) =>
          `complete -c doorbuster -f -n '__fish_seen_subcommand_from ${word}; and ${depth(2)}' -a ${one}${aboutOf(commands, `${word} ${one}`)}`,
      ),
    ),
    ...commands.flatMap(({ name, options }) => {
      const seen = name.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
      return Object.entries({ ...options, ...GLOBAL }).map(
        ([option, { value, help }]) =>
          `complete -c doorbuster -n '${seen.join("; and ")}' -l ${option}${value === undefined ? "" : " -r"} -d ${inFish(help)}`,
      );
    }),
  ].join("\n");
}

function aboutOf(commands: readonly Command[], name: string): string {
  const about = commands.find((command) => command.name === name)?.about;
  return about === undefined ? "" : ` -d ${inFish(about)}`;
}

function inFish(text: string): string {
  return `'${text.replaceAll("\\", String.raw`\\`).replaceAll("'", String.raw`\'`)}'`;
}
