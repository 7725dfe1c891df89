/**
 * The pure part of ingest: validated inputs become rows with ids, times and fingerprints, sorted by
 * idempotency key; what only a clock, the corridor list or a neighbour in the batch can refuse is
 * refused here.
 */
import {
  type KeyedTransactionInput,
  TRANSACTION_LIMITS,
  type TransactionInput,
} from '../domain/transaction.ts';
import type { NewTransaction } from '../store/transactions.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { NewTransactionId } from './transaction-id.ts';

/** What is wrong with one item of a batch; `field` is its name in the body. */
export type ItemError = {
  readonly index: number;
  readonly field: string;
  readonly detail: string;
  /** The item it cannot stand beside. */
  readonly other?: number;
};

export type Surroundings = {
  readonly receivedAtMs: number;
  readonly corridors: ReadonlySet<string>;
  readonly newId: NewTransactionId;
};

export type Prepared = {
  /** One a key, sorted by key in code-unit order. */
  readonly rows: readonly NewTransaction[];
  /** The row of each input; items with the same key and body share one. */
  readonly rowOf: readonly NewTransaction[];
  /** Which inputs repeat an earlier one of the same batch. */
  readonly repeats: ReadonlySet<number>;
};

/** Problems with time and corridor; these need no database. */
export function findInvalid(
  inputs: readonly TransactionInput[],
  { receivedAtMs, corridors }: Surroundings,
): ItemError[] {
  const errors: ItemError[] = [];
  const latest = receivedAtMs + TRANSACTION_LIMITS.createdAtAheadMsMax;
  for (const [index, input] of inputs.entries()) {
    if (!corridors.has(input.corridor)) {
      errors.push({ index, field: 'corridor', detail: 'is not a corridor of this market' });
    }
    if (input.created_at === undefined) continue;
    const createdAtMs = Date.parse(input.created_at);
    if (createdAtMs < TRANSACTION_LIMITS.createdAtMsMin) {
      errors.push({ index, field: 'created_at', detail: 'must not be before 2000-01-01' });
    } else if (createdAtMs > latest) {
      errors.push({ index, field: 'created_at', detail: 'must not be more than a day ahead' });
    }
  }
  return errors;
}

/** Rows for the store, or the items that use one key with two bodies: both are named. */
export function prepare(
  inputs: readonly KeyedTransactionInput[],
  surroundings: Surroundings,
): Prepared | { readonly conflicts: readonly ItemError[] } {
  const firstByKey = new Map<string, number>();
  const rowOf: NewTransaction[] = [];
  const repeats = new Set<number>();
  const conflicts: ItemError[] = [];
  for (const [index, input] of inputs.entries()) {
    const fingerprint = fingerprintOf(input);
    const first = firstByKey.get(input.idempotency_key);
    const firstRow = first === undefined ? undefined : rowOf[first];
    if (first === undefined || firstRow === undefined) {
      firstByKey.set(input.idempotency_key, index);
      rowOf.push(toRow(input, fingerprint, surroundings));
      continue;
    }
    rowOf.push(firstRow);
    repeats.add(index);
    if (!fingerprint.equals(firstRow.fingerprint)) {
      conflicts.push(sameKeyAs(first, index), sameKeyAs(index, first));
    }
  }
  if (conflicts.length > 0) return { conflicts: uniqueByIndex(conflicts) };
  const rows = [...firstByKey.values()].flatMap((index) => rowOf[index] ?? []);
  rows.sort((a, b) => (a.idempotencyKey < b.idempotencyKey ? -1 : 1));
  return { rows, rowOf, repeats };
}

function sameKeyAs(index: number, other: number): ItemError {
  const detail = `is also the key of item ${other}, which has another body`;
  return { index, field: 'idempotency_key', detail, other };
}

function uniqueByIndex(errors: readonly ItemError[]): ItemError[] {
  return [...new Map(errors.map((error) => [error.index, error])).values()].sort(
    (a, b) => a.index - b.index,
  );
}

function toRow(
  input: KeyedTransactionInput,
  fingerprint: Buffer,
  { receivedAtMs, newId }: Surroundings,
): NewTransaction {
  const createdAtMs = input.created_at === undefined ? receivedAtMs : Date.parse(input.created_at);
  return {
    transactionId: newId(createdAtMs),
    createdAtMs,
    receivedAtMs,
    accountId: input.account_id,
    merchantId: input.merchant_id,
    amount: input.amount,
    currency: input.currency,
    corridor: input.corridor,
    type: input.type ?? null,
    ip: input.ip ?? null,
    deviceId: input.device_id ?? null,
    country: input.country ?? null,
    channel: input.channel ?? null,
    idempotencyKey: input.idempotency_key,
    fingerprint,
    metadata: input.metadata === undefined ? null : JSON.stringify(input.metadata),
  };
}
