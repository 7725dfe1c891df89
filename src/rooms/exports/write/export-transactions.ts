/**
 * An export: every row that a search finds, in the order of time, a bounded slice at a time. A connection is held while a slice
 * is read, never until a caller takes its rows.
 */
import { setImmediate as othersRan } from 'node:timers/promises';
import { createdAtMsOf } from '../../../core/domain/transaction-id.ts';
import { listWalkedMonths } from '../../../core/store/partitions/month-slice.ts';
import { requireModel } from '../../../core/store/search/require-known.ts';
import { filterOf, rangesOf } from '../../../core/store/search/to-filter.ts';
import { walkRanges } from '../../../core/store/search/walk.ts';
import {
  type Databases,
  readFrom,
  requireWrite,
} from '../../../kit/database/replica/choose-database.ts';
import type { ConsistencyToken } from '../../../kit/words/consistency-token.ts';
import { type Month, MonthDetached, monthOf } from '../../../kit/words/month.ts';
import { charsOf, type ExportRow } from '../store/export-columns.ts';
import { EXPORT_PAGE_ROWS, readExportSlice } from '../store/export-slice.ts';
import type { ExportParameters } from './export-parameters.ts';
import { ROW_GROUP_ROWS } from './write-parquet.ts';

/** Receives rows in order; the next ones are read once it resolves. */
type TakeRows = (rows: readonly ExportRow[]) => Promise<void>;

/**
 * Reads the rows, at most `rowsMax`, and returns how many.
 * @param signal ends it between two slices: it then throws what the signal was aborted with
 */
export type RunExport = (take: TakeRows, rowsMax: number, signal: AbortSignal) => Promise<number>;

/**
 * Characters of a slice: a row group of usual rows has four fifths of them, a page two fifths. Where metadata makes rows ten times as
 * long, both have fewer rows, as each export in flight holds two pages. The first page, of which nothing is known, is short.
 */
export const SLICE_CHARS_MAX = 2_500_000;
const FIRST_PAGE_ROWS = 500;

/** How much of an export is done in one piece. */
export type Pace = {
  /** Most rows that one statement looks at. */
  readonly pageRows: number;
  /** Rows that are handed over at once; others run between. */
  readonly takenRows: number;
  /** Rows of a row group of Parquet. */
  readonly groupRows: number;
};

/** 500 rows take 7 to 11 ms of the event loop (CSV and NDJSON). */
export const FULL_PACE: Pace = {
  ...{ pageRows: EXPORT_PAGE_ROWS, takenRows: 500, groupRows: ROW_GROUP_ROWS },
};

/** An export ends with its last row. */
const UNBOUNDED = { isSpent: () => false, count: () => undefined };

/**
 * @param write the replica gives a slice only once it has the write of this token
 * @throws InvalidFields for a model that nobody registered
 * @throws MonthDetached where rows of the range cannot be read: an export is never silently without them
 */
export async function prepareExport(
  databases: Databases,
  asked: ExportParameters,
  write?: ConsistencyToken,
  paceNow: () => Pace = () => FULL_PACE,
): Promise<RunExport> {
  await requireModel(databases, asked.model);
  const { months, detached } = await listWalkedMonths(databases.primary, 'transactions');
  const isWithin = ({ fromMs, toMs }: { fromMs: number; toMs: number }) =>
    toMs > (asked.from ?? -Infinity) && fromMs < (asked.to ?? Infinity);
  const missing: Month[] = detached.filter(isWithin).map(({ fromMs }) => monthOf(fromMs));
  if (missing.length > 0) throw new MonthDetached(new Set(missing));
  const filter = await filterOf(databases, asked, false);
  const isDescending = asked.order === 'desc';
  const ranges =
    filter === undefined
      ? []
      : rangesOf(months, asked, filter, { isDescending, nowMs: databases.now() });
  const afterMs = createdAtMsOf(asked.after ?? '');
  const after = afterMs === undefined ? null : { atMs: afterMs, id: asked.after ?? '' };
  return async (take, rowsMax, signal) => {
    let found = 0;
    let pageRows = Math.min(paceNow().pageRows, FIRST_PAGE_ROWS);
    // The rows of a slice are taken while Postgres reads the next one, so two slices are held at most.
    let taking: Promise<void> = Promise.resolve();
    try {
      await walkRanges({
        ...{ ranges, isDescending, after, budget: UNBOUNDED },
        readSlice: async ({ fromMs, toMs, after: begin }) => {
          signal.throwIfAborted();
          if (filter === undefined) return { reached: null, isEnough: true };
          // A replica that lacks the write now may have it before the next slice of an export of minutes.
          const slice = await readFrom(requireWrite(databases, write), toMs, (database) =>
            readExportSlice(database, {
              ...{ filter, lowerMs: fromMs, upperMs: toMs, isDescending, pageRows },
              after: { ...begin, value: null },
            }),
          );
          await taking;
          const rows = slice.rows.slice(0, rowsMax - found);
          found += rows.length;
          taking = takeInTurn(rows, paceNow, take, signal);
          // The next to await it gets its error; until then it is not unhandled.
          taking.catch(() => undefined);
          const fitting = Math.floor((SLICE_CHARS_MAX * rows.length) / charsOf(rows));
          pageRows = Math.min(paceNow().pageRows, fitting || Infinity);
          return { reached: slice.reached, isEnough: found >= rowsMax };
        },
      });
    } finally {
      await taking;
    }
    return found;
  };
}

async function takeInTurn(
  rows: readonly ExportRow[],
  paceNow: () => Pace,
  take: TakeRows,
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at < rows.length; ) {
    const end = at + paceNow().takenRows;
    await take(rows.slice(at, end));
    at = end;
    await othersRan();
    signal.throwIfAborted();
  }
}
