// Work on a list at several places at once.

/**
 * Calls `work` for every item. Each place takes the next item as soon as it is free. Calls `done` with the
 * count of finished items. Throws the first failure once no place is at work any more.
 */
export async function atEachPlace<Place, Item>(
  places: readonly Place[],
  items: readonly Item[],
  work: (place: Place, item: Item) => Promise<void>,
  done: (count: number) => void = () => undefined,
): Promise<void> {
  const waiting = [...items];
  let count = 0;
  async function workAt(place: Place): Promise<void> {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      await work(place, item).catch((cause: unknown) => {
        waiting.length = 0;
        throw cause;
      });
      count += 1;
      done(count);
    }
  }
  const ends = await Promise.allSettled(places.map(workAt));
  const failure = ends.find((end) => end.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}
