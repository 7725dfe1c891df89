/**
 * Group commit for callers: calls that come while earlier ones are under way are run together when one of those ends.
 * Nobody waits for company: an idle lane runs a call at once.
 */
import pLimit from 'p-limit';

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
};

type Group<Item, Result> = {
  readonly items: Item[];
  readonly results: Promise<readonly Result[]>;
};

export function createCoalescer<Item, Result>({
  run,
  runsMax,
  itemsMax,
  stallMs,
}: CoalescerOptions<Item, Result>): Coalescer<Item, Result> {
  const limit = pLimit(runsMax);
  let gathering: Group<Item, Result> | undefined;
  let waiting = 0;

  function open(): Group<Item, Result> {
    const items: Item[] = [];
    const { promise: results, resolve } = Promise.withResolvers<readonly Result[]>();
    const group = { items, results };
    void limit(async () => {
      if (gathering === group) gathering = undefined;
      const running = (async () => run(items))();
      resolve(running);
      await settledWithin(running, stallMs);
    });
    return group;
  }

  return {
    async submit(item) {
      if (gathering === undefined || gathering.items.length >= itemsMax) gathering = open();
      const { items, results } = gathering;
      const index = items.push(item) - 1;
      waiting += 1;
      try {
        const result = (await results)[index];
        if (result === undefined) throw new Error(`no result of item ${index}`);
        return result;
      } finally {
        waiting -= 1;
      }
    },
    isIdle: () => waiting === 0,
  };
}

/** Resolves once a promise is settled, or after a time. */
async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise.catch(() => undefined), late]);
  clearTimeout(timer);
}
