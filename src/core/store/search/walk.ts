/**
 * Goes through ranges of time, newest or oldest first, a bounded slice at a time. A request has one budget: it reads at most
 * SLICES_MAX slices and begins none after WALK_MS_MAX; a slice that is late is its last one.
 */
import { WALK_MS_MAX } from '../../../kit/database/open-database.ts';
import { lowestIdAt, type Position, positionBefore } from '../../../kit/words/cursor.ts';
import type { MonthRange } from '../partitions/month-slice.ts';

export const SLICES_MAX = 24;
/** Rows that the first slice looks at, so that a common match is found in few pages; each one after it looks at more. */
const FIRST_ROWS = 500;
export const ROWS_GROWTH = 4;
/** A slice costs 2 to 4 ms however few rows it looks at. */
const ROWS_MIN = 100;

export type Budget = ReturnType<typeof createBudget>;

/** @param nowMs monotonic; as slicesMax, another one in tests */
export function createBudget(nowMs = () => performance.now(), slicesMax = SLICES_MAX) {
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
    /** Twice as many slices were read, in whatever time: for what a request has to read again, and to its end. */
    isOverdrawn: () => slices >= 2 * slicesMax,
    /** The first slice was begun and no other: a request that ended before it would go on where it began. */
    isFirst: () => slices <= 1,
    /** Begins a slice. */
    count: () => {
      slices += 1;
    },
    /** Rows that the slice that was begun may look at, which fit in what is left of the time at the speed so far. */
    rowsMax: () => Math.min(FIRST_ROWS * ROWS_GROWTH ** Math.min(slices - 1, 3), fitting()),
    /** Adds what a slice has looked at. */
    noteRows: (looked: number) => {
      rows += looked;
    },
  };
}

/** A part of a range in one month, of which rows after a position are still to come. */
export type WalkedSlice = MonthRange & { readonly after: Position };

/** Ranges that are walked, and their direction. */
export type Path = {
  /** In the order of the walk; each within a month. */
  readonly ranges: readonly MonthRange[];
  readonly isDescending: boolean;
};

export type Walk = Path & {
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
  let { ranges, after } = walk;
  let isNarrowed = narrow === undefined;
  for (;;) {
    const slice = nextSlice({ ranges, isDescending }, after);
    if (slice === null) return null;
    if (budget.isSpent()) return slice.after;
    budget.count();
    const { reached, isEnough } = await readSlice(slice);
    if (isEnough) return reached;
    after = reached ?? endOf(slice, isDescending);
    if (isNarrowed || narrow === undefined) continue;
    isNarrowed = true;
    ranges = await narrow(leftOf(ranges, after, isDescending));
  }
}

/** The next slice after a position; null: nothing is left. */
export function nextSlice(path: Path, after: Position | null): WalkedSlice | null {
  const { isDescending } = path;
  for (const { fromMs, toMs } of path.ranges) {
    const edge = positionBefore(isDescending ? toMs : fromMs);
    const isWithin = after !== null && after.id < edge.id === isDescending;
    const begin = isWithin ? after : edge;
    const slice = {
      fromMs: isDescending ? fromMs : Math.max(fromMs, begin.atMs),
      toMs: isDescending ? Math.min(toMs, begin.atMs + 1) : toMs,
      after: begin,
    };
    const end = endOf(slice, isDescending);
    const isPast = isDescending ? begin.id <= end.id : begin.id >= end.id;
    if (!isPast) return slice;
  }
  return null;
}

/** The end of the range of a slice. */
export const endOf = ({ fromMs, toMs }: MonthRange, isDescending: boolean): Position =>
  positionBefore(isDescending ? fromMs : toMs);

function leftOf(queue: readonly MonthRange[], after: Position, isDescending: boolean) {
  const left = queue.map(({ fromMs, toMs }) =>
    isDescending
      ? { fromMs, toMs: Math.min(toMs, after.atMs + (after.id > lowestIdAt(after.atMs) ? 1 : 0)) }
      : { fromMs: Math.max(fromMs, after.atMs), toMs },
  );
  return left.filter(({ fromMs, toMs }) => fromMs < toMs);
}
