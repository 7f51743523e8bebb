// Answers that are not JSON as a whole: exports, metrics, and the first message of a stream of events.

import type { ValidateFunction } from "ajv/dist/2020.js";

/** The JSON object in `text`, or null. */
export function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

export type Parts = { readonly isStatus: ValidateFunction; readonly isLine: ValidateFunction };

const CSV =
  /^\ufeff?coupon_name,user_id,position,claimed_at(?:,released_at)?\r\n(?:(?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,(?:"(?:[^"]|"")*"|[^",\r\n]*)){3,4}\r\n)*$/;
/** A comment, or a name with labels and a number (Prometheus' text format, 0.0.4). */
const METRIC_LINE = /^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{[^\n]*\})? -?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf))$/;
/** A viewer who reconnects gets the state event that it missed before the message. */
const FIRST_MESSAGE =
  /^retry: \d+\n(?:event: state\nid: \d+\ndata: \{"from":"\w+","to":"\w+","seq":\d+\}\n\n)?id: (\d+)\ndata: ([^\n]*)\n\n/;

/** What is wrong with a body of the media type, or null. */
export function streamFault(mediaType: string, body: string, { isStatus, isLine }: Parts): string | null {
  switch (mediaType) {
    case "text/html":
      return body.startsWith("<!doctype html>") && body.endsWith("</html>\n") ? null : "not a whole page";
    case "text/csv":
      return CSV.test(body) ? null : "not CSV";
    case "application/x-ndjson":
      return body === "" || linesFit(body, (line) => isLine(objectIn(line))) ? null : "a line that is not documented";
    case "text/plain":
      return linesFit(body, (line) => METRIC_LINE.test(line)) ? null : "a line that is not a metric";
    case "text/event-stream": {
      const [, id, json = ""] = FIRST_MESSAGE.exec(body) ?? [];
      const status = objectIn(json);
      return isStatus(status) && status?.["seq"] === Number(id) ? null : "the first message is not a status";
    }
    default:
      return `no check for ${mediaType}`;
  }
}

function linesFit(body: string, isFit: (line: string) => boolean): boolean {
  return body.endsWith("\n") && body.slice(0, -1).split("\n").every(isFit);
}
