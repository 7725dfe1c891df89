/**
 * The rows of an export: every row that a search finds, in the order of time, a bounded slice at a time. A connection is held
 * while a slice is read, never until a caller takes its rows.
 */
import { setImmediate as othersRan } from 'node:timers/promises';
import { createdAtMsOf } from '../../core/domain/transaction-id.ts';
import { listWalkedMonths } from '../../core/store/partitions/month-slice.ts';
import { requireModel, requireReasons } from '../../core/store/search/require-known.ts';
import { filterOf, rangesOf } from '../../core/store/search/to-filter.ts';
import { endOf, nextSlice, type WalkedSlice } from '../../core/store/search/walk.ts';
import { type Databases, readFrom } from '../../kit/database/replica/choose-database.ts';
import { MonthDetached, monthOf } from '../../kit/words/month.ts';
import { charsOf, type ExportRow } from './columns.ts';
import type { ExportParameters } from './parameters.ts';
import { EXPORT_PAGE_ROWS, readExportSlice } from './store.ts';
import { ROW_GROUP_ROWS } from './write/parquet.ts';

/**
 * Pieces of the rows, at most `rowsMax` rows in all; the next slice is read while the rows of one are taken.
 * @throws what the signal was aborted with
 */
export type ReadRows = (
  rowsMax: number,
  signal: AbortSignal,
) => AsyncGenerator<readonly ExportRow[], void>;

/**
 * Characters of a slice, of which a row group of usual rows has four fifths and a page two fifths: where metadata makes rows longer,
 * both have fewer rows, as each export has two pages in memory. The first page is short, as the length of its rows is unknown.
 */
export const SLICE_CHARS_MAX = 2_500_000;
const FIRST_PAGE_ROWS = 500;

/** How much of an export is done in one piece. */
export type Pace = {
  /** Most rows that one statement looks at. */
  readonly pageRows: number;
  /** Rows of a piece; others run between two pieces. */
  readonly takenRows: number;
  /** Rows of a row group of Parquet. */
  readonly groupRows: number;
};

/** 500 rows take 7 to 11 ms of the event loop (CSV and NDJSON). */
export const FULL_PACE: Pace = {
  pageRows: EXPORT_PAGE_ROWS,
  takenRows: 500,
  groupRows: ROW_GROUP_ROWS,
};

/**
 * @throws InvalidFields for a model that nobody registered
 * @throws MonthDetached where rows of the range cannot be read: an export is never silently without them
 */
export async function prepareExport(
  databases: Databases,
  asked: ExportParameters,
  paceNow: () => Pace = () => FULL_PACE,
): Promise<ReadRows> {
  const { from = -Infinity, to = Infinity, order, after: afterId = '' } = asked;
  await requireModel(databases, asked.model);
  await requireReasons(databases, asked.reason ?? [], (index) => `/reason/${index}`);
  const { months, detached } = await listWalkedMonths(databases.primary, 'transactions');
  const missing = detached.filter(({ fromMs, toMs }) => toMs > from && fromMs < to);
  if (missing.length > 0) {
    throw new MonthDetached(new Set(missing.map(({ fromMs }) => monthOf(fromMs))));
  }
  const filter = await filterOf(databases, asked, false);
  const isDescending = order === 'desc';
  const nowMs = databases.now();
  const ranges = filter ? rangesOf(months, asked, filter, { isDescending, nowMs }) : [];
  const path = { ranges, isDescending };
  const readSlice = async ({ fromMs, toMs, after }: WalkedSlice, pageRows: number) => {
    if (filter === undefined) throw new Error('nothing is walked without a filter');
    return await readFrom(databases, toMs, (database) =>
      readExportSlice(database, {
        filter,
        lowerMs: fromMs,
        upperMs: toMs,
        isDescending,
        after: { ...after, value: null },
        pageRows,
      }),
    );
  };
  return async function* (rowsMax, signal) {
    const read = (slice: WalkedSlice | null, pageRows: number) => {
      signal.throwIfAborted();
      const reading = slice && readSlice(slice, pageRows);
      // The caller that awaits the reading gets its error; until then Node would take the error for unhandled.
      reading?.catch(() => undefined);
      return reading;
    };
    const afterMs = createdAtMsOf(afterId);
    let slice = nextSlice(path, afterMs === undefined ? null : { atMs: afterMs, id: afterId });
    let reading = read(slice, Math.min(paceNow().pageRows, FIRST_PAGE_ROWS));
    let left = rowsMax;
    try {
      while (slice !== null && reading !== null) {
        const found = await reading;
        const rows = found.rows.slice(0, left);
        left -= rows.length;
        const fitting = Math.floor((SLICE_CHARS_MAX * rows.length) / charsOf(rows));
        const end = found.reached ?? endOf(slice, isDescending);
        slice = left > 0 ? nextSlice(path, end) : null;
        reading = read(slice, Math.min(paceNow().pageRows, fitting || Infinity));
        yield* piecesOf(rows, paceNow, signal);
      }
    } finally {
      await reading?.catch(() => undefined);
    }
  };
}

async function* piecesOf(
  rows: readonly ExportRow[],
  paceNow: () => Pace,
  signal: AbortSignal,
): AsyncGenerator<readonly ExportRow[], void> {
  for (let at = 0; at < rows.length; ) {
    const end = at + paceNow().takenRows;
    yield rows.slice(at, end);
    at = end;
    await othersRan();
    signal.throwIfAborted();
  }
}
