// The completion of shells: each script has everything, and does complete in the shells that this machine has.

import { spawnSync } from "node:child_process";

import { expect, test } from "vitest";

import { COMMANDS } from "../../packages/cli/src/commands.ts";
import { scriptOf } from "../../packages/cli/src/commands/completion.ts";

/** Code behind the script that prints what completes the words `$@`, a line each or with spaces between them. */
const COMPLETE = {
  bash: ["--norc", "-c", `eval "$0"; COMP_WORDS=(doorbuster "$@"); COMP_CWORD=$#; _doorbuster; echo "\${COMPREPLY[*]}"`],
  // Without a line to edit there are no compadd and no _files, so these do as they do.
  zsh: [
    "-f",
    "-c",
    `compdef() { }; _files() { print -r -- \${~words[CURRENT]}*; }
     compadd() { shift; local found=(\${(M)@:#$words[CURRENT]*}); print -r -- $found; (( $#found )); }
     eval "$0"; words=(doorbuster "$@"); CURRENT=$(($# + 1)); _doorbuster`,
  ],
  fish: ["--no-config", "-c", `echo $argv[1] | source; complete -C "doorbuster $argv[2..]" | string split -f1 \\t`],
} as const;
type Shell = keyof typeof COMPLETE;
const SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

test.for(SHELLS)("the completion of %s has every command and every option", (shell) => {
  const script = scriptOf(shell, COMMANDS);
  const words = COMMANDS.flatMap(({ name, options }) => name.split(" ").concat(Object.keys(options)));
  expect(words.filter((word) => !script.includes(word))).toEqual([]);
});

/** What a shell offers for the words of a line, the last of which is not complete. */
function offered(shell: Shell, words: readonly string[]): string[] {
  const { stdout, stderr } = spawnSync(shell, [...COMPLETE[shell], scriptOf(shell, COMMANDS), ...words], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.trim().split(/\s+/).sort();
}

test.for(SHELLS.filter((shell) => spawnSync(shell, ["--version"]).status === 0))(
  "%s completes a command, its second word and its options by the script",
  (shell) => {
    expect(offered(shell, ["web"])).toEqual(["webhooks"]);
    expect(offered(shell, ["webhooks", "re"])).toEqual(["remove", "replay", "resume"]);
    expect(offered(shell, ["create", "PROMO", "--am"])).toEqual(["--amount"]);
    expect(offered(shell, ["webhooks", "add", "--ev"])).toEqual(["--events"]);
    expect(offered(shell, ["verify", "./package.js"])).toEqual(["./package.json"]);
  },
);
