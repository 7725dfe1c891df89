/**
 * Group commit for callers: calls that come while earlier ones are under way are run together. A caller who is alone, with
 * one call after the other, is never kept waiting. From the first two calls at once on, a run that is not full begins a
 * moment after the one before it began, as each costs a fixed sum; until a run that waited so has a single call.
 */
import { settlesWithin } from '../runtime/settles-within.ts';

export type Coalescer<Item, Result> = {
  /** Resolves to the item's own result; rejects with whatever the run it was part of threw. */
  readonly submit: (item: Item) => Promise<Result>;
};

export type CoalescerOptions<Item, Result> = {
  /** One result an item, in their order. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Runs at a time, not counting those that have stalled. */
  readonly runsMax: number;
  /** Of a run, unless one item exceeds it. */
  readonly sizeMax: number;
  readonly sizeOf: (item: Item) => number;
  /** A run that takes longer no longer holds up those behind it. */
  readonly stallMs: number;
  /** From the beginning of one run to that of the next, unless that is full or its caller alone. */
  readonly paceMs: number;
};

type Group<Item, Result> = {
  readonly items: Item[];
  size: number;
  readonly results: Promise<readonly Result[]>;
  readonly begin: (results: Promise<readonly Result[]>) => void;
};

export function createCoalescer<Item, Result>({
  run,
  runsMax,
  sizeMax,
  sizeOf,
  stallMs,
  paceMs,
}: CoalescerOptions<Item, Result>): Coalescer<Item, Result> {
  /** In the order in which they were opened; only the last one takes items. */
  const groups: Group<Item, Result>[] = [];
  let waiting = 0;
  let running = 0;
  let isShared = false;
  /** The next run that is not full waits for its end. */
  let pace: NodeJS.Timeout | undefined;

  function beginNext(): void {
    for (let next = groups[0]; next !== undefined; next = groups[0]) {
      const isFull = next.size >= sizeMax || groups.length > 1;
      if (running >= runsMax || (pace !== undefined && isShared && !isFull)) return;
      groups.shift();
      void runGroup(next);
    }
  }

  async function runGroup({ items, begin }: Group<Item, Result>): Promise<void> {
    if (waiting === 1) isShared = false;
    clearTimeout(pace);
    pace = setTimeout(() => {
      pace = undefined;
      beginNext();
    }, paceMs);
    running += 1;
    const results = (async () => run(items))();
    begin(results);
    await settlesWithin(results, stallMs);
    running -= 1;
    beginNext();
  }

  function openGroup(): Group<Item, Result> {
    const { promise: results, resolve: begin } = Promise.withResolvers<readonly Result[]>();
    const group = { items: [], size: 0, results, begin };
    groups.push(group);
    return group;
  }

  return {
    async submit(item) {
      const last = groups.at(-1);
      const size = sizeOf(item);
      const group = last === undefined || last.size + size > sizeMax ? openGroup() : last;
      group.size += size;
      const index = group.items.push(item) - 1;
      waiting += 1;
      if (waiting > 1) isShared = true;
      // Whoever calls in the same turn is in time for the same run.
      queueMicrotask(beginNext);
      try {
        const result = (await group.results)[index];
        if (result === undefined) throw new Error(`no result of item ${index}`);
        return result;
      } finally {
        waiting -= 1;
      }
    },
  };
}
