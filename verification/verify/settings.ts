// The settings of a coupon: the verifier's only list of them. A setting has one name in tables, ledger and API.

/** A coupon's settings, as the tables store them. */
export type Settings = {
  readonly amount: number;
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  readonly paused: number;
  readonly holdSecondsMax: number;
  readonly holdsMax: number | null;
  readonly title: string | null;
  readonly description: string | null;
  readonly imageUrl: string | null;
};

type Setting<Value> = {
  readonly name: string;
  /** Its words in a fault. */
  readonly what: string;
  /** The first version of the tables that has it. */
  readonly since: number;
  /** Its value where tables or an event do not have it. */
  readonly otherwise: Value;
  /** Absent for a number. */
  readonly isText?: true;
};

const LIST: { readonly [Field in keyof Settings]: Setting<Settings[Field]> } = {
  amount: { name: "amount", what: "the amount", since: 1, otherwise: NaN },
  startsAt: { name: "starts_at", what: "the start of the sale", since: 1, otherwise: null },
  endsAt: { name: "ends_at", what: "the end of the sale", since: 1, otherwise: null },
  paused: { name: "paused", what: "paused", since: 1, otherwise: 0 },
  holdSecondsMax: { name: "hold_seconds_max", what: "the longest hold", since: 2, otherwise: 86_400 },
  holdsMax: { name: "holds_max", what: "the most holds", since: 2, otherwise: null },
  title: { name: "title", what: "the title", since: 4, otherwise: null, isText: true },
  description: { name: "description", what: "the description", since: 4, otherwise: null, isText: true },
  imageUrl: { name: "image_url", what: "the picture", since: 4, otherwise: null, isText: true },
};
export const SETTINGS = Object.entries(LIST) as [keyof Settings, Setting<number | string | null>][];

/** The settings that an event's facts have by their names. */
export function settingsIn(facts: Readonly<Record<string, unknown>>): Settings {
  const all = SETTINGS.map(([field, { name, otherwise, isText }]) => {
    return [field, (isText === true ? textOf : numberOf)(facts[name]) ?? otherwise];
  });
  return Object.fromEntries(all) as Settings;
}

export function numberOf(fact: unknown): number | null {
  return typeof fact === "number" ? fact : null;
}

function textOf(fact: unknown): string | null {
  return typeof fact === "string" ? fact : null;
}

/** What a SELECT from the coupon's row reads the settings with. */
export function settingColumns(version: number): string {
  return SETTINGS.map(([field, { name, since, otherwise }]) => `${version < since ? String(otherwise) : name} AS ${field}`).join(", ");
}
