/**
 * Lists the tables of a copy for tests, and those that are left out: a test fails for a table in neither list, and for a clear
 * value in a copied column.
 */
import type { PersonalId } from '../../../core/domain/personal.ts';

export type Copied = {
  /** Columns with names of people. */
  readonly people?: readonly string[];
  /** Columns of free text, replaced by a constant. */
  readonly texts?: readonly string[];
  /** SQL in place of a column of rows `t`. */
  readonly set?: Readonly<Record<string, string>>;
  /** Columns that get their default. */
  readonly without?: readonly string[];
  /** Whether a row may have megabytes. */
  readonly isWide?: boolean;
};

/** In the order of their foreign keys. */
export const COPIED: Readonly<Record<string, Copied>> = {
  // Rows name the key that decided, so keys keep their ids; no credential opens the copied keys.
  api_keys: {
    set: {
      key_hash: 'sha256(uuid_send(gen_random_uuid()))',
      owner: `''`,
      identity: 'null',
      made_by: 'null',
      confirmed_by: 'null',
      confirmed_at: 'null',
      revoked_at: 'now()',
    },
  },
  review_policies: { people: ['made_by'] },
  exchange_rates: {},
  metadata_fields: { people: ['declared_by'], texts: ['description'] },
  field_slots: {},
  models: { people: ['created_by'], isWide: true },
  approvals: {
    people: ['proposed_by', 'confirmed_by', 'withdrawn_by'],
    texts: ['reason'],
    set: { subject: 't.approval_id::text', detail: `'{}'`, result: 'null' },
  },
  rule_sets: { people: ['author', 'approved_by', 'retired_by'], isWide: true },
  rollouts: { people: ['proposed_by'], texts: ['reason'] },
  rule_set_flips: {},
  lists: { people: ['created_by'], texts: ['description'] },
  list_imports: { people: ['added_by', 'ended_by'], texts: ['reason'] },
  list_entries: { people: ['added_by', 'ended_by'], texts: ['reason'] },
  // Ids of database transactions mean nothing in another database.
  transactions: { without: ['inserted_xid'] },
  scores: { without: ['scorecard', 'margin', 'by_rules'] },
  // A network does not lead to the token of its address.
  labels: { people: ['identity'], texts: ['note'], set: { ip_party: 'null' } },
  outbox_labels: {},
  // An emptied entry is one that could not be read.
  dead_letters: { texts: ['error'], set: { entry: `''` } },
  open_rows: {},
  shadow_batches: {},
  outbox_review: {},
  review_cases: {
    people: ['opened_by', 'assignee', 'locked_by', 'escalated_by', 'decided_by', 'confirmed_by'],
    texts: ['decision_reason'],
  },
  final_decisions: { people: ['decided_by', 'confirmed_by'], texts: ['reason'] },
  daily_increments: {},
  daily_tallies: {},
  total_tallies: {},
  tally_days: {},
  amount_counts: {},
  amount_checkpoint: {},
  amount_percentiles: {},
};

/** A column of values that become tokens. */
export type CopiedValue = {
  readonly table: string;
  readonly column: string;
  readonly field: PersonalId | 'hash';
  /** An SQL condition of rows `t`; the others have something else in the column. */
  readonly where?: string;
  /** Another column that has the value as text. */
  readonly from?: string;
};

const ofKind = (kind: string) => `t.list in (select name from market.lists where kind = '${kind}')`;

export const VALUES: readonly CopiedValue[] = [
  { table: 'transactions', column: 'account_id', field: 'account_id' },
  { table: 'transactions', column: 'device_id', field: 'device_id' },
  { table: 'transactions', column: 'ip', field: 'ip' },
  { table: 'transactions', column: 'ip_party', field: 'ip', from: 'ip' },
  { table: 'scores', column: 'account_id', field: 'account_id' },
  { table: 'labels', column: 'account_id', field: 'account_id' },
  { table: 'labels', column: 'device_id', field: 'device_id' },
  { table: 'dead_letters', column: 'account_id', field: 'account_id' },
  { table: 'review_cases', column: 'account_id', field: 'account_id' },
  { table: 'review_cases', column: 'device_id', field: 'device_id' },
  { table: 'final_decisions', column: 'account_id', field: 'account_id' },
  { table: 'list_entries', column: 'value', field: 'account_id', where: ofKind('account') },
  { table: 'list_entries', column: 'value', field: 'device_id', where: ofKind('device') },
  // A reader can hash all account ids that may be.
  { table: 'list_entries', column: 'value', field: 'hash', where: ofKind('hash') },
  { table: 'list_entries', column: 'value', field: 'ip', where: ofKind('address') },
  {
    table: 'list_entries',
    column: 'addresses',
    field: 'ip',
    where: ofKind('address'),
    from: 'value',
  },
];

export const LEFT_OUT: readonly { readonly why: string; readonly tables: readonly string[] }[] = [
  {
    why: 'credentials and people',
    tables: ['identities', 'sessions', 'login_links', 'kept_answers', 'provider_logins'],
  },
  { why: 'clear values, or what leads to them', tables: ['subjects', 'personal_state'] },
  {
    why: 'what nights have learnt, with devices and addresses of many accounts',
    tables: ['scorecards', 'scorecard_days', 'scorecard_groups', 'scorecard_rows'],
  },
  {
    why: 'how the market keeps personal data: the copy declares no field',
    tables: ['personal_fields', 'erasures'],
  },
  { why: 'notes of people', tables: ['review_notes', 'backtests', 'backtest_days'] },
  { why: 'what people did, and why', tables: ['audit_log', 'legal_holds'] },
  {
    why: 'hashes of rows, by which a value can be guessed',
    tables: [
      'evidence_logs',
      'evidence_entries',
      'evidence_tiles',
      'outbox_evidence',
      'idempotency_keys',
      'idempotency_slices',
      'log_deliveries',
    ],
  },
  {
    why: 'other systems and their secrets',
    tables: ['webhook_endpoints', 'outbox_decided', 'outbox_events', 'webhook_deliveries'],
  },
  {
    why: 'settings of the running market',
    tables: ['controls', 'corridor_settings', 'archived_months'],
  },
  {
    why: 'what processes are doing, and report',
    tables: [
      'leaderships',
      'limit_processes',
      'write_probe',
      'model_checks',
      'watch_reports',
      'rollout_counts',
    ],
  },
  {
    why: 'what workers compute again',
    tables: [
      'profile_snapshots',
      'snapshot_voids',
      'late_rows',
      'tally_merge',
      'tally_checkpoint',
      'tallied_merchants',
      'merchant_hours',
      'merchant_hour_parts',
    ],
  },
  {
    why: 'what risk migrate makes, and lists of all markets',
    tables: [
      'schema_migrations',
      'unfinished_migrations',
      'corridors',
      'reference_lists',
      'reference_entries',
      'archived_markets',
    ],
  },
];
