// Which call can have caused which event, and which answer can be about it.

import { stateAt } from "../model/judge.ts";
import { changed, isSame, UNSET, type Settings } from "../model/settings.ts";
import type { Answer, Call, LedgerEvent } from "../model/types.ts";

/** Whether the Worker may deliver a call more than once. */
export function isRepeatable(call: Call): boolean {
  if (call.kind === "release") return call.position !== null;
  return (
    call.kind === "claim" ||
    call.kind === "hold" ||
    call.kind === "change" ||
    call.kind === "archive" ||
    call.kind === "erase" ||
    call.kind === "restore"
  );
}

/** Whether an answer that has the event's name can be about this event. */
export function isAnswerOf(answer: Answer, { at, kind, settings }: LedgerEvent): boolean {
  if (kind === "changed" && settings !== undefined && answer.state !== undefined)
    return answer.state === stateAt(settings, answer.remaining ?? 0, at);
  return (writtenAt(answer) ?? at) === at;
}

/** The instant of the event that an answer shows, if it shows one. */
export function writtenAt({ is, claimedAt, heldAt, releasedAt, createdAt }: Answer): number | undefined {
  if (is === "claimed") return claimedAt;
  if (is === "held") return heldAt;
  if (is === "released") return releasedAt;
  return is === "created" ? createdAt : undefined;
}

/** Whether `call` asked for the event at `slot`, from 1. */
export function isCauseOf(call: Call, events: readonly LedgerEvent[], slot: number): boolean {
  const event = events[slot - 1];
  if (event === undefined) return false;
  const { kind, userId, position, settings, restored } = event;
  if (restored !== undefined) return call.kind === "restore" && call.isLast && restored.isLast && call.backup === restored.backup;
  switch (call.kind) {
    case "change":
      return kind === "changed" && settings !== undefined && isSame(changed(settingsBefore(events, slot), call), settings);
    case "create":
      return kind === "created" && settings !== undefined && isSame(settings, changed(UNSET, call));
    case "claim":
      return kind === "claimed" && call.userId === userId && (event.key === undefined || event.key === call.key);
    case "hold":
      return kind === "held" && call.userId === userId && event.expiresAt === event.at + call.ttlMs;
    case "give_back":
      return kind === "given_back" && call.userId === userId;
    case "end_holds":
      return kind === "given_back";
    case "release":
      return kind === "released" && call.userId === userId && (call.position === null || call.position === position);
    case "erase":
      return kind === "erased" && call.userId === userId;
    case "archive":
      return kind === "archived";
    case "remove":
      return kind === "removed";
    default:
      return false;
  }
}

function settingsBefore(events: readonly LedgerEvent[], slot: number): Settings {
  for (let earlier = slot - 1; earlier > 0; earlier -= 1) {
    const settings = events[earlier - 1]?.settings;
    if (settings !== undefined) return settings;
  }
  return UNSET;
}
