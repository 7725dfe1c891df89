/**
 * Removes rows whose retention is over (retention.ts), a bounded number a statement. Ages are by Postgres' clock, as that of
 * a worker may be wrong.
 */
import type { Config } from '../config/config.ts';
import type { Query, Statement } from '../database/pool.ts';

/**
 * Rows that one statement examines: each ends far within the statement timeout, and other work runs between.
 */
export const PURGE_STEP_ROWS_MAX = 2000;

export type Purge = {
  readonly table: string;
  readonly statement: Statement;
  /** Removes a step's rows, from the oldest on where `after` is absent. */
  readonly step: (query: Query, config: Config, after?: Place) => Promise<PurgeStep>;
};
type PurgeStep = {
  readonly rows: number;
  /** Start of the next step; null after the last. */
  readonly next: Place | null;
};
/** The last examined row of a walk over dead letters: some of them stay. */
export type Place = { readonly closedAt: Date; readonly deadLetterId: string };

const START: Place = {
  closedAt: new Date(0),
  deadLetterId: '00000000-0000-0000-0000-000000000000',
};
/** $1 is the retention in days. */
const OLD = "now() - $1::integer * interval '1 day'";

const LONG_EXPIRED = "now() - interval '30 days'";

/**
 * The start of the oldest existing month, detached or not; it is part of the purging statement, so that no
 * month is added in between.
 */
const OLDEST_MONTH = `(
  select to_date(min(substr(relname, 15)), 'YYYY"m"MM')::timestamp at time zone 'utc' from pg_class
   where relnamespace = (select relnamespace from pg_class where oid = 'market.transactions'::regclass)
     and relkind = 'r' and relname ~ '^transactions_y\\d{4}m\\d{2}$')`;
/** The smallest UUIDv7 of a time. */
const leastIdAt = (time: string) =>
  `(select rpad(lpad(to_hex((extract(epoch from t) * 1000)::bigint), 12, '0'), 32, '0')::uuid from (values (${time})) v (t))`;

/** @param which finds the rows to remove by an index, the oldest first */
function purgeRows(
  table: string,
  which: string,
  values: (config: Config) => readonly unknown[] = () => [],
): Purge {
  const statement: Statement = {
    name: `purge-${table.replaceAll('_', '-')}`,
    text: `with gone as (
             delete from market.${table} where ctid = any (array(select ctid ${which}))
             returning 1)
           select count(*)::int4 as rows from gone`,
  };
  return {
    table,
    statement,
    async step(query, config) {
      const [row] = await query<{ rows: number }>(statement, values(config));
      const rows = row?.rows ?? 0;
      return { rows, next: rows < PURGE_STEP_ROWS_MAX ? null : START };
    },
  };
}

/** The oldest rows with a column before a time. */
const before = (table: string, column: string, time: string) =>
  `from market.${table} where ${column} < ${time} order by ${column} limit ${PURGE_STEP_ROWS_MAX}`;

/** The row's month has no table any more; a detached month may come back. */
const MONTH_IS_GONE = `to_regclass('market.transactions_' || to_char(p.created_at at time zone 'utc', '"y"YYYY"m"MM')) is null`;

// A dead letter without a score is the outcome of its transaction: without it the transaction would wait again.
const deadLettersStatement: Statement = {
  name: 'purge-dead-letters',
  text: `with page as materialized (
           select dead_letter_id, transaction_id, created_at, coalesce(replayed_at, purged_at) as closed_at
             from market.dead_letters
            where coalesce(replayed_at, purged_at) < ${OLD}
              and (coalesce(replayed_at, purged_at), dead_letter_id) > ($2, $3::uuid)
            order by coalesce(replayed_at, purged_at), dead_letter_id
            limit ${PURGE_STEP_ROWS_MAX}
         ), gone as (
           delete from market.dead_letters d using page p
            where d.dead_letter_id = p.dead_letter_id
              and (p.transaction_id is null or ${MONTH_IS_GONE}
                   or exists (select from market.scores s where s.transaction_id = p.transaction_id
                                 and s.created_at = p.created_at offset 0))
           returning 1
         )
         select (select count(*)::int4 from gone) as rows, (select count(*)::int4 from page) as seen,
                closed_at as "closedAt", dead_letter_id as "deadLetterId"
           from page order by closed_at desc, dead_letter_id desc limit 1`,
};

const deadLetters: Purge = {
  table: 'dead_letters',
  statement: deadLettersStatement,
  async step(query, config, { closedAt, deadLetterId } = START) {
    const [last] = await query<Place & { rows: number; seen: number }>(deadLettersStatement, [
      ...[config.RISK_DEAD_LETTER_RETENTION_DAYS, closedAt, deadLetterId],
    ]);
    if (last === undefined) return { rows: 0, next: null };
    return { rows: last.rows, next: last.seen < PURGE_STEP_ROWS_MAX ? null : last };
  },
};

export const PURGES: readonly Purge[] = [
  deadLetters,
  purgeRows('watch_reports', before('watch_reports', 'watched_at', OLD), (config) => [
    config.RISK_WATCH_RETENTION_DAYS,
  ]),
  purgeRows('shadow_batches', before('shadow_batches', 'scored_at', OLD), (config) => [
    config.RISK_SHADOW_RETENTION_DAYS,
  ]),
  // Ids rise with time: the first of them are read, however old they are.
  purgeRows(
    'model_checks',
    `from (select ctid, checked_at from market.model_checks order by check_id limit ${PURGE_STEP_ROWS_MAX}) first
      where checked_at < ${OLD}`,
    (config) => [config.RISK_MODEL_CHECK_RETENTION_DAYS],
  ),
  purgeRows('review_cases', before('review_cases', 'closed_at', OLD), (config) => [
    config.RISK_REVIEW_RETENTION_DAYS,
  ]),
  // Ids rise with time, as above; an endpoint that is deleted gets no delivery after that.
  purgeRows(
    'webhook_deliveries',
    `from (select ctid, created_at from market.webhook_deliveries order by delivery_id limit ${PURGE_STEP_ROWS_MAX}) first
      where created_at < ${OLD}`,
    (config) => [config.RISK_WEBHOOK_RETENTION_DAYS],
  ),
  purgeRows('webhook_endpoints', before('webhook_endpoints', 'deleted_at', OLD), (config) => [
    config.RISK_WEBHOOK_RETENTION_DAYS,
  ]),
  purgeRows('sessions', before('sessions', 'expires_at', LONG_EXPIRED)),
  purgeRows('login_links', before('login_links', 'expires_at', LONG_EXPIRED)),
  purgeRows(
    'recomputed_features',
    before('recomputed_features', 'transaction_id', leastIdAt(OLDEST_MONTH)),
  ),
];
