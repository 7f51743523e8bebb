// Times that an operator types or reads, in the operator's time zone.

const DAY_MS = 86_400_000;
const WALL_TIME = /^\d{4,6}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?$/;

/** What a `datetime-local` input holds. At the end of summer time an hour comes twice: `at` is in the first one. */
export type TypedTime =
  | { readonly kind: "incomplete" }
  | { readonly kind: "skipped"; readonly note: string }
  | { readonly kind: "instant"; readonly at: number; readonly note: string | null };

/** Returns the instant of `typed`, such as `2026-12-03T10:00`, in `zone`. */
export function typedTime(typed: string, zone: string): TypedTime {
  const wall = WALL_TIME.test(typed) ? Date.parse(`${typed}Z`) : NaN;
  if (Number.isNaN(wall)) return { kind: "incomplete" };
  // The clocks change at most once in these two days, so one of the two offsets holds at `wall`.
  const candidates = [wall - DAY_MS, wall + DAY_MS].map((near) => wall - offsetAt(near, zone));
  const [first, second] = candidates.filter((at) => at + offsetAt(at, zone) === wall).toSorted((a, b) => a - b);
  const time = typed.slice(typed.indexOf("T") + 1);
  if (first === undefined) return { kind: "skipped", note: `${time} does not exist that day: the clocks go forward` };
  const isRepeated = second !== undefined && second !== first;
  return { kind: "instant", at: first, note: isRepeated ? `${time} happens twice that day: the first is meant` : null };
}

/** Returns what a `datetime-local` input shows for an instant, to the minute. */
export function wallTime(at: number, zone: string): string {
  return new Date(at + offsetAt(at, zone)).toISOString().slice(0, 16);
}

/** Returns what the clocks of `zone` are ahead of UTC at `at`, in milliseconds. */
function offsetAt(at: number, zone: string): number {
  const format = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
    hourCycle: "h23",
  });
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const { year, month, day, hour, minute, second } = parts;
  const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  return wall - Math.floor(at / 1000) * 1000;
}

/** The part of a time zone's name that people say, such as `Berlin`. */
export function cityOf(zone: string): string {
  return (zone.split("/").at(-1) ?? zone).replaceAll("_", " ");
}

/** Returns a day and a time as short as is clear at `now`: `Thu 10:00`, `Thu 3 Dec 10:00` or `Sun 3 Jan 2027 10:00`. */
export function shortTime(at: number, now: number, zone: string): string {
  const parts = (options: Intl.DateTimeFormatOptions, when = at): Partial<Record<string, string>> =>
    Object.fromEntries(
      new Intl.DateTimeFormat("en", { ...options, timeZone: zone }).formatToParts(when).map(({ type, value }) => [type, value]),
    );
  const { weekday, day, month, year, hour, minute } = parts({
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const isNear = Math.abs(at - now) < 6 * DAY_MS;
  const isThisYear = parts({ year: "numeric" }, now)["year"] === year;
  const date = isNear ? "" : isThisYear ? ` ${day} ${month}` : ` ${day} ${month} ${year}`;
  return `${weekday}${date} ${hour}:${minute}`;
}

const DURATIONS = [
  ["day", DAY_MS],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** Returns a length of time by its two largest units, such as `one day` or `2 hours and 30 minutes`. */
export function duration(ms: number): string {
  const index = DURATIONS.findIndex(([, size]) => ms >= size);
  if (index === -1) return "less than a second";
  let rest = ms;
  const parts = DURATIONS.slice(index, index + 2).flatMap(([unit, size]) => {
    const units = Math.floor(rest / size);
    rest -= units * size;
    return units === 0 ? [] : [units === 1 ? `one ${unit}` : `${units} ${unit}s`];
  });
  return parts.join(" and ");
}
