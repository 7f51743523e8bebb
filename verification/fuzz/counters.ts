// Counts requests and answers, and which of the documented answers occurred.

import { nameOf, operationsOf, resolved, targetsOf, type Document, type Schema } from "./document.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";
import { objectIn } from "./streams.ts";

export type Counters = {
  readonly count: (request: FuzzRequest, answer: FuzzAnswer) => void;
  /** Answers by operation, and by status within it. */
  readonly byOperation: () => Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The documented answers below 500, and those of them that never occurred, as `operation status code`. */
  readonly documented: () => { readonly count: number; readonly unmet: readonly string[] };
};

export function countersOf(document: Document): Counters {
  const operations = operationsOf(document);
  const counts: Record<string, Record<string, number>> = {};
  const met = new Set<string>();
  const documented = operations.flatMap(({ operationId, responses }) =>
    Object.entries(responses)
      .filter(([status]) => Number(status) < 500)
      .flatMap(([status, { content }]) => {
        const codes = codesIn(document, content?.["application/json"]?.schema ?? {});
        return codes.length === 0 ? [`${operationId} ${status}`] : codes.map((code) => `${operationId} ${status} ${code}`);
      }),
  );

  return {
    count(request, { status, body }) {
      const [at] = targetsOf(operations, request.method, request.target);
      const where = at === undefined ? "no such path" : nameOf(at);
      const ofOperation = (counts[where] ??= {});
      ofOperation[status] = (ofOperation[status] ?? 0) + 1;
      const code = status >= 400 ? objectIn(body)?.["code"] : "";
      met.add(`${where} ${status} ${typeof code === "string" ? code : ""}`.trim());
    },
    byOperation: () => counts,
    documented: () => ({ count: documented.length, unmet: documented.filter((each) => !met.has(each)) }),
  };
}

/** The codes of a refusal; none of a success. */
function codesIn(document: Document, schema: Schema): string[] {
  const { oneOf = [], properties = {} } = resolved(document, schema);
  const code = properties["code"]?.const;
  return [...(typeof code === "string" ? [code] : []), ...oneOf.flatMap((each) => codesIn(document, each))];
}
