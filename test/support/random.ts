// Seeds of random tests: a run that fails can be run again.

export { seeded, type Random } from "../../verification/random.ts";

/** A seed for this run, printed so that a failing run can be repeated. */
export function printedSeed(): number {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  return seed;
}
