/**
 * Group commit for callers: calls that come while earlier ones are under way are run together when one of those ends.
 * An idle lane runs a call at once, but for a moment after a crowd: callers that were answered together come back
 * together, and a run of the first few of them would be followed by one of all others. So while a run as large as a
 * crowd is under way no other begins, and the next one waits until it has half as many items, but not for long.
 */
import { settlesWithin } from '../runtime/settles-within.ts';

export type Coalescer<Item, Result> = {
  /** Resolves to the item's own result; rejects with whatever the run it was part of threw. */
  readonly submit: (item: Item) => Promise<Result>;
  /** Nobody waits for a result. */
  readonly isIdle: () => boolean;
};

export type CoalescerOptions<Item, Result> = {
  /** One result an item, in their order. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Runs at a time, not counting those that have stalled. */
  readonly runsMax: number;
  readonly itemsMax: number;
  /** A run that takes longer no longer holds up those behind it. */
  readonly stallMs: number;
  /** Items of a run that make it a crowd. */
  readonly crowdItems: number;
  /** How long after a crowd the next run waits for half as many items. */
  readonly crowdMs: number;
};

type Group<Item, Result> = {
  readonly items: Item[];
  readonly results: Promise<readonly Result[]>;
  readonly begin: (results: Promise<readonly Result[]>) => void;
};

export function createCoalescer<Item, Result>({
  run,
  runsMax,
  itemsMax,
  stallMs,
  crowdItems,
  crowdMs,
}: CoalescerOptions<Item, Result>): Coalescer<Item, Result> {
  /** In the order in which they were opened; only the last one takes items. */
  const groups: Group<Item, Result>[] = [];
  let waiting = 0;
  let running = 0;
  let crowds = 0;
  /** Items that the next run waits for. */
  let awaited = 0;

  function beginNext(): void {
    for (let next = groups[0]; next !== undefined; next = groups[0]) {
      if (running >= runsMax || crowds > 0 || next.items.length < awaited) return;
      groups.shift();
      void runGroup(next);
    }
  }

  async function runGroup({ items, begin }: Group<Item, Result>): Promise<void> {
    const isCrowd = items.length >= crowdItems;
    awaited = 0;
    running += 1;
    if (isCrowd) crowds += 1;
    const results = (async () => run(items))();
    begin(results);
    await settlesWithin(results, stallMs);
    running -= 1;
    if (isCrowd) {
      crowds -= 1;
      awaited = items.length >> 1;
      setTimeout(() => {
        awaited = 0;
        beginNext();
      }, crowdMs);
    }
    beginNext();
  }

  function openGroup(): Group<Item, Result> {
    const { promise: results, resolve: begin } = Promise.withResolvers<readonly Result[]>();
    const group = { items: [], results, begin };
    groups.push(group);
    return group;
  }

  return {
    async submit(item) {
      const last = groups.at(-1);
      const group = last === undefined || last.items.length >= itemsMax ? openGroup() : last;
      const index = group.items.push(item) - 1;
      waiting += 1;
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
    isIdle: () => waiting === 0,
  };
}
