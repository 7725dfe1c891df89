/**
 * The passes of a search, one after the other: each finds rows in the order that is asked for.
 *
 * - time: an index in the order of created_at.
 * - scores: the index of risky scores by score, over all months.
 * - window: no index has the order. Rows are read by time and ranked, as many as a request may look at: a window, whose rows
 *   are listed in order before those of the next window.
 */
import type { MonthRange } from '../../../core/store/partitions/month-slice.ts';
import type { SearchFilter } from '../../../core/store/search/search-filter.ts';
import {
  isOfParty,
  isRiskyAlone,
  type RankedBy,
  RISKY_SCORE_MIN,
  type RowPosition,
  type SearchSlice,
} from '../../../core/store/search/search-slice.ts';
import { type Budget, walkRanges } from '../../../core/store/search/walk.ts';
import type { Position } from '../../../kit/words/cursor.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import type { PassPosition } from './search-cursor.ts';
import type { ReadSlice } from './slice-reader.ts';

export type Pass =
  | { readonly kind: 'time' | 'scores'; readonly filter: SearchFilter }
  | { readonly kind: 'window'; readonly filter: SearchFilter; readonly by: RankedBy };

type Sort = 'created_at' | 'score' | 'amount';

export function passesOf(filter: SearchFilter, sort: Sort, isDescending: boolean): Pass[] {
  if (sort === 'created_at') return [{ kind: 'time', filter }];
  const isNarrow = isOfParty(filter) || filter.transaction_id !== undefined;
  if (sort === 'amount' || isNarrow) return [{ kind: 'window', filter, by: sort }];
  if (isRiskyAlone(filter)) return [{ kind: 'scores', filter }];
  const { min_score = 0, max_score = Infinity } = filter;
  const below = { ...filter, max_score: Math.min(max_score, RISKY_SCORE_MIN - 1) };
  const low: Pass = { kind: 'window', filter: below, by: 'score' };
  if (max_score < RISKY_SCORE_MIN) return [low];
  const risky = { ...filter, min_score: Math.max(min_score, RISKY_SCORE_MIN) };
  const high: Pass = { kind: 'scores', filter: risky };
  return isDescending ? [high, low] : [low, high];
}

type PassRun = {
  readonly pass: Pass;
  readonly isDescending: boolean;
  /** In the order of the walk; each within a month. */
  readonly ranges: readonly MonthRange[];
  /** Where the pass goes on; undefined: from the beginning. */
  readonly position: PassPosition | undefined;
  readonly rows: number;
  readonly budget: Budget;
  readonly narrow: (ranges: readonly MonthRange[]) => Promise<readonly MonthRange[]>;
  readonly read: ReadSlice;
};

export type PassResult = {
  /** `rows` and one, where there are more. */
  readonly found: readonly RowPosition[];
  /** Where the pass goes on after these rows, of which the first `rows` are listed; null: it is at its end. */
  readonly next: (listed: readonly RowPosition[]) => PassPosition | null;
  /** How far the pass looked; null: at all rows. */
  readonly stopped: Position | null;
};

export async function runPass(run: PassRun): Promise<PassResult> {
  switch (run.pass.kind) {
    case 'time':
      return inOrder(await runTime(run));
    case 'scores':
      return inOrder(await runScores(run));
    case 'window':
      return await runWindow(run, run.pass.by);
  }
}

type FoundInOrder = Pick<PassResult, 'found' | 'stopped'>;

/** A pass that finds its rows in order goes on after the last listed one, or after what it has looked at. */
const inOrder = ({ found, stopped }: FoundInOrder): PassResult => ({
  found,
  stopped,
  next: (listed) => {
    const last = listed.at(-1);
    if (found.length > listed.length && last !== undefined) return { after: last, window: null };
    return stopped && { after: unranked(stopped), window: null };
  },
});

const unranked = (position: Position): RowPosition => ({ value: null, ...position });

async function runTime(run: PassRun): Promise<FoundInOrder> {
  const { pass, isDescending, rows, budget, read } = run;
  const found: RowPosition[] = [];
  const stopped = await walkRanges({
    ...run,
    after: run.position?.after ?? null,
    readSlice: async ({ fromMs, toMs, after }) => {
      const asked: SearchSlice = {
        filter: pass.filter,
        lowerMs: fromMs,
        upperMs: toMs,
        follows: 'time',
        isDescending,
        after: unranked(after),
        examinedMax: budget.rowsMax(),
        rows: rows + 1 - found.length,
      };
      const slice = await read(asked, budget.isFirst());
      if (slice === null) return { reached: after, isEnough: true };
      found.push(...slice.rows);
      return { reached: slice.reached, isEnough: found.length > rows };
    },
  });
  return { found, stopped };
}

async function runScores(run: PassRun): Promise<FoundInOrder> {
  const { pass, isDescending, rows, budget, read, ranges } = run;
  const found: RowPosition[] = [];
  const lowerMs = Math.min(...ranges.map(({ fromMs }) => fromMs));
  const upperMs = Math.max(...ranges.map(({ toMs }) => toMs));
  let after = run.position?.after ?? null;
  let isAtEnd = ranges.length === 0;
  while (!isAtEnd && found.length <= rows && !budget.isSpent()) {
    budget.count();
    const asked: SearchSlice = {
      filter: pass.filter,
      lowerMs,
      upperMs,
      follows: 'score',
      isDescending,
      after: after ?? undefined,
      examinedMax: budget.rowsMax(),
      rows: rows + 1 - found.length,
    };
    // Without a position there is nothing to go on after.
    const slice = await read(asked, budget.isFirst() || after === null);
    if (slice === null) break;
    found.push(...slice.rows);
    isAtEnd = slice.reached === null;
    after = slice.reached;
  }
  return { found, stopped: isAtEnd ? null : after };
}

/**
 * Reads the slices of a window and keeps the best rows. A window that was begun is read to its end again, beyond the budget
 * where rows have arrived meanwhile: the next window begins at that end.
 */
async function runWindow(run: PassRun, by: RankedBy): Promise<PassResult> {
  const { pass, isDescending, rows, budget, read, position } = run;
  const begin = position?.after ?? null;
  const window = position?.window ?? null;
  const until = window?.until ?? undefined;
  let found: RowPosition[] = [];
  const walked = await walkRanges({
    ...run,
    budget: window === null ? budget : { ...budget, isSpent: budget.isOverdrawn },
    ranges: rangesUntil(until, run),
    after: begin,
    readSlice: async ({ fromMs, toMs, after }) => {
      const asked: SearchSlice = {
        filter: pass.filter,
        lowerMs: fromMs,
        upperMs: toMs,
        follows: 'time',
        isDescending,
        after: unranked(after),
        until,
        ranked: { by, beyond: window?.listed },
        examinedMax: window === null ? budget.rowsMax() : Infinity,
        rows: rows + 1,
      };
      const slice = await read(asked, window !== null || budget.isFirst());
      if (slice === null) return { reached: after, isEnough: true };
      // A slice begins with rows of the one before where others have arrived between.
      const known = new Set(found.map(({ id }) => id));
      const fresh = slice.rows.filter(({ id }) => !known.has(id));
      found = [...found, ...fresh].sort(byRank(isDescending)).slice(0, rows + 1);
      return { reached: slice.reached, isEnough: false };
    },
  });
  if (window !== null && walked !== null) {
    const detail = 'is too old: more rows have arrived since than a page reads again; begin anew';
    throw new InvalidFields([{ pointer: '/cursor', detail }]);
  }
  const stopped = until ?? walked;
  return {
    found,
    stopped,
    next: (listed) => {
      const last = listed.at(-1);
      if (found.length > listed.length && last !== undefined) {
        return { after: begin && unranked(begin), window: { until: stopped, listed: last } };
      }
      return stopped && { after: unranked(stopped), window: null };
    },
  };
}

/** The ranges up to the end of a window. */
function rangesUntil(until: Position | undefined, { ranges, isDescending }: PassRun) {
  if (until === undefined) return ranges;
  return ranges.flatMap((range) => {
    const fromMs = isDescending ? Math.max(range.fromMs, until.atMs) : range.fromMs;
    const toMs = isDescending ? range.toMs : Math.min(range.toMs, until.atMs + 1);
    return fromMs < toMs ? [{ fromMs, toMs }] : [];
  });
}

const byRank = (isDescending: boolean) => (first: RowPosition, second: RowPosition) => {
  const [left, right] = [unitsOf(first.value), unitsOf(second.value)];
  const isLess = left === right ? first.id < second.id : left < right;
  return isLess === isDescending ? 1 : -1;
};

const DECIMALS_MAX = 4;

/** A score, or an amount of at most four decimal places, exactly. */
function unitsOf(value: string | null): bigint {
  const [whole = '0', fraction = ''] = (value ?? '0').split('.');
  return BigInt(whole + fraction.padEnd(DECIMALS_MAX, '0'));
}
