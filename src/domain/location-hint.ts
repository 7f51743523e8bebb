// Where a new object may be placed (source: Cloudflare's list of location hints).

export const LOCATION_HINTS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;
export type LocationHint = (typeof LOCATION_HINTS)[number];

/** Where a request comes from, as Cloudflare says. A caller can't set it. Outside of Cloudflare it may be missing. */
export type RequestOrigin = { readonly continent?: unknown; readonly country?: unknown; readonly longitude?: unknown };

const CONTINENTS: ReadonlyMap<unknown, LocationHint> = new Map([
  ["AF", "afr"],
  ["AS", "apac"],
  ["EU", "weur"],
  ["NA", "enam"],
  ["OC", "oc"],
  ["SA", "sam"],
]);

/** The countries of Asia that are nearer to the Middle East's location than to others. */
const MIDDLE_EAST: ReadonlySet<unknown> = new Set("AE BH IL IQ IR JO KW LB OM PS QA SA SY YE".split(" "));

/** The meridian between western and eastern North America, in degrees. */
const WEST_OF = -100;

/** Returns the location for objects near a request. Null if its origin is missing or unknown. */
export function locationNear({ continent, country, longitude }: RequestOrigin): LocationHint | null {
  if (continent === "NA" && Number(longitude ?? 0) < WEST_OF) return "wnam";
  if (continent === "AS" && MIDDLE_EAST.has(country)) return "me";
  return CONTINENTS.get(continent) ?? null;
}

/** Returns the hint that a variable names, or undefined. */
export function locationHintOf(variable: string | undefined): LocationHint | undefined {
  return LOCATION_HINTS.find((hint) => hint === variable?.trim());
}
