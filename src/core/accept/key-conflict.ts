/**
 * Says of an idempotency key that is known with another body which transaction has it, and which fields differ. Keys
 * belong to one client, so the fields are its own; no value of the earlier body is repeated.
 */
import type { Database } from '../../kit/database/pool.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { parseWireTime } from '../../kit/words/wire-time.ts';
import { canonicalJson } from '../domain/metadata.ts';
import type { KeyedTransactionInput, TransactionInput } from '../domain/transaction.ts';
import { loadTransactionRows, type PlainRow } from '../store/transactions/read-transactions.ts';

/** Fields of a body, beside its key. */
const FIELDS = [
  'account_id',
  'merchant_id',
  'amount',
  'currency',
  'corridor',
  'created_at',
  'type',
  'ip',
  'device_id',
  'country',
  'channel',
  'metadata',
] as const;
type Field = (typeof FIELDS)[number];

const listed = new Intl.ListFormat('en', { type: 'conjunction' });

/** An item that is refused, and the transaction that has its key. */
export type Conflict = {
  readonly index: number;
  readonly input: KeyedTransactionInput;
  readonly transactionId: string;
};

/** What is wrong with the key of an item. */
type KeyProblem = {
  readonly index: number;
  readonly field: 'idempotency_key';
  readonly detail: string;
};

/** Says why each key is refused. One query, which only refused requests cost. */
export async function describeConflicts(
  database: Pick<Database, 'query'>,
  conflicts: readonly Conflict[],
): Promise<KeyProblem[]> {
  if (conflicts.length === 0) return [];
  const ids = conflicts.map(({ transactionId }) => transactionId);
  const rows = await loadTransactionRows(database, ids).catch((error: unknown) => {
    // The refusal stands without the names of fields.
    if (error instanceof Failure) return [];
    throw error;
  });
  const rowOf = new Map(rows.map((row) => [row.transaction_id, row]));
  return conflicts.map(({ index, input, transactionId }) => {
    const row = rowOf.get(transactionId);
    const known = `must be new: ${given(input.idempotency_key)} is the key of transaction ${transactionId}`;
    // The month of the transaction may be detached.
    const why =
      row === undefined
        ? 'which has another body'
        : `whose ${sayFields(differencesFromRow(input, row))}`;
    return { index, field: 'idempotency_key', detail: `${known}, ${why}` };
  });
}

/** "amount and ip differ", of two bodies of one request. */
export function sayDifferences(input: TransactionInput, other: TransactionInput): string {
  const differs = (field: Field) =>
    field === 'metadata'
      ? metadataText(input.metadata) !== metadataText(other.metadata)
      : input[field] !== other[field];
  return sayFields(FIELDS.filter(differs));
}

function differencesFromRow(input: TransactionInput, row: PlainRow): readonly Field[] {
  const found = FIELDS.filter((field) => {
    if (field === 'metadata') return metadataText(input.metadata) !== metadataText(row.metadata);
    if (field !== 'created_at') return (input[field] ?? null) !== row[field];
    return (
      input.created_at !== undefined && parseWireTime(input.created_at) !== row.created_at.getTime()
    );
  });
  // Rows do not say whether a body named its time, nor how.
  return found.length > 0 ? found : ['created_at'];
}

function metadataText(metadata: unknown): string | null {
  return metadata === undefined || metadata === null ? null : canonicalJson(metadata);
}

function sayFields(fields: readonly Field[]): string {
  return `${listed.format(fields)} ${fields.length === 1 ? 'differs' : 'differ'}`;
}
