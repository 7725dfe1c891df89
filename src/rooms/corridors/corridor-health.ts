/** The health of corridors as it is read now: by the newest rows, by their streams, and by the levels of this process. */
import type { Layout } from '../../core/domain/layout.ts';
import { findTails, type Tail, tailRows } from '../../core/store/partitions/tails.ts';
import { joinLags } from '../../core/stream/kafka/lag.ts';
import type { ReadKafka } from '../../core/stream/kafka/watch-kafka.ts';
import { streamsOf } from '../../core/stream/keys.ts';
import { measureStreams } from '../../core/stream/status/lag.ts';
import type { Guards } from '../../kit/breakers/guards.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import { isUnavailable } from '../../kit/words/failure.ts';
import { type HealthFacts, SLO_MS } from './health.ts';

type Parts = {
  readonly database: Pick<Database, 'query'>;
  readonly redis: RedisClient;
  readonly guards: Guards;
  readonly market: string;
  readonly layout: Pick<Layout, 'shardsOf' | 'logOf'>;
  readonly readKafka: ReadKafka;
  readonly nowMs: number;
};

export type CorridorHealth = CorridorFigures & {
  /** The caller adds whether the corridor is open. */
  readonly facts: Omit<HealthFacts, 'isOpen'>;
};

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

type CorridorFigures = {
  readonly corridor: string;
  readonly activeAccounts: number;
  readonly activeSince: Date;
  /** Accepted within the last hour, and old enough for a score. */
  readonly due: number;
  readonly inTime: number;
  readonly deadLetters: number;
};

const COLUMNS = 'transaction_id, created_at, received_at, account_id, corridor';

export async function readHealth(
  corridors: readonly string[],
  parts: Parts,
): Promise<CorridorHealth[]> {
  const [figures, ages] = await Promise.all([
    readCorridorFigures(parts.database, corridors, parts.nowMs),
    oldestAges(corridors, parts),
  ]);
  return figures.map((one) => {
    const { corridor, due, inTime, deadLetters } = one;
    const facts = {
      availability: due === 0 ? null : inTime / due,
      oldestAgeMs: ages.get(corridor) ?? 0,
      failures: deadLetters / Math.max(1, due),
      degradation: parts.guards.health.levelOf(corridor),
    };
    return { ...one, facts };
  });
}

/** The age of the oldest entry of each corridor that is not acknowledged; none while Redis does not answer, which the degradation says. */
async function oldestAges(
  corridors: readonly string[],
  { redis, guards, market, layout, readKafka }: Parts,
): Promise<ReadonlyMap<string, number>> {
  try {
    const streams = streamsOf(market, corridors, layout.shardsOf);
    const measured = await guards.redis.run(() => measureStreams(redis, streams));
    const ages = new Map<string, number>();
    const { lags = [] } = readKafka() ?? {};
    for (const { stream, oldestAgeMs } of joinLags(measured, lags, layout.logOf)) {
      ages.set(stream.corridor, Math.max(ages.get(stream.corridor) ?? 0, oldestAgeMs));
    }
    return ages;
  } catch (error) {
    if (isUnavailable(error)) return new Map();
    throw error;
  }
}

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

/**
 * Figures of corridors by the newest rows of their market. A reading takes a bounded time, whatever the traffic.
 */
async function readCorridorFigures(
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
