// How numbers are written in the report.

/** A whole number, with commas. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Two digits at least. */
export function fixed(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

/** Millions of bytes. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
