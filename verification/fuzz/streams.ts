// What the answers look like that are no JSON as a whole: exports, metrics, and the first message of a stream of events.

import type { ValidateFunction } from "ajv/dist/2020.js";

/** The JSON object in `text`, or null where there is none. */
export function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

export type Parts = { readonly isStatus: ValidateFunction; readonly isReceipt: ValidateFunction };

const CSV_HEAD = "coupon_name,user_id,position,claimed_at\r\n";
const CSV_ROW = /^(?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,(?:"(?:[^"]|"")*"|[^",\r\n]*)){3}\r\n/;
/** A comment, or a name with labels and a number (Prometheus' text format, 0.0.4). */
const METRIC_LINE = /^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{[^\n]*\})? -?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf))$/;
const FIRST_MESSAGE = /^retry: \d+\n\nid: (\d+)\ndata: ([^\n]*)\n\n/;

/** What is wrong with a body of the media type, or null. */
export function streamFault(mediaType: string, body: string, { isStatus, isReceipt }: Parts): string | null {
  switch (mediaType) {
    case "text/csv":
      return csvFault(body);
    case "application/x-ndjson":
      return /^(?:[^\n]+\n)*$/.test(body) &&
        body
          .split("\n")
          .slice(0, -1)
          .every((line) => isReceipt(objectIn(line)))
        ? null
        : "a line that is no receipt";
    case "text/event-stream":
      return messageFault(body, isStatus);
    case "text/plain":
      return body.endsWith("\n") &&
        body
          .trimEnd()
          .split("\n")
          .every((line) => METRIC_LINE.test(line))
        ? null
        : "a line that is no metric";
    default:
      return `nobody knows how to check ${mediaType}`;
  }
}

function csvFault(body: string): string | null {
  if (!body.startsWith(CSV_HEAD)) return "no head of a CSV";
  let rest = body.slice(CSV_HEAD.length);
  while (rest !== "") {
    const row = CSV_ROW.exec(rest);
    if (row === null) return "a row that is no CSV";
    rest = rest.slice(row[0].length);
  }
  return null;
}

function messageFault(body: string, isStatus: ValidateFunction): string | null {
  const [, id, json] = FIRST_MESSAGE.exec(body) ?? [];
  if (json === undefined) return "no first message";
  const status = objectIn(json);
  return isStatus(status) && status?.["seq"] === Number(id) ? null : "a message that is no status";
}
