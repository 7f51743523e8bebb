// Times as operators write and read them.

import { usage } from "./failure.ts";

const WRITE = 'write 2026-12-01T10:00:00+01:00, or "2026-12-01 10:00" in your time zone';
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?$/;
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
const HOUR_MS = 3_600_000;

/** Returns an instant in UTC. Throws {@link CommandError} if the text is no instant, or not one alone. */
export function instantIn(text: string): string {
  if (RFC_3339.test(text)) {
    const at = Date.parse(text.replace(" ", "T").toUpperCase());
    // JavaScript takes February 30 for March 1.
    if (!Number.isNaN(at) && isDate(text)) return new Date(at).toISOString();
  }
  const [, year, month, day, hour, minute, second = "0"] = LOCAL.exec(text) ?? [];
  if (year === undefined) throw usage(`"${text}" is not a time`, WRITE);
  const at = new Date(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const wanted = `${text.slice(0, 10)} ${text.slice(11, 16)}`;
  if (!isDate(text) || wallClock(at).slice(0, 16) !== wanted)
    throw usage(`"${text}" does not exist in the time zone ${zone()}`, `choose another time; or ${WRITE}`);
  const isTwice = [-1, 1].some((hours) => wallClock(new Date(at.getTime() + hours * HOUR_MS)).slice(0, 16) === wanted);
  if (isTwice) throw usage(`"${text}" happens twice in the time zone ${zone()}`, "give its offset, such as 2026-10-25T02:30:00+01:00");
  return at.toISOString();
}

function isDate(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10) === text.slice(0, 10);
}

function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function wallClock(at: Date): string {
  const date = `${String(at.getFullYear()).padStart(4, "0")}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Returns an instant on the local clock, with its distance: `2026-12-01 10:00 (Europe/Berlin), in 3 days`. */
export function shownInstant(iso: string, now: number): string {
  const at = new Date(iso);
  const distance = spanOf(Math.abs(at.getTime() - now));
  const clock = wallClock(at).replace(/:00$/, "");
  return `${clock} (${zone()}), ${at.getTime() >= now ? `in ${distance}` : `${distance} ago`}`;
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", HOUR_MS],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** Returns a span in its two largest units. */
export function spanOf(ms: number): string {
  const first = UNITS.findIndex(([, size]) => ms >= size);
  if (first === -1) return "less than a second";
  let left = ms;
  const parts = UNITS.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count === 0 ? "" : `${count} ${unit}${count === 1 ? "" : "s"}`;
  });
  return parts.filter((part) => part !== "").join(" ");
}
