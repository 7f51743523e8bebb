// Virtual time: a queue of events. Each event runs with all promises that it resolves.

/** A pending event; `run` is null once it is cancelled. */
export type Timer = { readonly at: number; readonly order: number; run: (() => void) | null };

/**
 * Runs all resolved promises to their end. Node calls it after each callback of its own; see {@link
 * assertDrains}.
 */
export const drain = Reflect.get(process, "_tickCallback") as () => void;

/** Throws where {@link drain} does nothing, as inside a promise's callback. */
export function assertDrains(): void {
  let isDrained = false;
  void Promise.resolve().then(() => (isDrained = true));
  drain();
  if (!isDrained) throw new Error("promises can't be run to their end from here");
}

/** The events of one history. */
export class Scheduler {
  /** Milliseconds from the start. */
  now = 0;
  readonly #heap: Timer[] = [];
  #order = 0;
  #stamps = 0;

  /** Calls `run` in `ms` from now, after all earlier events of that instant. */
  after(ms: number, run: () => void): Timer {
    const timer = { at: this.now + ms, order: (this.#order += 1), run };
    this.#push(timer);
    return timer;
  }

  /** Returns an instant that is unique within its millisecond: stamps are in the order of calls. */
  stamp(): number {
    this.#stamps += 1;
    return this.now + this.#stamps * 1e-6;
  }

  /** Runs the next event. Returns false without one. */
  step(): boolean {
    for (let timer = this.#pop(); timer !== undefined; timer = this.#pop()) {
      if (timer.run === null) continue;
      this.now = timer.at;
      timer.run();
      drain();
      return true;
    }
    return false;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, timer)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = timer;
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let index = 0;
    for (let below = 1; below < heap.length; below = 2 * index + 1) {
      let child = heap[below];
      const other = heap[below + 1];
      if (other !== undefined && child !== undefined && isBefore(other, child)) {
        child = other;
        below += 1;
      }
      if (child === undefined || isBefore(last, child)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
