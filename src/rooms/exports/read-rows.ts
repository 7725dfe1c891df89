/**
 * The rows of an export: every row that a search finds, in the order of time, a bounded slice at a time. A connection is held
 * while a slice is read, never until a caller takes its rows.
 */
import { setImmediate as othersRan } from 'node:timers/promises';
import { createdAtMsOf } from '../../core/domain/transaction.ts';
import { labelInForce } from '../../core/store/label-in-force.ts';
import { isoTime, type MonthRange } from '../../core/store/partitions/month-slice.ts';
import {
  needsScore,
  outcomeConditions,
  type Parameter,
  prepareSearch,
  rangesBehind,
  type SearchFilter,
  scoreConditions,
  transactionConditions,
} from '../../core/store/search/search-filter.ts';
import { findRows, isSparse, LOOKED_AT_MAX } from '../../core/store/search/search-rows.ts';
import { timestampArray, uuidArray } from '../../kit/database/binary-array.ts';
import type { Database, Statement } from '../../kit/database/pool.ts';
import { type Databases, readFrom } from '../../kit/database/replica/choose-database.ts';
import { lowestIdAt, type Position } from '../../kit/words/cursor.ts';
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

type ExportSlice = {
  readonly filter: SearchFilter;
  /** A month, or a part of it. */
  readonly range: MonthRange;
  readonly isDescending: boolean;
  /** The position behind which rows are read; null: the beginning of the range. */
  readonly after: Position | null;
  /** Most rows that the slice looks at. */
  readonly pageRows: number;
};

/** `reached` is the last row that was looked at; null where nothing is left of the range. */
type ExportedSlice = {
  readonly rows: readonly ExportRow[];
  readonly reached: Position | null;
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
  const isDescending = order === 'desc';
  const { filter, walked, ranges: all } = await prepareSearch(databases, asked, isDescending);
  const missing = walked.detached.filter(({ fromMs, toMs }) => toMs > from && fromMs < to);
  if (missing.length > 0) {
    throw new MonthDetached(new Set(missing.map(({ fromMs }) => monthOf(fromMs))));
  }
  return async function* (rowsMax, signal) {
    const read = (pageRows: number) => {
      signal.throwIfAborted();
      const [range] = ranges;
      if (range === undefined) return undefined;
      const slice = { filter, range, isDescending, after, pageRows };
      const reading = readFrom(databases, range.toMs, (database) =>
        readExportSlice(database, slice),
      );
      // The caller that awaits the reading gets its error; until then Node would take the error for unhandled.
      reading.catch(() => undefined);
      return reading;
    };
    const afterMs = createdAtMsOf(afterId);
    let after: Position | null = afterMs === undefined ? null : { atMs: afterMs, id: afterId };
    let ranges = rangesBehind(all, after, isDescending);
    let reading = read(Math.min(paceNow().pageRows, FIRST_PAGE_ROWS));
    let left = rowsMax;
    try {
      while (reading !== undefined) {
        const found = await reading;
        const rows = found.rows.slice(0, left);
        left -= rows.length;
        const fitting = Math.floor((SLICE_CHARS_MAX * rows.length) / charsOf(rows));
        after = found.reached;
        ranges = after === null ? ranges.slice(1) : rangesBehind(ranges, after, isDescending);
        reading = left > 0 ? read(Math.min(paceNow().pageRows, fitting || Infinity)) : undefined;
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
  if (isSparse(slice.filter)) return await lookUp(database, slice);
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
  const {
    filter,
    range: { fromMs, toMs },
    isDescending,
    after,
    pageRows,
  } = slice;
  const values: unknown[] = [isoTime(fromMs), isoTime(toMs)];
  const parameter: Parameter = (value) => `$${values.push(value)}`;
  const [beyond, within, way] = isDescending ? ['<', '>=', 'desc'] : ['>', '<=', 'asc'];
  const first = parameter(after?.id ?? lowestIdAt(isDescending ? toMs : fromMs));
  const lastOf = `select transaction_id, created_at from market.transactions
     where created_at >= $1 and created_at < $2 and transaction_id ${beyond} ${first}
     order by transaction_id ${way} offset ${pageRows - 1} limit 1`;
  const [end] = await database.query<{ transaction_id: string; created_at: Date }>(
    { text: lastOf },
    [...values],
  );
  const reached = end ? { id: end.transaction_id, atMs: end.created_at.getTime() } : null;
  const last = parameter(reached?.id ?? lowestIdAt(isDescending ? fromMs : toMs));
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
   order by t.transaction_id ${way}`;
  return { rows: await database.query<ExportRow>({ text, asTexts: true }, values), reached };
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
  const { range, isDescending, pageRows: rows } = slice;
  const after = slice.after && { ...slice.after, value: null };
  const search = { ...slice, list: 'time', after, rows, lookedAtMax: LOOKED_AT_MAX } as const;
  const { found, last } = await findRows(database, search);
  const stopped = last?.looked === LOOKED_AT_MAX ? last.at : null;
  const reached = found.length === rows ? (found.at(-1) ?? null) : stopped;
  if (found.length === 0) return { rows: [], reached };
  const ids = uuidArray(found.map(({ id }) => id));
  const times = timestampArray(found.map(({ atMs }) => atMs));
  const text = `${LOOKED_UP} ${isDescending ? 'desc' : 'asc'}`;
  const values = [isoTime(range.fromMs), isoTime(range.toMs), ids, times];
  return { rows: await database.query<ExportRow>({ text, asTexts: true }, values), reached };
}
