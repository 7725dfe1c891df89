/**
 * Open rows, write side. The commit that accepts transactions opens a row for each entry; the statement that makes ids final
 * takes them out, and deletes a row that is empty.
 */

import { int2Array, int4Array, textArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { lowestIdAt } from '../../../kit/words/cursor.ts';
import type { OpenRow } from '../../domain/transaction.ts';
import { IN_FORCE } from '../controls/controls.ts';

const parameters = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `$${first + at}`);

/** Number of values of `openedValues`. */
const OPENED = 6;

/**
 * Opens the rows of `openedValues`, which are the parameters from `$first` on.
 * @param at expression for the time
 */
export function openRows(first: number, at: string): string {
  const [rowIds, corridors, shards, starts, ends, ids] = parameters(first, OPENED);
  return `insert into market.open_rows (row_id, opened_at, corridor, shard, transaction_ids)
      select row_id, ${at}, corridor, shard, (${ids}::uuid[])[starting:ending]
        from (select unnest(${rowIds}::uuid[]) as row_id, unnest(${corridors}::text[]) as corridor,
                     unnest(${shards}::smallint[]) as shard, unnest(${starts}::int4[]) as starting,
                     unnest(${ends}::int4[]) as ending) opened`;
}

export function openedValues(rows: readonly OpenRow[]): readonly Buffer[] {
  const ids = rows.flatMap(({ transactionIds }) => transactionIds);
  return [
    uuidArray(rows.map(({ rowId }) => rowId)),
    textArray(rows.map(({ corridor }) => corridor)),
    int2Array(rows.map(({ shard }) => shard)),
    ...bounds(rows.map(({ transactionIds }) => transactionIds.length)),
    uuidArray(ids),
  ];
}

/** First and last position of each part of an array, from 1. */
export function bounds(lengths: readonly number[]): readonly [Buffer, Buffer] {
  const starts: number[] = [];
  const ends: number[] = [];
  let end = 0;
  for (const length of lengths) {
    starts.push(end + 1);
    end += length;
    ends.push(end);
  }
  return [int4Array(starts), int4Array(ends)];
}

/** CTEs that write the ids which are still open, `rest`, back to each row of `parts`; a row without any is deleted. */
const SHORTEN = `closed as (
        delete from market.open_rows
         where row_id = any (array(select row_id from parts where rest = '{}'))
      ), narrowed as (
        update market.open_rows o set transaction_ids = p.rest
          from parts p where o.row_id = p.row_id and p.rest <> '{}' and cardinality(p.rest) < p.open
      )`;

/** Number of values of `finalValues`. */
const FINAL = 4;

/**
 * CTEs that take the ids of `finalValues`, which are the parameters from `$first` on, out of their rows. As nothing refers to
 * the last of them, they run after the statement's own insert: rivals meet there first.
 *
 * Nearly always all ids of a row become final together, and one look at the row deletes it. Of the others the newest version
 * is locked first, as another statement may take other ids out at the same time.
 */
export function takeOut(first: number): string {
  const [rowIds, starts, ends, ids] = parameters(first, FINAL);
  return `final as materialized (
        select row_id, (${ids}::uuid[])[starting:ending] as ids
          from (select unnest(${rowIds}::uuid[]) as row_id, unnest(${starts}::int4[]) as starting,
                       unnest(${ends}::int4[]) as ending) u
      ), emptied as (
        delete from market.open_rows o using final f where o.row_id = f.row_id and o.transaction_ids = f.ids
        returning o.row_id
      ), parts as materialized (
        select o.row_id, cardinality(o.transaction_ids) as open,
               array(select id from unnest(o.transaction_ids) as id where id <> all (f.ids)) as rest
          from final f
         cross join lateral (select row_id, transaction_ids from market.open_rows
                              where row_id = f.row_id for update offset 0) o
         where f.row_id not in (select row_id from emptied)
      ), ${SHORTEN}`;
}

/** An id that becomes final, and the row that it is open in; null where its entry names none. */
export type Final = { readonly rowId: string | null; readonly id: string };

export function finalValues(all: readonly Final[]): readonly Buffer[] {
  const byRow = new Map<string, string[]>();
  for (const { rowId, id } of all) {
    if (rowId === null) continue;
    const ids = byRow.get(rowId);
    if (ids === undefined) byRow.set(rowId, [id]);
    else ids.push(id);
  }
  // In one order, so that statements that wait for each other's rows cannot deadlock.
  const rows = [...byRow].sort(([left], [right]) => (left < right ? -1 : 1));
  return [
    uuidArray(rows.map(([rowId]) => rowId)),
    ...bounds(rows.map(([, ids]) => ids.length)),
    uuidArray(rows.flatMap(([, ids]) => ids)),
  ];
}

const open = rowsOf<object, readonly Buffer[]>('open-rows', openRows(1, 'now()'));

/** Opens rows for transactions that are stored. */
export const openStored = (query: Query, rows: readonly OpenRow[]) =>
  open(query, ...openedValues(rows));

const takeEachOut = rowsOf<object, readonly Buffer[]>('take-out', `with ${takeOut(1)} select`);

/** Takes ids that are final out of their rows. */
export const takeOutFinal = (query: Query, all: readonly Final[]) =>
  takeEachOut(query, ...finalValues(all));

const takeBetween = rowsOf<object, [first: string, end: string]>(
  'take-time-out',
  `with parts as materialized (
        select row_id, cardinality(transaction_ids) as open,
               array(select id from unnest(transaction_ids) as id where id < $1 or id >= $2) as rest
          from (select row_id, transaction_ids from market.open_rows
                 where exists (select from unnest(transaction_ids) as id where id >= $1 and id < $2)
                   for update) o
      ), ${SHORTEN}
      select`,
);

/** Takes out what will never be final, as its month is dropped. */
export const takeTimeOut = (query: Query, fromMs: number, toMs: number) =>
  takeBetween(query, lowestIdAt(fromMs), lowestIdAt(toMs));

const sumBetween = onlyOf<{ ids: number }, [first: string, end: string]>(
  'count-open-between',
  `select count(*)::float8 as ids from market.open_rows cross join unnest(transaction_ids) id where id >= $1 and id < $2`,
);

/** Transactions that were created in a time, are accepted, and are not final. */
export const countOpenBetween = async (query: Query, fromMs: number, toMs: number) =>
  (await sumBetween(query, lowestIdAt(fromMs), lowestIdAt(toMs))).ids;

const leave = rowsOf<object, [rowIds: Buffer, isLeft: boolean]>(
  'leave-rows',
  'update market.open_rows set is_left = $2 where row_id = any ($1::uuid[]) and is_left <> $2',
);

/** Notes which rows are not in their streams, or are there now. */
export async function setLeft(
  query: Query,
  rowIds: readonly string[],
  isLeft: boolean,
): Promise<void> {
  if (rowIds.length > 0) await leave(query, uuidArray(rowIds), isLeft);
}

const hold = rowsOf<object, [rowIds: Buffer]>(
  'hold-rows',
  'update market.open_rows set is_on_hold = true where row_id = any ($1::uuid[]) and not is_on_hold',
);

/** Notes rows whose transactions a control keeps from being scored. */
export async function holdRows(query: Query, rowIds: readonly string[]): Promise<void> {
  // In one order, so that two batches with transactions of the same rows cannot deadlock.
  if (rowIds.length > 0) await hold(query, uuidArray([...new Set(rowIds)].sort()));
}

/** Lets rows be appended whose control has ended. */
export const resumeRows = rowsOf(
  'resume-rows',
  `update market.open_rows set is_on_hold = false, is_left = true
          where is_on_hold and not exists (
            select from market.controls where holds_scores and ${IN_FORCE} and scope in ('all', 'market', 'corridor:' || corridor))`,
);

const sumOnHold = rowsOf<{ corridor: string; transactions: number }>(
  'count-on-hold',
  `select corridor, sum(cardinality(transaction_ids))::int4 as transactions
           from market.open_rows where is_on_hold group by corridor`,
);

/** Transactions that controls keep from being scored, by corridor. */
export async function countOnHold(query: Query): Promise<ReadonlyMap<string, number>> {
  const rows = await sumOnHold(query);
  return new Map(rows.map(({ corridor, transactions }) => [corridor, transactions]));
}

const sumOpen = onlyOf<{ ids: number }, [corridor: string | null]>(
  'count-open',
  `select coalesce(sum(cardinality(transaction_ids)), 0)::float8 as ids
           from market.open_rows where $1::text is null or corridor = $1`,
);

/**
 * Transactions of a corridor, or of all where it is null, that are accepted and not final. Reads all rows: 13 ms a million ids.
 */
export async function countOpen(query: Query, corridor: string | null): Promise<number> {
  return (await sumOpen(query, corridor)).ids;
}

/** The backlog of a market, which metrics, autoscaling and `risk supervise` read alike. */
const sumBacklog = onlyOf<{ backlog: number }>(
  'count-backlog',
  `select coalesce(sum(cardinality(transaction_ids)), 0)::float8 as backlog
           from market.open_rows where not is_on_hold`,
);

/** Transactions that workers can score and have not: accepted, neither final nor on hold, wherever they wait. */
export const countBacklog = async (query: Query) => (await sumBacklog(query)).backlog;
