/** Figures of corridors by the newest rows of their market. A reading takes a bounded time, whatever the traffic. */
import { findTails, type Tail, tailRows } from '../../core/store/partitions/tails.ts';
import type { Database } from '../../kit/database/pool.ts';
import { SLO_MS } from './health.ts';

/** Blocks read from the end of a month, 8 MiB. Fewer: a busy corridor's figures cover less time; more: a slower answer. */
const TAIL_BLOCKS = 1024;
/**
 * Transactions whose score is looked up, over all corridors that are read, but enough of each. More: a slower reading, 24,000
 * take a second of a busy Postgres; fewer: figures of less time.
 */
const LOOKED_AT_MAX = 2000;
const LOOKED_AT_MIN = 100;
/** Dead letters that are counted, of a corridor. */
const DEAD_LETTERS_MAX = 2000;

export type CorridorFigures = {
  readonly corridor: string;
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
    with tail as materialized (${tailRows('transactions', tails, COLUMNS, 5)}),
    sample as materialized (
      select transaction_id, created_at, received_at, account_id, corridor from tail
       where corridor = any ($1) and received_at > now() - interval '1 day'),
    due as materialized (
      select transaction_id, created_at, received_at, corridor
        from (select *, row_number() over (partition by corridor order by received_at desc) as nth from sample
               where received_at > now() - interval '1 hour' and received_at < now() - $2 * interval '1 ms') newest
       where nth <= $4),
    counted as (
      select corridor, count(*)::int4 as due, (count(*) filter (where is_in_time))::int4 as in_time
        from (select corridor, exists (select from market.scores s
                                        where s.transaction_id = d.transaction_id and s.created_at = d.created_at
                                          and s.scored_at <= d.received_at + $2 * interval '1 ms' offset 0) as is_in_time
                from due d) looked_at
       group by corridor)
    select corridor, coalesce(accounts, 0) as "activeAccounts",
           greatest(now() - interval '1 day', (
             select max(first) from (select min(received_at) as first from tail where table_name = any ($3) group by table_name) cut
           )) as "activeSince",
           coalesce(due, 0) as due, coalesce(in_time, 0) as "inTime",
           (select count(*)::int4 from (
             select from market.dead_letters l
              where l.corridor = asked.corridor and failed_at > now() - interval '1 hour' and replayed_at is null
              limit ${DEAD_LETTERS_MAX}) failed) as "deadLetters"
      from unnest($1::text[]) as asked (corridor)
      left join (select corridor, count(distinct account_id)::int4 as accounts from sample group by corridor) active using (corridor)
      left join counted using (corridor)`;

export async function readCorridorFigures(
  database: Pick<Database, 'query'>,
  corridors: readonly string[],
  nowMs: number,
): Promise<CorridorFigures[]> {
  const tails = await findTails(database, 'transactions', nowMs, TAIL_BLOCKS);
  const cut = tails.filter(({ isWhole }) => !isWhole).map(({ name }) => name);
  return await database.query<CorridorFigures>({ text: textOf(tails) }, [
    corridors,
    SLO_MS,
    cut,
    Math.max(LOOKED_AT_MIN, Math.floor(LOOKED_AT_MAX / corridors.length)),
    ...tails.map(({ from }) => from),
  ]);
}
