// What is checked once a history is over: all that was told, against all that is stored.

import type { History, LedgerEvent } from "../history/history.ts";
import { violationIn } from "../history/linearizable.ts";
import { story } from "../history/story.ts";
import type { Course } from "./course.ts";
import type { Breach, Scene } from "./scene.ts";
import { toldOver } from "./tables.ts";
import { timeFault } from "./time-check.ts";

/** Checks a history that has come to its end, and answers the events of its ledgers. */
export function check(scene: Scene, course: Course): readonly LedgerEvent[] {
  const events = readTables(scene, course);
  const object = violationIn(historyOf(course, events, "object"));
  if (object !== null) scene.breach("object", object.what);
  // Where each client heard, of one delivery, just what the object told, the object's history says it all.
  if (course.platform.ends.length > 0 || !course.clients.areToldAsIs) {
    const client = violationIn(historyOf(course, events, "client"));
    if (client !== null) scene.breach("client", client.what);
  }
  checkFailures(scene, course);
  const { isClockSteady } = course.platform;
  const time = isClockSteady ? null : timeFault(course.clients.delivered, events);
  if (time !== null) scene.breach("time", time);
  const { storage } = scene;
  if (storage.life < storage.lives.length && storage.alarmAt !== null) scene.breach("empty", "an alarm is set where there is no coupon");
  return events;
}

/** The history that a breach is about: what was asked and told, and the ledgers. */
export function recordedStory(scene: Scene, course: Course, { rule }: Breach): string {
  const history = historyOf(course, readTables(scene, course), rule === "client" ? "client" : "object");
  return history.operations.length === 0 ? "" : story(history, violationIn(history));
}

/** All that happened, as the tables of all lives tell it. */
function readTables({ storage, breach, digest }: Scene, { clients, platform }: Course): LedgerEvent[] {
  const all: LedgerEvent[] = [];
  const isOneClock = platform.skewMsMin === 0 && platform.skewMsMax === 0;
  for (const [index, database] of storage.lives.entries()) {
    const looks = clients.looks.filter((look) => look.life === index + 1 && (look.refusedAt === null || isOneClock));
    const { events, fault } = toldOver(database, platform.name, looks);
    if (fault !== null) breach("tables", fault);
    for (const event of events) {
      all.push(event);
      digest.add(event.at);
      digest.add(event.position ?? 0);
    }
    const endedAt = storage.endedAt[index];
    if (endedAt !== undefined) all.push({ kind: "removed", seq: 0, at: endedAt, userId: null, position: null });
  }
  return all;
}

/** Who was told that something failed, when nothing had. */
function checkFailures({ points, breach, plan }: Scene, { platform, clients }: Course): void {
  const { unavailableCount } = platform;
  if (unavailableCount > points.thrownCount)
    breach("failure", `the object answered unavailable ${unavailableCount} times, and storage failed ${points.thrownCount} times`);
  const isCalm = plan.steps.every((step) => step.is === "ask" && step.fates.every(({ is }) => is === "delivered"));
  const failed = isCalm ? clients.outcomes.find((word) => word === "unavailable" || word === "outcome_unknown") : undefined;
  if (failed !== undefined) breach("failure", `somebody was told ${failed}, and nothing had failed`);
}

function historyOf({ platform, clients }: Course, events: readonly LedgerEvent[], seenFrom: History["seenFrom"]): History {
  const { ends, isClockSteady } = platform;
  const operations = seenFrom === "object" ? clients.delivered : clients.byTheObjectsClock(platform.skewMsMin, platform.skewMsMax);
  return { events, operations: ends.length === 0 ? operations : [...operations, ...ends], seenFrom, isClockSteady };
}
