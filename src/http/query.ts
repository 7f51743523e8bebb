// What callers may say in the query.

/** The integer that `text` writes in decimal digits, if it is from `min` to `max`. */
export function integerIn(text: string, min: number, max: number): number | null {
  const value = Number(text);
  return /^\d{1,16}$/.test(text) && value >= min && value <= max ? value : null;
}
