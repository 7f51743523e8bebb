// Work done at several places at once: each place takes the next thing as soon as it is free.

/**
 * Does `work` on every item, at each place one at a time, and calls `done` with how many are done. Throws what the first one throws, once
 * no place is at work any more.
 */
export async function inLanes<Place, Item>(
  places: readonly Place[],
  items: readonly Item[],
  work: (place: Place, item: Item) => Promise<void>,
  done: (count: number, item: Item) => void = () => undefined,
): Promise<void> {
  const waiting = [...items];
  let count = 0;
  async function lane(place: Place): Promise<void> {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      await work(place, item).catch((cause: unknown) => {
        waiting.length = 0;
        throw cause;
      });
      count += 1;
      done(count, item);
    }
  }
  const ends = await Promise.allSettled(places.map(lane));
  const failure = ends.find((end) => end.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}
