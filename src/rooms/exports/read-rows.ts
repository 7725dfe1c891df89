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
import { fromLine } from '../../kit/database/copy.ts';
import type { Database, Query, Statement } from '../../kit/database/pool.ts';
import { type Databases, readFrom } from '../../kit/database/replica/choose-database.ts';
import { lowestIdAt, type Position } from '../../kit/words/cursor.ts';
import { MonthDetached, monthOf } from '../../kit/words/month.ts';
import { EXPORT_COLUMNS, type ExportRow, type FlatColumn } from './columns.ts';
import type { ExportParameters } from './parameters.ts';
import { type Collect, csvPages } from './write/csv.ts';

/** Reads a slice once the slice before is taken, so that an export's rest also counts the time of Postgres, which works most. */
export type ReadExport = {
  /** Pieces of the rows, at most `rowsMax` rows in all. @throws the reason of the aborted signal */
  readonly rows: (rowsMax: number, signal: AbortSignal) => AsyncGenerator<readonly ExportRow[]>;
  /** Slices as CSV. @throws the reason of the aborted signal */
  readonly csv: (columns: readonly FlatColumn[], signal: AbortSignal) => AsyncGenerator<Piece>;
};

/** Bytes, and the number of rows in the bytes. */
export type Piece = { readonly bytes: Uint8Array; readonly rows: number };

/** Rows that one statement looks at: some 1 MB, and a twentieth of a second. With twice as many the API took 24 MiB more, at no other speed. */
const EXPORT_PAGE_ROWS = 2_500;

/**
 * Bound of the bytes of a slice: usual rows fill four fifths with a row group, and two fifths with a page. Longer rows shorten both,
 * as each export has a page in memory. The first page is short, as the length of the rows is unknown.
 */
export const SLICE_BYTES_MAX = 2_500_000;
const FIRST_PAGE_ROWS = 500;

/** How much of an export is done in one piece. */
export type Pace = {
  /** Most rows that one statement looks at. */
  readonly pageRows: number;
  /** Rows of a piece; others run between two pieces. */
  readonly takenRows: number;
};

/** 500 rows of NDJSON take some 6 ms of the event loop, and a slice of CSV 3. */
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

/** Columns and options of the COPY of a slice, and the page that the rows become. */
type Form<Page> = {
  readonly columns: readonly { readonly sql: string }[];
  readonly options: string;
  readonly collect: Collect<Page>;
};

const ROWS: Form<readonly ExportRow[]> = {
  columns: EXPORT_COLUMNS,
  options: '',
  collect: async (copy) => {
    const rows: ExportRow[] = [];
    await copy((line) => rows.push(fromLine(line.toString('utf8', 0, line.length - 1))));
    return rows;
  },
};

/**
 * @throws InvalidFields for a model that nobody registered
 * @throws MonthDetached where rows of the range cannot be read: an export is never silently without them
 */
export async function prepareExport(
  databases: Databases,
  asked: ExportParameters,
  paceNow: () => Pace = () => FULL_PACE,
): Promise<ReadExport> {
  const { from = -Infinity, to = Infinity, order, after: afterId = '' } = asked;
  const isDescending = order === 'desc';
  const { filter, walked, ranges: all } = await prepareSearch(databases, asked, isDescending);
  const missing = walked.detached.filter(({ fromMs, toMs }) => toMs > from && fromMs < to);
  if (missing.length > 0) {
    throw new MonthDetached(new Set(missing.map(({ fromMs }) => monthOf(fromMs))));
  }
  async function* slices<Page>(form: Form<Page>, signal: AbortSignal) {
    const afterMs = createdAtMsOf(afterId);
    let after: Position | null = afterMs === undefined ? null : { atMs: afterMs, id: afterId };
    let ranges = rangesBehind(all, after, isDescending);
    let fitting = FIRST_PAGE_ROWS;
    for (let [range] = ranges; range !== undefined; [range] = ranges) {
      signal.throwIfAborted();
      const pageRows = Math.min(paceNow().pageRows, fitting);
      const slice = { filter, range, isDescending, after, pageRows };
      const found = await readFrom(databases, range.toMs, (database) =>
        readSlice(database, form, slice),
      );
      after = found.reached;
      ranges = after === null ? ranges.slice(1) : rangesBehind(ranges, after, isDescending);
      fitting = Math.floor((SLICE_BYTES_MAX * found.rows) / found.bytes) || Infinity;
      yield found;
    }
  }
  return {
    csv: async function* (columns, signal) {
      const form = { columns, options: '(format csv)', collect: csvPages(columns) };
      for await (const { page: bytes, rows } of slices(form, signal)) yield { bytes, rows };
    },
    rows: async function* (rowsMax, signal) {
      let left = rowsMax;
      for await (const { page } of slices(ROWS, signal)) {
        const rows = page.slice(0, left);
        for (let at = 0, end = 0; at < rows.length; at = end) {
          end = at + paceNow().takenRows;
          yield rows.slice(at, end);
          await othersRan();
          signal.throwIfAborted();
        }
        left -= rows.length;
        if (left === 0) return;
      }
    },
  };
}

/**
 * A slice of an export: whole rows of what matches among a bounded number of rows, in the order of (created_at, id). A slice
 * joins the tables along a range of primary keys, at a third of the cost of lookups; where an index leads to few rows far apart,
 * the search finds their ids, and each row is looked up.
 */
async function readSlice<Page>(
  database: Pick<Database, 'copyTransaction'>,
  { columns, options, collect }: Form<Page>,
  slice: ExportSlice,
) {
  const select = isSparse(slice.filter) ? lookUp : selectRange;
  return await database.copyTransaction(async (query, copy) => {
    // `reached` is the last row that was looked at; null at the end of the range.
    const { from, values, reached } = await select(query, slice);
    const text = `copy (select ${columns.map(({ sql }) => sql).join(', ')} ${from}) to stdout ${options}`;
    let [rows, bytes] = [0, 0];
    const page = await collect((take) =>
      copy.lines(text, values, (line) => {
        rows++;
        bytes += line.length;
        take(line);
      }),
    );
    return { page, rows, bytes, reached };
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

async function selectRange(query: Query, slice: ExportSlice) {
  await query(mergeStatement);
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
  const [end] = await query<{ transaction_id: string; created_at: Date }>({ text: lastOf }, [
    ...values,
  ]);
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
  const from = `from market.transactions t
    ${needsScore(filter) ? '' : 'left'} join market.scores s
      on s.transaction_id = t.transaction_id and s.created_at = t.created_at and ${range('s')}
    left join (select distinct on (b.transaction_id) b.transaction_id, b.label from market.labels b
                where ${range('b')} order by b.transaction_id, b.labelled_at desc, b.label) l
      on l.transaction_id = t.transaction_id
   where ${conditions.join(' and ')}
   order by t.transaction_id ${way}`;
  return { from, values, reached };
}

const IN_MONTH = `transaction_id = u.transaction_id and created_at = u.created_at
  and created_at >= $1 and created_at < $2`;
const LOOKED_UP = `from unnest($3::uuid[], $4::timestamptz[]) as u(transaction_id, created_at)
   cross join lateral (select * from market.transactions where ${IN_MONTH} limit 1) t
    left join lateral (select * from market.scores where ${IN_MONTH} limit 1) s on true
    left join lateral ${labelInForce(IN_MONTH)} l on true
   order by t.transaction_id`;

async function lookUp(query: Query, slice: ExportSlice) {
  const { range, isDescending, pageRows: rows } = slice;
  const after = slice.after && { ...slice.after, value: null };
  const search = { ...slice, list: 'time', after, rows, lookedAtMax: LOOKED_AT_MAX } as const;
  const { found, last } = await findRows({ query }, search);
  const stopped = last?.looked === LOOKED_AT_MAX ? last.at : null;
  const reached = found.length === rows ? (found.at(-1) ?? null) : stopped;
  const ids = found.map(({ id }) => id);
  const times = found.map(({ atMs }) => isoTime(atMs));
  const values = [isoTime(range.fromMs), isoTime(range.toMs), ids, times];
  return { from: `${LOOKED_UP} ${isDescending ? 'desc' : 'asc'}`, values, reached };
}
