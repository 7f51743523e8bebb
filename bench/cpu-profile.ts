// Sums of a V8 CPU profile: the time of each function and of each source file of the bundle.

export type CpuProfile = {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds between each sample and the one before it. */
  readonly timeDeltas: readonly number[];
};
type ProfileNode = {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
};

/** The line of a bundle on which a source file begins, counted from 0. */
export type SourceStart = { readonly line: number; readonly path: string };

export type Share = {
  readonly name: string;
  /** Microseconds in all. */
  readonly us: number;
};

export type Attributed = {
  /** Own time of each function, the longest first. A runtime function has the name of its calling file. */
  readonly functions: readonly Share[];
  /** Time of each source file, with the runtime functions that it called. */
  readonly files: readonly Share[];
  /** Time in which the thread was busy. */
  readonly busyUs: number;
};

/** Where the source files begin in a bundle: esbuild writes `// path` on a line of its own before each. */
export function sourcesIn(bundle: string): SourceStart[] {
  return bundle.split("\n").flatMap((text, line) => {
    const path = /^\/\/ ((?:[\w.@-]+\/)*[\w.@-]+\.[cm]?[jt]s)$/.exec(text)?.[1];
    return path === undefined ? [] : [{ line, path }];
  });
}

/** Adds up a profile of the bundle whose files begin at `sources`. */
export function attribute(profile: CpuProfile, sources: readonly SourceStart[]): Attributed {
  const selfUs = new Map<number, number>();
  for (const [index, id] of profile.samples.entries()) selfUs.set(id, (selfUs.get(id) ?? 0) + (profile.timeDeltas[index] ?? 0));
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));

  const functions = new Map<string, number>();
  const files = new Map<string, number>();
  let busyUs = 0;
  for (const node of profile.nodes) {
    const us = selfUs.get(node.id) ?? 0;
    const { functionName } = node.callFrame;
    if (us === 0 || functionName === "(idle)") continue;
    busyUs += us;
    const name = functionName === "" ? "(anonymous)" : functionName;
    const file = fileOf(node, nodes, parents, sources);
    add(functions, `${name}, ${sourceOf(node, sources)?.path ?? (file === null ? "runtime" : `runtime, for ${file}`)}`, us);
    add(files, file ?? `runtime: ${name}`, us);
  }
  return { functions: ranked(functions), files: ranked(files), busyUs };
}

/** The source file of the nearest caller that has one, the function itself first. */
function fileOf(
  node: ProfileNode,
  nodes: ReadonlyMap<number, ProfileNode>,
  parents: ReadonlyMap<number, number>,
  sources: readonly SourceStart[],
): string | null {
  for (let at: ProfileNode | undefined = node; at !== undefined; at = nodes.get(parents.get(at.id) ?? -1)) {
    const source = sourceOf(at, sources);
    if (source !== null) return source.path;
  }
  return null;
}

/** A function's source file. Null for the runtime's own scripts, such as `node-internal:timers`. */
function sourceOf({ callFrame: { url, lineNumber } }: ProfileNode, sources: readonly SourceStart[]): SourceStart | null {
  if (url === "" || url.includes(":")) return null;
  return sources.findLast(({ line }) => line <= lineNumber) ?? { line: 0, path: "(bundle's head)" };
}

function add(sums: Map<string, number>, name: string, us: number): void {
  sums.set(name, (sums.get(name) ?? 0) + us);
}

function ranked(sums: ReadonlyMap<string, number>): Share[] {
  return [...sums].map(([name, us]) => ({ name, us })).toSorted((a, b) => b.us - a.us);
}
