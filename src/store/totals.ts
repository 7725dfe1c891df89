/** Counts over whole tables, for the status page: one statement a partition, so that each is bounded. */
import { isoTime, listMonths } from './month-slice.ts';
import type { Database } from './pool.ts';

const countMonth = {
  transactions: {
    name: 'count-transactions',
    text: 'select count(*) as rows from transactions where created_at >= $1 and created_at < $2',
  },
  scores: {
    name: 'count-scores',
    text: 'select count(*) as rows from scores where created_at >= $1 and created_at < $2',
  },
};

/** Exact rows of a partitioned table; reads all of its (index) pages. */
export async function countRows(
  database: Pick<Database, 'query'>,
  table: 'transactions' | 'scores',
): Promise<number> {
  let total = 0;
  for (const { fromMs, toMs } of await listMonths(database, table)) {
    const range = [isoTime(fromMs), isoTime(toMs)];
    const [row] = await database.query<{ rows: string }>(countMonth[table], range);
    total += Number(row?.rows ?? 0);
  }
  return total;
}

const countDeadLettersStatement = {
  name: 'count-dead-letters',
  text: `select corridor,
                count(*) filter (where purged_at is null)::int4 as active,
                count(transaction_id)::int4 as transactions
           from dead_letters where replayed_at is null group by corridor`,
};

/** `active`: neither replayed nor purged; `transactions`: those that ended as a dead letter. */
export type DeadLetterCount = {
  readonly corridor: string;
  readonly active: number;
  readonly transactions: number;
};

export async function countDeadLetters(
  database: Pick<Database, 'query'>,
): Promise<DeadLetterCount[]> {
  return await database.query<DeadLetterCount>(countDeadLettersStatement);
}

const countUnappendedStatement = {
  name: 'count-unappended',
  text: 'select coalesce(sum(cardinality(transaction_ids)), 0)::int4 as transactions from ingest_batches',
};

/** Transactions that are committed and not yet known to be in a stream. */
export async function countUnappended(database: Pick<Database, 'query'>): Promise<number> {
  const [row] = await database.query<{ transactions: number }>(countUnappendedStatement);
  return row?.transactions ?? 0;
}
