// A history as text: the ledger, and every request with its answer.

import type { Answer, Call, LedgerEvent } from "../model/types.ts";
import type { History, Operation, Violation } from "./history.ts";

/**
 * Returns the history in lines, by the start of its operations. An arrow marks those of the violation. Times
 * are from the first.
 */
export function historyText(history: History, violation: Violation | null = null): string {
  const { operations, events } = history;
  const named = new Set(violation?.operations);
  const clockZero = Math.min(...operations.map(({ clockFrom }) => clockFrom));
  const startZero = Math.min(...operations.map(({ startedAt }) => startedAt));
  const answered = operations
    .toSorted((a, b) => a.startedAt - b.startedAt)
    .map((operation) => `${named.has(operation) ? "→" : " "} ${operationLine(operation, startZero, clockZero)}`);
  return [
    ...(violation === null ? [] : [`violation: ${violation.what}`, ""]),
    `ledger (clock from ${new Date(clockZero).toISOString()}):`,
    ...events.map((event) => `  ${eventLine(event, clockZero)}`),
    "operations:",
    ...answered,
  ].join("\n");
}

function eventLine({ seq, at, kind, userId, position, ...more }: LedgerEvent, zero: number): string {
  const facts = { ...more, ...more.settings, settings: undefined };
  return [
    `${seq}`.padStart(3),
    `${ms(at - zero)} ms`.padStart(10),
    kind,
    userId ?? "",
    position === null ? "" : `#${position}`,
    factsLine(facts, zero),
  ]
    .filter((part) => part !== "")
    .join(" ");
}

function operationLine({ client, call, startedAt, endedAt, attempt, answer }: Operation, startZero: number, clockZero: number): string {
  const ended = endedAt === null ? "?" : ms(endedAt - startZero);
  const span = `${ms(startedAt - startZero)}…${ended}`.padStart(16);
  return `${span} ${client}: ${callLine(call, clockZero)} → ${answerLine(answer, clockZero)}${attempt === null ? "" : ` (${attempt.slice(0, 8)})`}`;
}

function callLine({ kind, ...asked }: Call, zero: number): string {
  return `${kind} ${factsLine(asked, zero)}`.trimEnd();
}

function answerLine(answer: Answer | null, zero: number): string {
  if (answer === null) return "unknown";
  const { is, seq, ...facts } = answer;
  return `${is} seq ${seq} ${factsLine(facts, zero)}`.trimEnd();
}

function factsLine(facts: Readonly<Record<string, unknown>>, zero: number): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${valueText(name, value, zero)}`)
    .join(" ");
}

/** Instants are printed in milliseconds since the start. */
function valueText(name: string, value: unknown, zero: number): string {
  if (Array.isArray(value)) return `[${value.join(",")}]`;
  return typeof value === "number" && (name === "at" || name.endsWith("At")) ? `${ms(value - zero)}ms` : String(value);
}

function ms(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
