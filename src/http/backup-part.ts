// Parses a part of a backup. src/backup-file.ts writes it.

import * as z from "zod";

import { BACKUP_FORMAT, BACKUP_VERSION } from "../backup-file.ts";
import type { BackupEnd, BackupEvent, BackupHeader, BackupPart } from "../domain/backup.ts";
import { unnamed } from "../domain/coupon.ts";
import { EVENT_KINDS } from "../domain/ledger-event.ts";
import { AMOUNT_MAX } from "../domain/limits.ts";
import { textFault } from "../domain/names.ts";
import { jsonIn } from "./body.ts";

const Count = z.int().min(0);
const Epoch = z.string().regex(/^[\w-]{1,64}$/, "is no epoch");
const Text = z.string().nullable();
const amounts = { amount: z.int().min(1).max(AMOUNT_MAX), hold_seconds_max: Count, holds_max: Count.nullable() };
const settings = {
  ...amounts,
  starts_at: z.int().nullable(),
  ends_at: z.int().nullable(),
  title: Text,
  description: Text,
  image_url: Text,
};

const HeaderLine = z.strictObject({
  format: z.literal(BACKUP_FORMAT),
  version: z.literal(BACKUP_VERSION, `must be ${BACKUP_VERSION}: another version of Doorbuster made this backup`),
  name: z.string(),
  epoch: Epoch,
  seq: z.int().min(1),
  as_of: z.int(),
  created_at: z.int(),
  archived_at: z.int().nullable(),
  claimed: Count,
  held: Count,
  last_position: Count,
  erasure_key: z
    .string()
    .regex(/^[\w+/=-]{1,128}$/, "is no key")
    .nullable(),
  paused: z.boolean(),
  ...settings,
});

/** The details of an event as the ledger stores them. */
const Details = z.looseObject({
  ...z.object({ ...settings, paused: z.union([z.literal(0), z.literal(1)]), idempotency_key: z.string() }).partial().shape,
  expires_at: z.int().optional(),
  was_held: z.literal(1).optional(),
});

const User = z.string().refine((text) => textFault(text) === null, "is no user id");
const EventLine = z.strictObject({
  seq: z.int().min(1),
  at: z.int(),
  kind: z.enum(EVENT_KINDS),
  user_id: User.nullable().default(null),
  position: z.int().min(1).nullable().default(null),
  data: z
    .string()
    .refine((text) => Details.safeParse(jsonIn(text)).success, "is no details of an event")
    .nullable()
    .default(null),
  actor: z.string().nullable().default(null),
  idempotency_key: z.string().nullable().default(null),
  attempt_id: z.string().nullable().default(null),
  attempt_ids: z.array(z.string()).readonly().default([]),
});

const EndLine = z.strictObject({ epoch: Epoch, seq: z.int().min(1), sha256: z.string().regex(/^[0-9a-f]{64}$/, "is no SHA-256") });

/** The last line of a backup that could not be completed. */
const ErrorLine = z.strictObject({ error: z.string() });

/** Any line, for the OpenAPI document. */
export const BackupLine = z.union([HeaderLine, EventLine, EndLine, ErrorLine]);

type Parsed = { readonly ok: true; readonly part: BackupPart } | { readonly ok: false; readonly line: number; readonly fault: string };
const utf8 = new TextEncoder();

/** Returns the part of a backup in `text`, or its first line that is none. */
export function parsePart(text: string, number: number): Parsed {
  const lines = text.split("\n");
  const rest = lines.pop();
  if (rest !== "" || lines.length === 0) return { ok: false, line: lines.length + 1, fault: "the line does not end: send whole lines" };
  let header: BackupHeader | null = null;
  let end: BackupEnd | null = null;
  const events: BackupEvent[] = [];
  for (const [index, line] of lines.entries()) {
    const fault = (why: string): Parsed => ({ ok: false, line: index + 1, fault: why });
    const value: unknown = jsonIn(line);
    if (typeof value !== "object" || value === null) return fault("the line is no JSON object");
    if (end !== null) return fault("the line follows the last line of a backup");
    if ("error" in value) return fault("this backup was not completed: take another one");
    const parsed =
      "format" in value ? HeaderLine.safeParse(value) : "sha256" in value ? EndLine.safeParse(value) : EventLine.safeParse(value);
    if (!parsed.success) return fault(parsed.error.issues.map(({ path, message }) => [...path, message].join(" ")).join(", "));
    const { data } = parsed;
    if ("sha256" in data) end = data;
    else if ("kind" in data) events.push(eventOf(data));
    else if (index === 0) header = headerOf(data);
    else return fault("the line is the first one of a backup");
  }
  const hashed = end === null ? text : text.slice(0, text.length - 1 - (lines.at(-1)?.length ?? 0));
  return { ok: true, part: { number, header, events, end, bytes: utf8.encode(hashed) } };
}

function headerOf(line: z.output<typeof HeaderLine>): BackupHeader {
  const {
    name,
    epoch,
    seq,
    as_of: at,
    created_at: createdAt,
    archived_at: archivedAt,
    claimed,
    held,
    last_position: lastPosition,
    erasure_key: erasureKey,
  } = line;
  return { ...unnamed(line), name, epoch, seq, at, createdAt, archivedAt, claimed, held, lastPosition, erasureKey };
}

function eventOf({
  user_id: userId,
  idempotency_key: key,
  attempt_id: attemptId,
  attempt_ids: attemptIds,
  ...event
}: z.output<typeof EventLine>) {
  return { ...event, userId, key, attemptId, attemptIds };
}
