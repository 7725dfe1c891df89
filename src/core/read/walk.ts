/**
 * Goes through ranges of time, newest or oldest first, a bounded slice at a time. A request has one budget: it reads at most
 * SLICES_MAX slices and begins none after WALK_MS_MAX; a slice that is late is its last one.
 */
import { lowestIdAt, type Position, positionBefore } from '../../kit/words/cursor.ts';
import type { MonthRange } from '../store/partitions/month-slice.ts';

export const SLICES_MAX = 24;
/** A page is to be there within 300 ms, also where nothing of it is in memory, and has its rows to read after the walk. */
export const WALK_MS_MAX = 200;
/** A statement of a slice takes so long at most. */
export const SLICE_MS_MAX = 5 * WALK_MS_MAX;

/** Rows that the first slice looks at, so that a common match is found in few pages; each one after it looks at more. */
const FIRST_ROWS = 500;
export const ROWS_GROWTH = 4;
/** A slice costs 2 to 4 ms however few rows it looks at. */
const ROWS_MIN = 100;

export type Budget = {
  readonly isSpent: () => boolean;
  /** Twice as many slices were read, in whatever time: for what a request has to read again, and to its end. */
  readonly isOverdrawn: () => boolean;
  /** The first slice was begun and no other: a request that ended before it would go on where it began. */
  readonly isFirst: () => boolean;
  /** Begins a slice. */
  readonly count: () => void;
  /** Rows that the slice that was begun may look at, which fit in what is left of the time at the speed so far. */
  readonly rowsMax: () => number;
  /** Adds what a slice has looked at. */
  readonly noteRows: (rows: number) => void;
};

/** @param nowMs monotonic; as slicesMax, another one in tests */
export function createBudget(nowMs = () => performance.now(), slicesMax = SLICES_MAX): Budget {
  const startMs = nowMs();
  let slices = 0;
  let rows = 0;
  const fitting = () => {
    const pastMs = nowMs() - startMs;
    if (rows === 0 || pastMs === 0) return Infinity;
    return Math.max(ROWS_MIN, Math.floor((rows / pastMs) * (WALK_MS_MAX - pastMs)));
  };
  return {
    isSpent: () => slices >= slicesMax || (slices > 0 && nowMs() - startMs > WALK_MS_MAX),
    isOverdrawn: () => slices >= 2 * slicesMax,
    isFirst: () => slices <= 1,
    count: () => {
      slices += 1;
    },
    rowsMax: () => Math.min(FIRST_ROWS * ROWS_GROWTH ** Math.min(slices - 1, 3), fitting()),
    noteRows: (looked) => {
      rows += looked;
    },
  };
}

/** A part of a range in one month, of which rows after a position are still to come. */
export type WalkedSlice = MonthRange & { readonly after: Position };

export type Walk = {
  /** In the order of the walk; each within a month. */
  readonly ranges: readonly MonthRange[];
  readonly isDescending: boolean;
  readonly after: Position | null;
  readonly budget: Pick<Budget, 'isSpent' | 'count'>;
  /** Leaves out parts of ranges that cannot have a match. It is asked once a slice has not been enough. */
  readonly narrow?: (ranges: readonly MonthRange[]) => Promise<readonly MonthRange[]>;
  /** `reached` is null where nothing is left of the slice; `isEnough` ends the walk. */
  readonly readSlice: (
    slice: WalkedSlice,
  ) => Promise<{ readonly reached: Position | null; readonly isEnough: boolean }>;
};

/** Where the walk stopped; null: nothing is left. */
export async function walkRanges(walk: Walk): Promise<Position | null> {
  const { isDescending, budget, readSlice, narrow } = walk;
  let queue = [...walk.ranges];
  let { after } = walk;
  let isNarrowed = narrow === undefined;
  for (let range = queue[0]; range !== undefined; range = queue[0]) {
    const begin = furthest(after, positionBefore(isDescending ? range.toMs : range.fromMs), walk);
    const end = positionBefore(isDescending ? range.fromMs : range.toMs);
    if (isPast(begin, end, isDescending)) {
      queue.shift();
      continue;
    }
    if (budget.isSpent()) return begin;
    budget.count();
    const { reached, isEnough } = await readSlice({
      fromMs: isDescending ? range.fromMs : Math.max(range.fromMs, begin.atMs),
      toMs: isDescending ? Math.min(range.toMs, begin.atMs + 1) : range.toMs,
      after: begin,
    });
    if (isEnough) return reached;
    after = reached ?? end;
    if (isNarrowed || narrow === undefined) continue;
    isNarrowed = true;
    queue = [...(await narrow(leftOf(queue, after, isDescending)))];
  }
  return null;
}

function furthest(after: Position | null, edge: Position, { isDescending }: Walk): Position {
  if (after === null) return edge;
  return after.id < edge.id === isDescending ? after : edge;
}

/** True when nothing between a position and the end of its range is still to come. */
function isPast(begin: Position, end: Position, isDescending: boolean): boolean {
  return isDescending ? begin.id <= end.id : begin.id >= end.id;
}

function leftOf(queue: readonly MonthRange[], after: Position, isDescending: boolean) {
  const left = queue.map(({ fromMs, toMs }) =>
    isDescending
      ? { fromMs, toMs: Math.min(toMs, after.atMs + (after.id > lowestIdAt(after.atMs) ? 1 : 0)) }
      : { fromMs: Math.max(fromMs, after.atMs), toMs },
  );
  return left.filter(({ fromMs, toMs }) => fromMs < toMs);
}

/** The parts of ranges that lie in some days, in the order of the ranges; days in a row are one part. */
export function withinDays(
  ranges: readonly MonthRange[],
  days: readonly number[],
  dayMs: number,
  isDescending: boolean,
): MonthRange[] {
  const runs: { fromMs: number; toMs: number }[] = [];
  for (const fromMs of days) {
    const last = runs.at(-1);
    if (last?.toMs === fromMs) last.toMs += dayMs;
    else runs.push({ fromMs, toMs: fromMs + dayMs });
  }
  if (isDescending) runs.reverse();
  return ranges.flatMap((range) =>
    runs.flatMap((run) => {
      const fromMs = Math.max(range.fromMs, run.fromMs);
      const toMs = Math.min(range.toMs, run.toMs);
      return fromMs < toMs ? [{ fromMs, toMs }] : [];
    }),
  );
}
