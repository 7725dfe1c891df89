/**
 * The rows of an export: every row that a search finds, in the order of time, a bounded slice at a time. A connection is held
 * while a slice is read, never until a caller takes its rows.
 */
import { setImmediate as othersRan } from 'node:timers/promises';
import { createdAtMsOf } from '../../core/domain/transaction.ts';
import { labelInForce } from '../../core/store/label-in-force.ts';
import { isoTime, listWalkedMonths } from '../../core/store/partitions/month-slice.ts';
import { readBoundary, readSearchSlice } from '../../core/store/search/read-slice.ts';
import { requireModel, requireReasons } from '../../core/store/search/require-known.ts';
import {
  filterOf,
  needsScore,
  outcomeConditions,
  type Parameter,
  rangesOf,
  scoreConditions,
  transactionConditions,
} from '../../core/store/search/search-filter.ts';
import {
  isOfParty,
  isRiskyAlone,
  type RowPosition,
  type SearchSlice,
  searchSlice,
} from '../../core/store/search/search-slice.ts';
import { endOf, nextSlice, type WalkedSlice } from '../../core/store/search/walk.ts';
import { timestampArray, uuidArray } from '../../kit/database/binary-array.ts';
import type { Database, Statement } from '../../kit/database/pool.ts';
import { type Databases, readFrom } from '../../kit/database/replica/choose-database.ts';
import { lowestIdAt } from '../../kit/words/cursor.ts';
import { MonthDetached, monthOf } from '../../kit/words/month.ts';
import { charsOf, EXPORT_COLUMNS, type ExportRow } from './columns.ts';
import type { ExportParameters } from './parameters.ts';

/**
 * Pieces of the rows, at most `rowsMax` rows in all; the next slice is read while the rows of one are taken.
 * @throws what the signal was aborted with
 */
export type ReadRows = (
  rowsMax: number,
  signal: AbortSignal,
) => AsyncGenerator<readonly ExportRow[], void>;

/** Rows that one statement looks at: some 1 MB, and a twentieth of a second. With twice as many the API took 24 MiB more, at no other speed. */
const EXPORT_PAGE_ROWS = 2_500;

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
};

/** 500 rows take 7 to 11 ms of the event loop (CSV and NDJSON). */
export const FULL_PACE: Pace = {
  pageRows: EXPORT_PAGE_ROWS,
  takenRows: 500,
};

type ExportSlice = Pick<
  SearchSlice,
  'filter' | 'lowerMs' | 'upperMs' | 'isDescending' | 'after'
> & {
  /** Most rows that the slice looks at. */
  readonly pageRows: number;
};

/** `reached` is the last row that was looked at; null where nothing is left. */
type ExportedSlice = {
  readonly rows: readonly ExportRow[];
  readonly reached: RowPosition | null;
};

type Reader = Pick<Database, 'query'>;

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

/**
 * A slice of an export: whole rows of what matches among a bounded number of rows, in the order of (created_at, id). A slice
 * joins the tables along a range of primary keys, at a third of the cost of lookups; where an index leads to few rows far apart,
 * the search finds their ids, and each row is looked up.
 */
async function readExportSlice(
  database: Pick<Database, 'query' | 'transaction'>,
  slice: ExportSlice,
): Promise<ExportedSlice> {
  const { filter } = slice;
  const isLabelled = filter.label === 'fraud' || filter.label === 'legitimate';
  const isSparse =
    isOfParty(filter) || isRiskyAlone(filter) || isLabelled || filter.transaction_id !== undefined;
  if (isSparse) return await lookUp(database, slice);
  return await database.transaction(async (query) => {
    await query(mergeStatement);
    return await readRange({ query }, slice);
  });
}

/**
 * Postgres expects one row between two ids within one bucket of its histogram, and would then compare each row of one table with
 * each of the other: 5.8 s in place of 30 ms.
 */
const mergeStatement: Statement = {
  name: 'join-by-merging',
  text: 'set local enable_nestloop = off',
};

const SELECTED = `select ${EXPORT_COLUMNS.map(({ sql, name }) => `${sql} as ${name}`).join(', ')}`;

async function readRange(database: Reader, slice: ExportSlice): Promise<ExportedSlice> {
  const { boundary } = searchSlice(toSearch(slice, slice.pageRows, slice.pageRows + 1));
  const reached = await readBoundary(database.query, boundary);
  const { filter, lowerMs, upperMs, isDescending, after } = slice;
  const values: unknown[] = [isoTime(lowerMs), isoTime(upperMs)];
  const parameter: Parameter = (value) => `$${values.push(value)}`;
  const first = parameter(after?.id ?? lowestIdAt(isDescending ? upperMs : lowerMs));
  const last = parameter(reached?.id ?? lowestIdAt(isDescending ? lowerMs : upperMs));
  const [beyond, within] = isDescending ? ['<', '>='] : ['>', '<='];
  const range = (alias: string) =>
    `${alias}.created_at >= $1 and ${alias}.created_at < $2
       and ${alias}.transaction_id ${beyond} ${first} and ${alias}.transaction_id ${within} ${last}`;
  const conditions = [
    range('t'),
    ...transactionConditions(filter, undefined, parameter),
    ...scoreConditions(filter, parameter),
    ...outcomeConditions(filter, 't', parameter),
  ];
  if (filter.corridor !== undefined) conditions.push(`t.corridor = ${parameter(filter.corridor)}`);
  const text = `${SELECTED}
    from market.transactions t
    ${needsScore(filter) ? '' : 'left'} join market.scores s
      on s.transaction_id = t.transaction_id and s.created_at = t.created_at and ${range('s')}
    left join (select distinct on (b.transaction_id) b.transaction_id, b.label from market.labels b
                where ${range('b')} order by b.transaction_id, b.labelled_at desc, b.label) l
      on l.transaction_id = t.transaction_id
   where ${conditions.join(' and ')}
   order by t.transaction_id ${isDescending ? 'desc' : 'asc'}`;
  return { rows: await readRows(database, text, values), reached };
}

const IN_MONTH = `transaction_id = u.transaction_id and created_at = u.created_at
  and created_at >= $1 and created_at < $2`;
const LOOKED_UP = `${SELECTED}
    from unnest($3::uuid[], $4::timestamptz[]) as u(transaction_id, created_at)
   cross join lateral (select * from market.transactions where ${IN_MONTH} limit 1) t
    left join lateral (select * from market.scores where ${IN_MONTH} limit 1) s on true
    left join lateral ${labelInForce(IN_MONTH)} l on true
   order by t.transaction_id`;

async function lookUp(database: Reader, slice: ExportSlice): Promise<ExportedSlice> {
  const { lowerMs, upperMs, isDescending } = slice;
  const found = await readSearchSlice(database, toSearch(slice, Infinity, slice.pageRows));
  if (found.rows.length === 0) return { rows: [], reached: found.reached };
  const ids = uuidArray(found.rows.map(({ id }) => id));
  const times = timestampArray(found.rows.map(({ atMs }) => atMs));
  const text = `${LOOKED_UP} ${isDescending ? 'desc' : 'asc'}`;
  const values = [isoTime(lowerMs), isoTime(upperMs), ids, times];
  return { rows: await readRows(database, text, values), reached: found.reached };
}

function toSearch(slice: ExportSlice, examinedMax: number, rows: number): SearchSlice {
  return { ...slice, follows: 'time', examinedMax, rows };
}

async function readRows(
  { query }: Reader,
  text: string,
  values: readonly unknown[],
): Promise<ExportRow[]> {
  return await query<ExportRow>({ text, asTexts: true }, values);
}
