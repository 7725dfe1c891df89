/** The health of corridors as it is read now: by the newest rows, by their streams, and by the levels of this process. */

import { z } from 'zod';
import type { Worker } from '../../core/room.ts';
import { findTails, startOfTails, type Tail, tailRows } from '../../core/store/partitions/tails.ts';
import { joinLags } from '../../core/stream/kafka/lag.ts';
import { streamsOf } from '../../core/stream/keys.ts';
import { measureStreams } from '../../core/stream/status/lag.ts';
import type { Database } from '../../kit/database/pool.ts';
import { isUnavailable } from '../../kit/words/failure.ts';
import { keysOf } from '../../kit/words/keys-of.ts';

type Parts = Pick<Worker, 'config' | 'database' | 'redis' | 'guards' | 'controls' | 'readKafka'>;

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

/** Time from receipt to score within which a decision is in time. */
export const SLO_MS = 2000;

/** Points that each part takes from 100 where it is 0. */
export const HEALTH_WEIGHTS = {
  availability: 40,
  backlog: 20,
  failures: 20,
  full_service: 10,
  open: 10,
} as const;

/** A backlog of this age counts nothing. */
const BACKLOG_MS_MAX = 60_000;
/** Share of dead letters from which the part counts nothing. */
const FAILURES_MAX = 0.1;

export type HealthFacts = {
  /** Share scored in time; null where nothing was due. */
  readonly availability: number | null;
  readonly oldestAgeMs: number;
  /** Dead letters of the last hour, by what was due in it. */
  readonly failures: number;
  /** Level of degradation in this API process. */
  readonly degradation: number;
  /** Neither stopped nor frozen. */
  readonly isOpen: boolean;
};

const part = z.number().min(0).max(1);

const weights = Object.entries(HEALTH_WEIGHTS)
  .map(([part, weight]) => `${part} ${weight}`)
  .join(', ');

export const healthSchema = z
  .object({
    score: z.int().min(0).max(100).meta({ description: 'Weighted sum of the parts.' }),
    parts: z
      .object({ availability: part, backlog: part, failures: part, full_service: part, open: part })
      .meta({ description: 'Each from 0 (worst) to 1.' }),
  })
  .meta({ id: 'CorridorHealth', description: `From 0 to 100. Weights: ${weights}.` });

/** Reads figures and facts of corridors; the caller adds whether a corridor is open. */
export async function readHealth(corridors: readonly string[], parts: Parts, nowMs: number) {
  const [figures, ages] = await Promise.all([
    readCorridorFigures(parts.database, corridors, nowMs),
    oldestAges(corridors, parts),
  ]);
  return figures.map((figure) => {
    const { corridor, due, inTime, deadLetters } = figure;
    const facts = {
      availability: due === 0 ? null : inTime / due,
      oldestAgeMs: ages.get(corridor) ?? 0,
      failures: deadLetters / Math.max(1, due),
      degradation: parts.guards.health.levelOf(corridor),
    };
    return { ...figure, facts };
  });
}

/** The age of the oldest entry of each corridor that is not acknowledged; none while Redis does not answer, which the degradation says. */
async function oldestAges(
  corridors: readonly string[],
  { config, redis, guards, controls: { layout }, readKafka }: Parts,
): Promise<ReadonlyMap<string, number>> {
  try {
    const streams = streamsOf(config.RISK_MARKET, corridors, layout.shardsOf);
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
const textOf = (tails: readonly Tail[], nowMs: number) => `
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
                                        where s.transaction_id = d.transaction_id and s.created_at = d.created_at and s.created_at >= ${startOfTails(nowMs)}
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
  return await database.query<CorridorFigures>({ text: textOf(tails, nowMs) }, [
    corridors,
    SLO_MS,
    cut,
    Math.max(LOOKED_AT_MIN, Math.floor(LOOKED_AT_MAX / corridors.length)),
    ...tails.map(({ from }) => from),
  ]);
}

/** The health of a corridor: a score of five parts. Pure; docs/corridors.md has the same weights. */
export function healthOf(facts: HealthFacts): z.output<typeof healthSchema> {
  const { availability, oldestAgeMs, failures, degradation, isOpen } = facts;
  const parts = {
    availability: availability ?? 1,
    backlog: within((BACKLOG_MS_MAX - oldestAgeMs) / (BACKLOG_MS_MAX - SLO_MS)),
    failures: within(1 - failures / FAILURES_MAX),
    full_service: degradation === 0 ? 1 : 0,
    open: isOpen ? 1 : 0,
  };
  const score = keysOf(HEALTH_WEIGHTS).reduce(
    (sum, part) => sum + HEALTH_WEIGHTS[part] * parts[part],
    0,
  );
  return { score: Math.round(score), parts };
}

const within = (share: number) => Math.min(1, Math.max(0, share));
