// Parses the Prometheus text exposition format 0.0.4. Throws at anything else.

import { exports } from "cloudflare:workers";

export type Sample = { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number };
export type Family = { readonly name: string; readonly help: string; readonly type: string; readonly samples: readonly Sample[] };

const HELP = /^# HELP ([a-zA-Z_:][\w:]*) (.+)$/;
const TYPE = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/;
const SAMPLE = /^([a-zA-Z_:][\w:]*)\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\} (-?\d+(?:\.\d+)?)$/s;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\["\\n])*)"/gs;

function unescaped(value: string): string {
  return value.replaceAll(/\\(["\\n])/g, (_all, sign: string) => (sign === "n" ? "\n" : sign));
}

function sampleIn(line: string): Sample {
  const [, name, labels, value] = SAMPLE.exec(line) ?? [];
  if (name === undefined || labels === undefined) throw new Error(`no sample: ${line}`);
  const pairs = Array.from(labels.matchAll(LABEL), ([, label = "", text = ""]) => [label, unescaped(text)]);
  return { name, labels: Object.fromEntries(pairs), value: Number(value) };
}

/** The families in `text`, each with its HELP, TYPE and samples. Throws at a line that is out of place. */
export function familiesIn(text: string): Family[] {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families: (Omit<Family, "samples"> & { samples: Sample[] })[] = [];
  const lines = text.slice(0, -1).split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const [, name, help] = HELP.exec(line) ?? [];
    if (name === undefined || help === undefined) {
      families.at(-1)?.samples.push(sampleIn(line));
      continue;
    }
    const [, typed, type] = TYPE.exec(lines[(index += 1)] ?? "") ?? [];
    if (typed !== name || type === undefined) throw new Error(`no type of ${name}`);
    families.push({ name, help, type, samples: [] });
  }
  return families;
}

export async function metricsText(name: string): Promise<string> {
  return (await exports.default.fetch(`https://doorbuster.test/api/coupons/${encodeURIComponent(name)}/metrics`)).text();
}

/** The counts of claims by outcome that are not 0. */
export async function claimCounts(name: string): Promise<Record<string, number>> {
  const counts = Object.entries(await valuesOf(name, "doorbuster_claims_total"));
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** The values of one family of coupon `name`, by their labels without `coupon`: `outcome=granted`. */
export async function valuesOf(name: string, family: string): Promise<Record<string, number>> {
  const samples = familiesIn(await metricsText(name)).find((candidate) => candidate.name === family)?.samples ?? [];
  return Object.fromEntries(
    samples.map(({ name: sampleName, labels: { coupon: _coupon, ...labels }, value }) => {
      const labelled = Object.entries(labels).map(([label, text]) => `${label}=${text}`);
      return [[sampleName.slice(family.length), ...labelled].filter((part) => part !== "").join(" "), value];
    }),
  );
}
