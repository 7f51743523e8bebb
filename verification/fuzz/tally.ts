// What was asked and what was told, counted, and which of the answers that the document foretells came up.

import { aimsOf, operationsOf, type Document, type Schema } from "./document.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";
import { objectIn } from "./streams.ts";

export type Tally = {
  readonly count: (request: FuzzRequest, answer: FuzzAnswer) => void;
  /** Answers by operation, and by status within it. */
  readonly byOperation: () => Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What the document foretells, but for faults of the server, and what of it never came, as `operation status code`. */
  readonly foretold: () => { readonly count: number; readonly unmet: readonly string[] };
};

/** A tally for the server that told `document`. */
export function tallyOf(document: Document): Tally {
  const operations = operationsOf(document);
  const counts = new Map<string, Map<number, number>>();
  const met = new Set<string>();
  const foretold = operations.flatMap(({ operationId, responses }) =>
    Object.entries(responses)
      .filter(([status]) => Number(status) < 500)
      .flatMap(([status, { content }]) =>
        codesIn(content?.["application/json"]?.schema).map((code) => `${operationId} ${status} ${code}`.trim()),
      ),
  );

  return {
    count(request, { status, body }) {
      const [aim] = aimsOf(operations, request.method, request.target);
      const where = aim?.at === "operation" ? aim.operation.operationId : aim?.at === "other_method" ? "no such method" : "no such path";
      const ofOperation = counts.get(where) ?? new Map<number, number>();
      ofOperation.set(status, (ofOperation.get(status) ?? 0) + 1);
      counts.set(where, ofOperation);
      const code = status >= 400 ? objectIn(body)?.["code"] : "";
      met.add(`${where} ${status} ${typeof code === "string" ? code : ""}`.trim());
    },
    byOperation: () =>
      Object.fromEntries(
        Array.from(counts, ([where, ofOperation]) => [where, Object.fromEntries(ofOperation)] as const).toSorted(([a], [b]) =>
          a < b ? -1 : 1,
        ),
      ),
    foretold: () => ({ count: foretold.length, unmet: foretold.filter((each) => !met.has(each)) }),
  };
}

/** The codes that a refusal can have; one empty code for what is no refusal. */
function codesIn(schema: (Schema & { readonly allOf?: readonly Schema[] }) | undefined): readonly string[] {
  const codes = schema?.allOf?.flatMap(({ properties }) => properties?.["code"]?.enum ?? []) ?? [];
  return codes.length === 0 ? [""] : codes.map(String);
}
