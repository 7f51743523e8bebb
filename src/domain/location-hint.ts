// Where a new object may be placed (source: Cloudflare's list of location hints).

export const LOCATION_HINTS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;
export type LocationHint = (typeof LOCATION_HINTS)[number];

/** Returns the hint that a variable names, or undefined. */
export function locationHintOf(variable: string | undefined): LocationHint | undefined {
  return LOCATION_HINTS.find((hint) => hint === variable?.trim());
}
