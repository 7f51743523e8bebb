// What a simulation runs on: events in the order of their time, threads, and random numbers from a seed.

type Event = { readonly atMs: number; readonly order: number; readonly work: () => void };

/** Runs events by time. Events of one time run in the order in which they were added. */
export class Loop {
  /** A binary heap: each event is earlier than its two children. */
  readonly #heap: Event[] = [];
  #order = 0;
  #nowMs = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs `work` at `atMs`, or now if that is past. */
  at(atMs: number, work: () => void): void {
    const event = { atMs: Math.max(atMs, this.#nowMs), order: (this.#order += 1), work };
    let index = this.#heap.push(event) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || !isBefore(event, parent)) break;
      this.#heap[index] = parent;
      index = above;
    }
    this.#heap[index] = event;
  }

  /** Runs until no event is left. */
  run(): void {
    for (let event = this.#next(); event !== undefined; event = this.#next()) {
      this.#nowMs = event.atMs;
      event.work();
    }
  }

  #next(): Event | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (last === undefined || last === first) return first;
    let index = 0;
    for (;;) {
      const left = this.#heap[index * 2 + 1];
      const right = this.#heap[index * 2 + 2];
      const isRight = left !== undefined && right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (child === undefined || !isBefore(child, last)) break;
      this.#heap[index] = child;
      index = index * 2 + (isRight ? 2 : 1);
    }
    this.#heap[index] = last;
    return first;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** One thread. It does its tasks one after the other, in the order in which they came. */
export class Thread {
  readonly #loop: Loop;
  readonly #tasks = new Fifo<() => number>();
  #idle: (() => void)[] = [];
  #isBusy = false;

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  /** Does `task` when all tasks before it are done. It returns how long it takes, in milliseconds. */
  post(task: () => number): void {
    this.#tasks.push(task);
    if (!this.#isBusy) this.#work();
  }

  /** Runs `work` when no task is left. */
  whenIdle(work: () => void): void {
    this.#idle.push(work);
    if (!this.#isBusy) this.#work();
  }

  #work(): void {
    this.#isBusy = true;
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) {
      const tookMs = task();
      if (tookMs > 0) return this.#loop.at(this.#loop.nowMs + tookMs, () => this.#work());
    }
    this.#isBusy = false;
    const idle = this.#idle;
    this.#idle = [];
    for (const work of idle) work();
  }
}

/** A queue whose `shift` costs the same at every length. */
export class Fifo<Item> {
  #items: Item[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): Item | undefined {
    return this.#items[this.#head];
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  shift(): Item | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) this.splice(0);
    return item;
  }

  /** Removes and returns the first `count` items. */
  splice(count: number): Item[] {
    const taken = this.#items.slice(this.#head, this.#head + count);
    this.#items = this.#items.slice(this.#head + taken.length);
    this.#head = 0;
    return taken;
  }
}

/** Returns random numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Returns the items in random order. */
export function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const keyed = items.map((item) => ({ item, key: random() }));
  return keyed.sort((one, other) => one.key - other.key).map(({ item }) => item);
}
