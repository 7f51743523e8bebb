// The settings of a coupon: the model's only list of them.

/** All that an operator sets. */
export type Settings = {
  readonly amount: number;
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  readonly paused: boolean;
  readonly holdSecondsMax: number;
  /** Null where only the stock limits them. */
  readonly holdsMax: number | null;
  readonly title: string | null;
  readonly description: string | null;
  readonly imageUrl: string | null;
};

/** What holds where an operator sets nothing. Its fields are the list of settings. */
export const UNSET: Settings = {
  amount: 0,
  startsAt: null,
  endsAt: null,
  paused: false,
  holdSecondsMax: 900,
  holdsMax: null,
  title: null,
  description: null,
  imageUrl: null,
};

/** Values of the texts for random calls. One text is a value of two settings, so that a mix-up of settings shows. */
export const TEXTS: readonly Partial<Settings>[] = [
  { title: "/shoe.jpg" },
  { title: " A 'shoe' \u2028🎉 ", description: null },
  { title: null },
  { description: 'Line 1\n\t"Line 2"\\' },
  { title: null, description: "/shoe.jpg" },
  { imageUrl: "/shoe.jpg" },
  { imageUrl: null },
];

/** What holds where an older event names no such setting. */
const UNNAMED: Settings = { ...UNSET, holdSecondsMax: 86_400 };

type Field = keyof Settings;
const FIELDS = Object.keys(UNSET) as Field[];

/** The name of each setting in the API, in the tables and in the ledger. */
export const SETTING_NAMES = FIELDS.map(nameOf);

function nameOf(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Those settings that `facts` has. */
export function settingsIn(facts: Partial<Settings>): Partial<Settings> {
  return Object.fromEntries(FIELDS.filter((field) => facts[field] !== undefined).map((field) => [field, facts[field]]));
}

/** The settings after a change; fields that it does not name stay. */
export function changed(before: Settings, asked: Partial<Settings>): Settings {
  return { ...before, ...settingsIn(asked) };
}

/** Whether two settings are the same. */
export function isSame(a: Settings, b: Settings): boolean {
  return FIELDS.every((field) => a[field] === b[field]);
}

/** The settings that `facts` has by their names, each as `write` returns it. */
export function byName(facts: Partial<Settings>, write: (value: unknown, field: string) => unknown = (value) => value) {
  return Object.fromEntries(Object.entries(settingsIn(facts)).map(([field, value]) => [nameOf(field), write(value, field)]));
}

/** The settings in the data of an event, which has numbers for booleans. */
export function settingsOf(data: Readonly<Record<string, unknown>>): Settings {
  return fromNames(data, (value, field) => (typeof UNNAMED[field] === "boolean" ? value === 1 : (value ?? UNNAMED[field])));
}

/** All settings from a row or an answer that has them by their names. `read` must return a value of the right type. */
export function fromNames(row: Readonly<Record<string, unknown>>, read: (value: unknown, field: Field) => unknown): Settings {
  return Object.fromEntries(FIELDS.map((field) => [field, read(row[nameOf(field)], field)])) as Settings;
}
