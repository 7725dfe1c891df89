/**
 * Names the transaction that has a conflicting idempotency key, and the fields in which the two bodies differ. A key
 * belongs to one client, so nobody else learns these fields; values of the stored body are not shown.
 */
import type { Database } from '../../kit/database/pool.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { spellInstant } from '../../kit/words/wire-time.ts';
import { compareDecimals } from '../domain/currency.ts';
import { canonicalJson } from '../domain/metadata.ts';
import {
  type KeyedTransactionInput,
  type TransactionInput,
  transactionInputSchema,
} from '../domain/transaction.ts';
import type { KnownKey } from '../store/idempotency-keys/key-slices.ts';
import { loadTransactionRows, type PlainRow } from '../store/transactions/read-transactions.ts';
import type { NewTransaction } from '../store/transactions/transactions.ts';

type Field = Exclude<keyof TransactionInput, 'idempotency_key'>;
/** Fields of a body without the key. */
const FIELDS = Object.keys(transactionInputSchema.shape).filter(
  (name): name is Field => name !== 'idempotency_key',
);
/** A key's fingerprint is of the text of an amount, so 125.5 is not a repetition of 125.50. */
const AMOUNT_TEXT = 'spelling of amount';

const listed = new Intl.ListFormat('en', { type: 'conjunction' });

/** A transaction that has a key, and the fingerprint of its stored body. */
type Holder = Pick<KnownKey, 'transactionId' | 'fingerprint'>;

/** A refused input and the id of the transaction that has its key. */
export type Conflict = Holder & { readonly index: number; readonly input: KeyedTransactionInput };

/** Inputs whose key is held with another body. @param holderOf what holds the key of a row; undefined where nothing does */
export function conflictsOf(
  {
    inputs,
    rowOf,
    fingerprintOf,
  }: {
    readonly inputs: readonly KeyedTransactionInput[];
    readonly rowOf: readonly NewTransaction[];
    readonly fingerprintOf: readonly string[];
  },
  holderOf: (row: NewTransaction) => Holder | undefined,
): Conflict[] {
  const conflicts: Conflict[] = [];
  for (const [index, row] of rowOf.entries()) {
    const holder = holderOf(row);
    if (holder === undefined || holder.fingerprint === fingerprintOf[index]) continue;
    conflicts.push({ ...holder, index, input: inputs[index] as KeyedTransactionInput });
  }
  return conflicts;
}

/** Says why each key is refused, with one query for all of them. */
export async function describeConflicts(
  database: Pick<Database, 'query'>,
  conflicts: readonly Conflict[],
) {
  if (conflicts.length === 0) return [];
  const ids = conflicts.map(({ transactionId }) => transactionId);
  const rows = await loadTransactionRows(database, ids).catch((error: unknown) => {
    // Without the rows the keys are refused all the same, but the differing fields are not named.
    if (error instanceof Failure) return [];
    throw error;
  });
  const rowOf = new Map(rows.map((row) => [row.transaction_id, row]));
  return conflicts.map(({ index, input, transactionId }) => {
    const row = rowOf.get(transactionId);
    const known = `must be new: ${given(input.idempotency_key)} is the key of transaction ${transactionId}`;
    // No row is found where the month of the transaction is detached.
    const why =
      row === undefined
        ? 'which has another body'
        : `whose ${sayFields(differencesFromRow(input, row), isRespelled(input.amount, row.amount))}`;
    return { index, field: 'idempotency_key', detail: `${known}, ${why}` };
  });
}

/** Names the fields in which two bodies of one request differ, as "amount and ip differ". */
export function sayDifferences(input: TransactionInput, other: TransactionInput): string {
  const differs = (field: Field) => {
    if (field === 'metadata') return metadataText(input.metadata) !== metadataText(other.metadata);
    if (field !== 'created_at') return input[field] !== other[field];
    return spellInstant(input.created_at ?? '') !== spellInstant(other.created_at ?? '');
  };
  return sayFields(FIELDS.filter(differs), isRespelled(input.amount, other.amount));
}

function differencesFromRow(input: TransactionInput, row: PlainRow): readonly Field[] {
  const found = FIELDS.filter((field) => {
    if (field === 'metadata') return metadataText(input.metadata) !== metadataText(row.metadata);
    if (field !== 'created_at') return (input[field] ?? null) !== row[field];
    return (
      input.created_at !== undefined && Date.parse(input.created_at) !== row.created_at.getTime()
    );
  });
  // A row does not record whether the body had a `created_at`: only `created_at` can differ here.
  return found.length > 0 ? found : ['created_at'];
}

function metadataText(metadata: unknown): string | null {
  return metadata === undefined || metadata === null ? null : canonicalJson(metadata);
}

const isRespelled = (amount: string, other: string) => compareDecimals(amount, other) === 0;

/** @param hasEqualAmounts amounts can differ in their text alone */
function sayFields(fields: readonly Field[], hasEqualAmounts: boolean): string {
  const names = fields.map((field) =>
    field === 'amount' && hasEqualAmounts ? AMOUNT_TEXT : field,
  );
  return `${listed.format(names)} ${fields.length === 1 ? 'differs' : 'differ'}`;
}
