/**
 * Group commit for callers: calls that arrive while earlier ones are under way are run together. A caller that
 * makes one call after the other is never delayed. Once two calls arrive together, a run that is not full
 * begins a moment after the one before it began, as each run has a fixed cost; this ends with a delayed run of
 * a single call.
 */
import { settlesWithin } from '../../kit/process/settles-within.ts';

export type Coalescer<Input, Result> = {
  /** Resolves to the item's own result; rejects with what its run threw. */
  readonly submit: (input: Input) => Promise<Result>;
};

export type CoalescerOptions<Input, Result> = {
  /** Returns one result per item, in their order. */
  readonly run: (items: readonly Input[]) => Promise<readonly Result[]>;
  /** Runs at a time, not counting those that have stalled. */
  readonly runsMax: number;
  /** Most items of a run, unless one item exceeds it. */
  readonly sizeMax: number;
  readonly sizeOf: (input: Input) => number;
  /** A run that takes longer than this no longer delays the next. */
  readonly stallMs: number;
  /** Time between the beginnings of two runs, unless the later one is full or its caller alone. */
  readonly paceMs: number;
};

type Group<Input, Result> = {
  readonly items: Input[];
  size: number;
  readonly results: Promise<readonly Result[]>;
  readonly begin: (results: Promise<readonly Result[]>) => void;
};

export function createCoalescer<Input, Result>({
  run,
  runsMax,
  sizeMax,
  sizeOf,
  stallMs,
  paceMs,
}: CoalescerOptions<Input, Result>): Coalescer<Input, Result> {
  /** Runs in the order in which they were opened; only the last one takes items. */
  const groups: Group<Input, Result>[] = [];
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

  async function runGroup({ items, begin }: Group<Input, Result>): Promise<void> {
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

  function openGroup(): Group<Input, Result> {
    const { promise: results, resolve: begin } = Promise.withResolvers<readonly Result[]>();
    const group = { items: [], size: 0, results, begin };
    groups.push(group);
    return group;
  }

  return {
    async submit(input) {
      const last = groups.at(-1);
      const size = sizeOf(input);
      const group = last === undefined || last.size + size > sizeMax ? openGroup() : last;
      group.size += size;
      const index = group.items.push(input) - 1;
      waiting += 1;
      if (waiting > 1) isShared = true;
      // A caller of the same turn joins the same run.
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
