// Seeded randomness: a run that fails can be run again.

export type Random = {
  /** An integer from 0 to `limit` - 1. */
  readonly below: (limit: number) => number;
  /** One of the items. Throws where there is none. */
  readonly pick: <Item>(items: readonly Item[]) => Item;
};

/** A small generator (mulberry32, public domain, Tommy Ettinger 2017). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  function below(limit: number): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }
  return {
    below,
    pick(items) {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
  };
}
