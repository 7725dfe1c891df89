/** When the rows of core's tables end. */
import type { Statement } from '../../kit/database/pool.ts';
import { onlyOf, timeText } from '../../kit/database/statement.ts';
import {
  OLD,
  type Position,
  PURGE_STEP_ROWS_MAX,
  type Purge,
  purgeBefore,
  purgeBy,
  purgeRows,
  type Retention,
  START,
} from '../../kit/duties/purge.ts';
import { SNAPSHOT_DAYS } from './profiles/profile-snapshots.ts';
import { LOOKED_AT_HOURS } from './rollouts/rollout-counts.ts';

/** Days for which people may look at a comparison. */
const COMPARED_DAYS = 30;
/** The row's month was dropped; a detached or cold month may come back. */
const MONTH_IS_GONE = `not exists (select from market.archived_months a
       where a.step = 'cold' and a.month = to_char(p.created_at at time zone 'utc', 'YYYY-MM')) and to_regclass('market.transactions_' || to_char(p.created_at at time zone 'utc', '"y"YYYY"m"MM')) is null`;

const DEAD_LETTERS_PAGE = `with page as materialized (
           select dead_letter_id, transaction_id, account_id, created_at, coalesce(replayed_at, purged_at) as closed_at
             from market.dead_letters
            where coalesce(replayed_at, purged_at) < ${OLD}
              and (coalesce(replayed_at, purged_at), dead_letter_id) > ($2, $3::uuid)
            order by coalesce(replayed_at, purged_at), dead_letter_id
            limit ${PURGE_STEP_ROWS_MAX})`;
type Times = { readonly least: string | null; readonly greatest: string | null };
const readTimes = onlyOf<Times, readonly unknown[]>(
  'times-of-old-dead-letters',
  `${DEAD_LETTERS_PAGE} select ${timeText('min(created_at)')} as least, ${timeText('max(created_at)')} as greatest from page`,
);

// A dead letter without a score is the outcome of its transaction: without it the transaction would wait again.
const deadLettersStatement: Statement = {
  name: 'purge-dead-letters',
  text: `${DEAD_LETTERS_PAGE}, gone as (
           delete from market.dead_letters d using page p
            where d.dead_letter_id = p.dead_letter_id and not market.is_held(p.account_id, p.created_at)
              and (p.transaction_id is null or ${MONTH_IS_GONE}
                   or exists (select from market.scores s where s.transaction_id = p.transaction_id
                                 and s.created_at = p.created_at and s.created_at between $4 and $5 offset 0))
           returning 1
         )
         select (select count(*)::int4 from gone) as rows, (select count(*)::int4 from page) as seen,
                closed_at as "closedAt", dead_letter_id as "deadLetterId"
           from page order by closed_at desc, dead_letter_id desc limit 1`,
};

const deadLetters: Purge = {
  table: 'dead_letters',
  statement: deadLettersStatement,
  async step(query, days, { closedAt, deadLetterId } = START) {
    const values = [...days, closedAt, deadLetterId];
    const { least, greatest } = await readTimes(query, ...values);
    const [last] = await query<Position & { rows: number; seen: number }>(deadLettersStatement, [
      ...values,
      least,
      greatest,
    ]);
    if (last === undefined) return { rows: 0, next: null };
    return { rows: last.rows, next: last.seen < PURGE_STEP_ROWS_MAX ? null : last };
  },
};

const profileSnapshots = purgeRows(
  'profile_snapshots',
  `from (select ctid, folded_at, folded_to from market.profile_snapshots
          order by folded_to limit ${PURGE_STEP_ROWS_MAX}) oldest
    where folded_at < now() - interval '${SNAPSHOT_DAYS} days'
       or folded_to <= (select max(voided_by) from market.snapshot_voids where kind = 'every')`,
);

// A worker that has read before the void may still store its snapshot, for far less than an hour.
const snapshotVoids = purgeBy(
  'snapshot_voids',
  `with old as materialized (
     select ctid, kind, party, voided_by from market.snapshot_voids
      where voided_at < now() - interval '1 hour' and kind <> 'every'
      order by voided_at limit ${PURGE_STEP_ROWS_MAX}
   ), void as (
     delete from market.profile_snapshots s using old
      where s.kind = old.kind and s.party = old.party and s.folded_to <= old.voided_by
   ), gone as (
     delete from market.snapshot_voids where ctid = any (array(select ctid from old))
     returning 1)
   select count(*)::int4 as rows from gone`,
);

export const CORE_TABLES: readonly Retention[] = [
  {
    tables: ['transactions', 'scores', 'labels'],
    ends: 'when somebody drops their month: `bin/risk partitions drop`',
  },
  {
    tables: ['idempotency_keys', 'idempotency_slices'],
    setting: 'RISK_IDEMPOTENCY_RETENTION_DAYS',
    ends: 'dropped a slice at a time, at most an eighth of the retention later',
  },
  {
    tables: ['dead_letters'],
    setting: 'RISK_DEAD_LETTER_RETENTION_DAYS',
    ends: 'after replay or purge; an open one is work and stays, one that alone says what became of its transaction stays until the month is dropped',
    purges: [deadLetters],
  },
  {
    tables: ['merchant_hours', 'merchant_hour_parts'],
    ends: 'when their month is detached; counted anew when it is attached',
  },
  {
    tables: ['open_rows'],
    ends: 'once their transactions have scores or dead letters: they are work',
  },
  { tables: ['outbox_labels'], ends: 'once the profiles know of their labels: they are work' },
  {
    tables: ['audit_log'],
    ends: 'never: about 0.5 kB a change, 40 kB for a thousand dead letters replayed or purged',
  },
  {
    tables: ['profile_snapshots'],
    ends: `${SNAPSHOT_DAYS} days after the party was last rebuilt: an account has at most 1,024 records of 40 bytes, a merchant 1,280 of 32, a device or a network of addresses 1,536 of 24`,
    purges: [profileSnapshots],
  },
  {
    tables: ['snapshot_voids'],
    ends: 'an hour later, with its snapshot; a row a detached or attached month stays',
    purges: [snapshotVoids],
  },
  {
    tables: ['late_rows'],
    ends: 'a day after the last snapshot that reads them',
    purges: [purgeBefore('late_rows', 'stored_at', `now() - interval '${SNAPSHOT_DAYS + 1} days'`)],
  },
  { tables: ['tallied_merchants'], ends: 'never: a row a busy merchant' },
  {
    tables: ['daily_tallies', 'total_tallies'],
    ends: 'never: totals are of all that was ever stored; 150 B a day, corridor, currency and label or verdict and deciding model, and a day, corridor and reason',
  },
  {
    tables: ['scorecards', 'scorecard_groups'],
    ends: 'never: what a table has judged is verified and explained by it; about 0.1 MB a day',
  },
  {
    tables: ['scorecard_days', 'scorecard_rows'],
    ends: 'with the first table after 180 days (of an old past: a day), or with their month: 0.5 MB a day, 0.3 kB a fraud',
  },
  { tables: ['archived_months'], ends: 'never: a row an archive, with the list of its files' },
  { tables: ['legal_holds'], ends: 'never: a lifted hold says what was kept, and for whom' },
  {
    tables: ['controls'],
    ends: 'with a change of any control, a day after the control has ended: at most 1,000 of a kind, about 0.3 kB each',
  },
  { tables: ['corridor_settings'], ends: 'never: a row a corridor' },
  {
    tables: ['log_deliveries'],
    ends: `${COMPARED_DAYS} days later: about 2.5 kB an entry of 128`,
    purges: [
      purgeBefore('log_deliveries', 'delivered_at', `now() - interval '${COMPARED_DAYS} days'`),
    ],
  },
  { tables: ['metadata_fields'], ends: 'when somebody withdraws the field: at most 16' },
  { tables: ['field_slots'], ends: 'never: at most 160' },
  { tables: ['limit_processes'], ends: 'a minute after the process was last seen' },
  {
    tables: ['amount_counts', 'amount_checkpoint', 'amount_percentiles'],
    ends: 'with a later migration: not used since 1.1.0',
  },
  { tables: ['tally_days'], ends: 'never: a row a day' },
  { tables: ['daily_increments'], ends: 'once they are merged into the tallies' },
  { tables: ['corridors'], ends: 'never: a row a corridor' },
  { tables: ['rule_sets'], ends: 'never: up to 256 KiB a version, at most 10,000' },
  {
    tables: ['rollouts'],
    ends: 'never: they are the audit of who put what in force, a row a decision',
  },
  {
    tables: ['rollout_counts'],
    ends: 'after a day: a row a minute, corridor and what was rolled out',
    purges: [
      purgeBefore('rollout_counts', 'minute', `now() - interval '${LOOKED_AT_HOURS + 1} hours'`),
    ],
  },
  { tables: ['rule_set_flips'], ends: 'never: a row a rule set that was a shadow, and corridor' },
  {
    tables: ['write_probe', 'tally_checkpoint', 'tally_merge'],
    ends: 'never: one row',
  },
  { tables: ['leaderships'], ends: 'never: a row a duty' },
  {
    tables: ['schema_migrations', 'unfinished_migrations'],
    ends: 'never: a row a migration',
  },
];
