/** Open rows as the reconciler reads them. */
import { int2Array, int4Array, textArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { anyOf, onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import type { OpenRow } from '../../domain/transaction.ts';
import { createdAtMsOf } from '../../domain/transaction.ts';
import { type TimeValues, timeValues } from '../within-months.ts';

type Queries = Pick<Database, 'query'>;

/** A row of some age that is not known to be absent from its streams. */
export type AgedRow = {
  readonly rowId: string;
  readonly corridor: string;
  readonly openedAtMs: number;
};

const pageOf = rowsOf<
  AgedRow & { readonly isPassed: boolean },
  [after: string, rowsMax: number, ageMs: number]
>(
  'list-aged-rows',
  `select row_id as "rowId", corridor, (extract(epoch from opened_at) * 1000)::float8 as "openedAtMs",
                opened_at >= now() - $3 * interval '1 ms' or is_left or is_on_hold as "isPassed"
           from market.open_rows where row_id > $1 order by row_id limit $2`,
);

/**
 * A page of rows, by Postgres' clock older than `ageMs`, that are not known to be absent from their streams.
 * @returns `next`: where the next page begins; null after the last one
 */
export async function listAged(
  { query }: Queries,
  after: string,
  rowsMax: number,
  ageMs: number,
): Promise<{ readonly rows: readonly AgedRow[]; readonly next: string | null }> {
  const found = await pageOf(query, after, rowsMax, ageMs);
  const next = found.length < rowsMax ? null : (found.at(-1)?.rowId ?? null);
  return { rows: found.filter(({ isPassed }) => !isPassed), next };
}

const ROW_COLUMNS = `row_id as "rowId", corridor, shard, to_json(transaction_ids) as "transactionIds"`;

const readById = rowsOf<OpenRow, [rowIds: Buffer]>(
  'read-open-rows',
  `select ${ROW_COLUMNS} from market.open_rows where row_id = any ($1::uuid[]) order by row_id`,
);

export const readOpenRows = ({ query }: Queries, rowIds: readonly string[]) =>
  readById(query, uuidArray(rowIds));

/** A queue of rows that are not in their streams, and how many transactions of it are asked for. */
export type LeftQueue = {
  readonly corridor: string;
  readonly shard: number;
  readonly transactionsMax: number;
};

const leftStatement = {
  name: 'list-left-rows',
  text: `select l.*
           from unnest($1::text[], $2::smallint[], $3::int4[]) as q (corridor, shard, most)
          cross join lateral (
            select row_id as "rowId", corridor, shard, to_json(transaction_ids) as "transactionIds", opened_at
              from (select *, sum(cardinality(transaction_ids)) over (order by opened_at, row_id)
                                - cardinality(transaction_ids) as before
                      from (select row_id, corridor, shard, opened_at, transaction_ids from market.open_rows
                             where is_left and corridor = q.corridor and shard = q.shard
                             order by opened_at, row_id limit $4) oldest) counted
             where before < q.most) l
          order by l.opened_at, l."rowId"`,
};

/** The oldest rows of each queue, until they have the transactions that are asked for; the oldest of all first. */
export async function listLeft(
  { query }: Queries,
  queues: readonly LeftQueue[],
  rowsMax: number,
): Promise<OpenRow[]> {
  if (queues.length === 0) return [];
  return await query<OpenRow>(leftStatement, [
    textArray(queues.map(({ corridor }) => corridor)),
    int2Array(queues.map(({ shard }) => shard)),
    int4Array(queues.map(({ transactionsMax }) => transactionsMax)),
    rowsMax,
  ]);
}

/** Whether a row is known not to be in its streams. */
export const hasLeft = anyOf('has-left-rows', 'from market.open_rows where is_left');
/** Whether a control keeps transactions of a row from being scored, or did so until now. */
export const hasOnHold = anyOf('has-rows-on-hold', 'from market.open_rows where is_on_hold');

const sumLeft = onlyOf<{ transactions: number }>(
  'count-left',
  'select coalesce(sum(cardinality(transaction_ids)), 0)::int4 as transactions from market.open_rows where is_left',
);

/** Transactions that are known not to be in a stream. */
export async function countLeft({ query }: Queries): Promise<number> {
  return (await sumLeft(query)).transactions;
}

const readFinal = rowsOf<{ id: string }, [ids: Buffer, ...times: TimeValues]>(
  'find-final',
  `select u.transaction_id as id
           from unnest($1::uuid[], $2::timestamptz[]) as u (transaction_id, created_at)
          where exists (select from market.scores s
                         where s.transaction_id = u.transaction_id and s.created_at = u.created_at
                           and s.created_at between $3 and $4 offset 0)
             or exists (select from market.dead_letters d
                         where d.transaction_id = u.transaction_id and d.replayed_at is null offset 0)`,
);

/**
 * Finds which of these have a score, or a dead letter that is not replayed. An id that is not found may be neither, as its month
 * may be detached: the id stays open.
 */
export async function findFinal(
  { query }: Queries,
  transactionIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (transactionIds.length === 0) return new Set();
  const times = transactionIds.map((id) => createdAtMsOf(id) ?? 0);
  const rows = await readFinal(query, uuidArray(transactionIds), ...timeValues(times));
  return new Set(rows.map(({ id }) => id));
}

const UNREAD = 'transaction_id is null and replayed_at is null and failed_at < $1';

export const hasUnreadLetters = anyOf<[failedBefore: Date]>(
  'has-unread-letters',
  `from market.dead_letters where ${UNREAD}`,
);

/** Closes dead letters that name no transaction: what their entries carried is in open rows. */
export const closeUnreadLetters = rowsOf<object, [failedBefore: Date]>(
  'close-unread-letters',
  `update market.dead_letters set replayed_at = now() where ${UNREAD}`,
);
