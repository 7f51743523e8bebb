// Bugs to plant into lanes and their hints.

import { bug, type PlantedBug } from "./planted-bug.ts";

export const LANE_BUGS: Readonly<Record<string, PlantedBug>> = {
  "lane-mixes-answers-up": bug("A lane swaps the answers to two messages of a flush.", [
    "lane/lane",
    "const answer = answers[index];",
    "const answer = answers[batch.length - 1 - index];",
  ]),
  "lane-batch-out-of-order": bug("The coupon answers the messages of a flush in the wrong order.", [
    "object/coupon-object",
    "const answers = await Promise.all(judged);",
    "const answers = (await Promise.all(judged)).toReversed();",
  ]),
  "flush-twice-counts-twice": bug("A flush that is delivered twice is taken for new requests.", [
    "object/coupon-object",
    "this.#claim(message.request)",
    "this.#claim({ ...message.request, attemptId: crypto.randomUUID() })",
  ]),
  "lane-loses-a-failed-flush": bug("The callers of a flush that fails get no answer.", [
    "lane/lane",
    "for (const { reject } of batch) reject(cause);",
    "void cause;",
  ]),
  "lane-stops-after-a-failure": bug("After a flush that failed, a lane sends nothing.", [
    "lane/lane",
    "    } finally {\n      this.#callCount -= 1;\n",
    "      this.#callCount += 1;\n    } finally {\n      this.#callCount -= 1;\n",
  ]),
  "lane-without-deadline": bug("A lane waits for ever for an answer that is lost.", [
    "lane/lane-object",
    "withDeadline(this.#coupon().batch(...batch), LANE_DEADLINE_MS)",
    "this.#coupon().batch(...batch)",
  ]),
  "lane-deadline-too-long": bug("Two calls of a lane that get no answer take all of their callers' time.", [
    "domain/lane-limits",
    "0.3 * CALL_DEADLINE_MS",
    "0.5 * CALL_DEADLINE_MS",
  ]),
  "retry-keeps-its-lane": bug(
    "A retry takes the lane of the first attempt, although its hint has lapsed.",
    ["edge/lanes", "const laneNow = ", "let kept: LaneTarget | null = null;\n  const laneNow = "],
    ["edge/lanes", "const target = laneFor(worker, name, userId);", "const target = (kept ??= laneFor(worker, name, userId));"],
  ),
  "hint-never-lapses": bug("An isolate follows a hint for ever.", ["domain/lanes", "ageMs >= 0 && ageMs < hint.forMs", "ageMs >= 0"]),
  "pause-without-end": bug("A lane that gets a pause sends nothing any more.", [
    "lane/lane",
    "setTimeout(resolve, pauseMs)",
    "resolve !== undefined",
  ]),
  "traffic-never-fades": bug("A coupon that was busy once asks for lanes for ever.", [
    "domain/lanes",
    "perSecond * Math.exp(-agedMs / TRAFFIC_MS)",
    "perSecond",
  ]),
};
