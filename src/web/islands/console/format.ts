// Numbers and times as the operator reads them: in the browser's language and time zone.

const LANGUAGE = "en";
const number = new Intl.NumberFormat(LANGUAGE);
const relative = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto" });

/** The browser's time zone, such as `Europe/Berlin`. */
export const TIME_ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;
/** The part of it that people say, such as `Berlin`. */
export const CITY = (TIME_ZONE.split("/").at(-1) ?? TIME_ZONE).replaceAll("_", " ");

const time = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(LANGUAGE, {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** Such as `12,345`. */
export function count(value: number): string {
  return number.format(value);
}

/** Such as `Thu, 3 Dec 2026, 10:00 Berlin`. */
export function instant(at: string | number): string {
  return `${day.format(new Date(at))} ${CITY}`;
}

/** Such as `10:00:07`. */
export function clock(at: string | number): string {
  return time.format(new Date(at));
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** Such as `in 3 days` or `2 minutes ago`. */
export function fromNow(at: string | number, now: number): string {
  const ms = new Date(at).getTime() - now;
  const [unit, size] = UNITS.find(([, one]) => Math.abs(ms) >= one) ?? ["second", 1_000];
  return relative.format(Math.round(ms / size), unit);
}

/** Such as `one unit` or `500 units`. */
export function units(value: number): string {
  return value === 1 ? "one unit" : `${count(value)} units`;
}
