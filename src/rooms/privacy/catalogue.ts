/**
 * Where a market keeps clear values: the one list by which they are rewritten. A test posts values that occur nowhere else, and
 * finds them in no column beside these.
 */
import type { PersonalId } from '../../core/domain/personal.ts';

type Kept = {
  readonly table: string;
  readonly column: string;
  /** An SQL condition of rows `t`; the others have something else in the column. */
  readonly where?: string;
};

/** A column of one field's values. */
export type KeptValue = Kept & {
  readonly field: PersonalId;
  /** Another column that has the value as text, and the type of this one. */
  readonly as?: { readonly column: string; readonly type: string };
};

const ofKind = (kind: string) => `t.list in (select name from market.lists where kind = '${kind}')`;
/** A network is no value of a transaction. */
const OF_ADDRESSES = `${ofKind('address')} and position('/' in t.value) = 0`;

/** Rows are copied downwards: what is above is rewritten first. */
export const VALUES: readonly KeptValue[] = [
  { table: 'transactions', column: 'account_id', field: 'account_id' },
  { table: 'transactions', column: 'device_id', field: 'device_id' },
  { table: 'transactions', column: 'ip', field: 'ip' },
  { table: 'scores', column: 'account_id', field: 'account_id' },
  { table: 'labels', column: 'account_id', field: 'account_id' },
  { table: 'dead_letters', column: 'account_id', field: 'account_id' },
  { table: 'review_cases', column: 'account_id', field: 'account_id' },
  { table: 'review_cases', column: 'device_id', field: 'device_id' },
  { table: 'final_decisions', column: 'account_id', field: 'account_id' },
  { table: 'legal_holds', column: 'subject', field: 'account_id', where: `t.kind = 'account'` },
  { table: 'list_entries', column: 'value', field: 'account_id', where: ofKind('account') },
  { table: 'list_entries', column: 'value', field: 'device_id', where: ofKind('device') },
  {
    table: 'list_entries',
    column: 'addresses',
    field: 'ip',
    where: OF_ADDRESSES,
    as: { column: 'value', type: 'inet' },
  },
  { table: 'list_entries', column: 'value', field: 'ip', where: OF_ADDRESSES },
];

/** Columns of metadata as clients sent it, of type jsonb. */
export const METADATA: readonly Kept[] = [{ table: 'transactions', column: 'metadata' }];

/** Columns of JSON in which members are named as fields are, and columns of text that may quote values of the row's documents. */
export type DocumentTable = {
  readonly table: string;
  readonly documents: Readonly<Record<string, 'text' | 'jsonb'>>;
  readonly quotes?: readonly string[];
};
export const DOCUMENTS: readonly DocumentTable[] = [
  { table: 'webhook_deliveries', documents: { payload: 'text' }, quotes: ['error'] },
  { table: 'audit_log', documents: { before: 'jsonb', after: 'jsonb' } },
  // An entry that could not be read, or was cut off, is no JSON: it is emptied, as nobody can say what it has.
  { table: 'dead_letters', documents: { entry: 'text' }, quotes: ['error'] },
];

/** Columns by which a value can be guessed; the constant stands for `unknown`. */
export const HASHES: readonly (Kept & {
  readonly unknown: string;
  /** Fields whose values may be hashed here; absent: any. */
  readonly fields?: readonly PersonalId[];
})[] = [
  {
    table: 'idempotency_keys',
    column: 'fingerprint',
    unknown: `'00000000-0000-0000-0000-000000000000'::uuid`,
  },
  {
    table: 'list_entries',
    column: 'value',
    unknown: `'ended before accounts or devices were tokens'`,
    where: `t.list in (select name from market.lists where kind = 'hash') and t.valid_to is not null`,
    fields: ['account_id', 'device_id'],
  },
];

/** Caches, which workers fill again. */
export const CACHES = ['profile_snapshots', 'snapshot_voids'] as const;
