// What a deployment is made of names the same variables and bindings as the code.

import { expect, test } from "vitest";

import { VARIABLE_NAMES } from "../../src/edge/config.ts";
import { text } from "./tools.ts";

/** A variable in .dev.vars.example, perhaps behind a `#`, and the line before it. */
const EXAMPLE = /^(.*)\n(# )?([A-Z_]+)=(.*)$/gm;

const examples = Array.from(text(".dev.vars.example").matchAll(EXAMPLE), ([, about = "", off, name = "", value = ""]) => ({
  name,
  value,
  about,
  isAsked: off === undefined,
}));
/** What is bound, but for variables, in a text that declares it. */
function bindingsIn(declarations: string): string[] {
  const names = Array.from(declarations.matchAll(/^\s+(?:readonly )?([A-Z][A-Z0-9_]+)\??: /gm), ([, name = ""]) => name);
  return Array.from(new Set(names.filter((name) => !VARIABLE_NAMES.includes(name)))).sort();
}

const bindings = bindingsIn(text("src/edge/env.ts"));

test(".dev.vars.example has every variable once, in the order of the code, each after a sentence", () => {
  expect(examples.map(({ name }) => name)).toEqual(VARIABLE_NAMES);
  expect(examples.filter(({ about }) => !/^# .*\.$/.test(about))).toEqual([]);
});

test("the button asks for blank secrets alone, so its form opens no Worker", () => {
  const asked = examples.filter(({ isAsked }) => isAsked);
  expect(asked.map(({ name, value }) => [name, value])).toEqual([
    ["ADMIN_TOKEN", ""],
    ["IDENTITY_SECRET", ""],
  ]);
});

test("package.json describes what the button asks for, and every binding", () => {
  const { cloudflare } = JSON.parse(text("package.json")) as {
    readonly cloudflare: { readonly bindings: Readonly<Record<string, { readonly description: string }>> };
  };
  const asked = examples.filter(({ isAsked }) => isAsked).map(({ name }) => name);
  expect(Object.keys(cloudflare.bindings).sort()).toEqual([...asked, ...bindings].sort());
  expect(Object.values(cloudflare.bindings).filter(({ description }) => !/\w.*\.$/.test(description))).toEqual([]);
});

test("production and staging have every binding that the code reads, and no other", () => {
  const types = text("worker-configuration.d.ts");
  const environments = ["__BaseEnv_Env", "StagingEnv"].map((name) => new RegExp(`interface ${name} \\{([^}]*)\\}`).exec(types)?.[1] ?? "");
  expect(environments.map(bindingsIn)).toEqual([bindings, bindings]);
});
