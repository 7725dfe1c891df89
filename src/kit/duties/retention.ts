/**
 * When the rows of each table end. Rows that decide, prove or audit are removed by people alone; by-products by
 * age, after a setting; and owed work when it is done. test/integration/retention.test.ts compares it with the
 * catalogue.
 */
import type { Config } from '../config/config.ts';

export type Retention = {
  readonly tables: readonly string[];
  readonly ends: string;
  /** Days after which rows are removed by age; absent: none are. */
  readonly setting?: keyof Config;
};

export const RETENTIONS: readonly Retention[] = [
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
  },
  {
    tables: ['watch_reports'],
    setting: 'RISK_WATCH_RETENTION_DAYS',
    ends: 'after the check; about 12 kB a model and check',
  },
  {
    tables: ['shadow_batches'],
    setting: 'RISK_SHADOW_RETENTION_DAYS',
    ends: 'after the batch; 24 bytes a transaction and shadow model',
  },
  {
    tables: ['model_checks'],
    setting: 'RISK_MODEL_CHECK_RETENTION_DAYS',
    ends: 'after the check; Postgres refuses to remove one of the last 30 days',
  },
  {
    tables: ['recomputed_features'],
    ends: 'once their month and all before it are dropped: they are computed from its transactions',
  },
  {
    tables: ['merchant_hours', 'merchant_hour_parts'],
    ends: 'when their month is detached; counted anew when it is attached',
  },
  {
    tables: ['open_rows'],
    ends: 'once their transactions have scores or dead letters: they are work',
  },
  { tables: ['open_increments'], ends: 'once they are merged into one' },
  { tables: ['label_batches'], ends: 'once the profiles know of their labels: they are work' },
  { tables: ['review_intake'], ends: 'once their cases are open: they are work' },
  {
    tables: ['review_cases', 'review_notes'],
    setting: 'RISK_REVIEW_RETENTION_DAYS',
    ends: 'after the case was closed, its notes and files with it; an open case is work and stays',
  },
  {
    tables: ['final_decisions'],
    ends: 'never: the newest stands on its transaction; about 0.4 kB a decision',
  },
  { tables: ['webhook_intake'], ends: 'once their deliveries are made: they are work' },
  {
    tables: ['webhook_deliveries', 'webhook_endpoints'],
    setting: 'RISK_WEBHOOK_RETENTION_DAYS',
    ends: 'after the event, delivered or not; an endpoint ends as long after it was deleted, and one in use stays',
  },
  { tables: ['webhook_position'], ends: 'never: one row' },
  { tables: ['review_policies'], ends: 'never: a case names the version that placed it' },
  { tables: ['exchange_rates'], ends: 'never: a row a currency and day' },
  { tables: ['models'], ends: 'never: what a model has scored is verified and explained by it' },
  {
    tables: ['model_proposals', 'model_rollouts'],
    ends: 'never: they are the audit of who put what in force, a row a decision',
  },
  { tables: ['api_keys'], ends: 'never: a revoked key still says whose it was' },
  {
    tables: ['sessions', 'login_links'],
    ends: '30 days after they expire: the audit log keeps who logged in',
  },
  { tables: ['identities'], ends: 'never: a revoked person still counts as a maker of keys' },
  {
    tables: ['audit_log'],
    ends: 'never: about 0.5 kB a change, 40 kB for a thousand dead letters replayed or purged',
  },
  { tables: ['tallied_merchants'], ends: 'never: a row a busy merchant' },
  {
    tables: ['daily_tallies', 'total_tallies'],
    ends: 'never: totals are of all that was ever stored; 150 B a day, corridor, currency and label or verdict and deciding model, and a day, corridor and reason',
  },
  { tables: ['tally_days'], ends: 'never: a row a day' },
  { tables: ['daily_increments'], ends: 'once they are merged into the tallies' },
  { tables: ['corridors'], ends: 'never: a row a corridor' },
  { tables: ['write_probe', 'tally_checkpoint', 'tally_merge'], ends: 'never: one row' },
  { tables: ['leaderships'], ends: 'never: a row a duty' },
  {
    tables: ['schema_migrations', 'unfinished_migrations'],
    ends: 'never: a row a file of `sql/`',
  },
];
