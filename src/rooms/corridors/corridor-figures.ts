/** Figures of a corridor by its newest rows. A reading takes a bounded time, whatever the corridor's traffic. */
import { findTails, type Tail, tailRows } from '../../core/store/partitions/tails.ts';
import type { Database } from '../../kit/database/pool.ts';
import { SLO_MS } from './health.ts';

/** Blocks read from the end of a month, 8 MiB. Fewer: a busy corridor's figures cover less time; more: a slower answer. */
const TAIL_BLOCKS = 1024;
/** Transactions whose score is looked up, and dead letters that are counted. */
const LOOKED_AT_MAX = 2000;

export type CorridorFigures = {
  readonly activeAccounts: number;
  readonly activeSince: Date;
  /** Accepted within the last hour, and old enough for a score. */
  readonly due: number;
  readonly inTime: number;
  readonly deadLetters: number;
};

const COLUMNS = 'transaction_id, created_at, received_at, account_id, corridor';

// The clock of Postgres stamps the receipt, and that of the worker the score.
const textOf = (tails: readonly Tail[]) => `
    with tail as materialized (${tailRows('transactions', tails, COLUMNS, 4)}),
    sample as materialized (
      select transaction_id, created_at, received_at, account_id from tail
       where corridor = $1 and received_at > now() - interval '1 day'),
    due as materialized (
      select transaction_id, created_at, received_at from sample
       where received_at > now() - interval '1 hour' and received_at < now() - $2 * interval '1 ms'
       order by received_at desc limit ${LOOKED_AT_MAX})
    select (select count(distinct account_id)::int4 from sample) as "activeAccounts",
           greatest(now() - interval '1 day', (
             select max(first) from (select min(received_at) as first from tail where table_name = any ($3) group by table_name) cut
           )) as "activeSince",
           (select count(*)::int4 from due) as due,
           (select count(*)::int4 from due d
             where exists (select from market.scores s
                            where s.transaction_id = d.transaction_id and s.created_at = d.created_at
                              and s.scored_at <= d.received_at + $2 * interval '1 ms' offset 0)) as "inTime",
           (select count(*)::int4 from (
             select from market.dead_letters
              where corridor = $1 and failed_at > now() - interval '1 hour' and replayed_at is null
              limit ${LOOKED_AT_MAX}) failed) as "deadLetters"`;

export async function readCorridorFigures(
  database: Pick<Database, 'query'>,
  corridor: string,
  nowMs: number,
): Promise<CorridorFigures> {
  const tails = await findTails(database, 'transactions', nowMs, TAIL_BLOCKS);
  const cut = tails.filter(({ isWhole }) => !isWhole).map(({ name }) => name);
  const [row] = await database.query<CorridorFigures>({ text: textOf(tails) }, [
    corridor,
    SLO_MS,
    cut,
    ...tails.map(({ from }) => from),
  ]);
  if (row === undefined) throw new Error('figures of a corridor have answered no row');
  return row;
}
