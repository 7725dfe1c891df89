/**
 * Accepts a batch, all or nothing: claims its idempotency keys and stores its transactions in one
 * database transaction, then hands them to the streams. What is answered with success is committed;
 * what fails after the commit is repaired by the reconciler from the open batch.
 *
 * Ids are made before the first try and kept over all of them. A key held with one of these ids was
 * stored by an earlier try whose commit was not heard of, and counts as accepted: nothing is inserted
 * blind, and a repetition cannot store anything twice.
 */
import { Failure } from '../domain/failure.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import { createdAtMsOf } from '../domain/transaction-id.ts';
import type { Failpoint } from '../runtime/failpoint.ts';
import type * as IdempotencyKeys from '../store/idempotency-keys.ts';
import type { Database, Query } from '../store/pool.ts';
import type * as Transactions from '../store/transactions.ts';
import type { NewBatch, NewTransaction } from '../store/transactions.ts';
import type { TryAppend } from './append-entries.ts';
import type { BatchCloser } from './batch-closer.ts';
import { findInvalid, type ItemError, type Prepared, prepare } from './prepare-transactions.ts';
import { retryStore } from './retry-store.ts';
import type { NewTransactionId } from './transaction-id.ts';

export type AcceptDependencies = {
  readonly database: Pick<Database, 'transaction'>;
  readonly claimTransactions: typeof Transactions.claimTransactions;
  readonly findHeldKeys: typeof IdempotencyKeys.findHeldKeys;
  readonly partitions: {
    readonly ensure: (createdAtMs: Iterable<number>) => Promise<void>;
    readonly forget: () => void;
  };
  readonly tryAppend: TryAppend;
  readonly closer: Pick<BatchCloser, 'close'>;
  readonly newId: NewTransactionId;
  /** Corridors a transaction may name, as last read. */
  readonly corridors: () => ReadonlySet<string>;
  readonly now: () => number;
  readonly failpoint: Failpoint;
  readonly count: {
    readonly accepted: (corridor: string, transactions: number) => void;
    readonly duplicates: (transactions: number) => void;
  };
};

export type AcceptRequest = {
  readonly client: string;
  readonly inputs: readonly KeyedTransactionInput[];
  /** Instance whose request waits for the score; null when none does. */
  readonly replyTo: string | null;
  /** Called with the ids before anything is stored. */
  readonly onIds?: (transactionIds: readonly string[]) => void;
};

export type Outcome = {
  readonly transactionId: string;
  readonly createdAtMs: number;
  readonly status: 'accepted' | 'duplicate';
};

export type AcceptResult =
  | { readonly kind: 'accepted'; readonly outcomes: readonly Outcome[] }
  | { readonly kind: 'invalid'; readonly errors: readonly ItemError[] }
  | { readonly kind: 'conflict'; readonly errors: readonly ItemError[] };

export async function acceptTransactions(
  dependencies: AcceptDependencies,
  { client, inputs, replyTo, onIds }: AcceptRequest,
): Promise<AcceptResult> {
  const { corridors, newId, now, partitions, count } = dependencies;
  const surroundings = { receivedAtMs: now(), corridors: corridors(), newId };
  const invalid = findInvalid(inputs, surroundings);
  if (invalid.length > 0) return { kind: 'invalid', errors: invalid };
  const prepared = prepare(inputs, surroundings);
  if ('conflicts' in prepared) return { kind: 'conflict', errors: prepared.conflicts };
  const { rows } = prepared;
  onIds?.(rows.map((row) => row.transactionId));
  const batch: NewBatch = {
    batchId: newId(surroundings.receivedAtMs),
    client,
    receivedAtMs: surroundings.receivedAtMs,
    transactions: rows,
  };
  const times = rows.map((row) => row.createdAtMs);
  const stored = await retryStore(async () => {
    await partitions.ensure(times);
    return await store(dependencies, batch);
  }, partitions.forget);
  if (stored.conflicting.size > 0) {
    return { kind: 'conflict', errors: keyConflicts(prepared, stored.conflicting) };
  }
  const fresh = rows.filter((row) => !stored.heldIds.has(row));
  dependencies.failpoint('api-after-commit');
  for (const [corridor, group] of Map.groupBy(fresh, (row) => row.corridor)) {
    count.accepted(corridor, group.length);
  }
  if (fresh.length < inputs.length) count.duplicates(inputs.length - fresh.length);
  if (fresh.length > 0 && (await append(dependencies, fresh, replyTo))) {
    dependencies.closer.close(batch.batchId);
  }
  return { kind: 'accepted', outcomes: toOutcomes(prepared, stored.heldIds) };
}

type Stored = {
  /** Rows whose key an earlier request holds, with the id that request made. */
  readonly heldIds: ReadonlyMap<NewTransaction, string>;
  /** Rows whose key is held with another body; when there is one, nothing was stored. */
  readonly conflicting: ReadonlySet<NewTransaction>;
};

class KeyConflict extends Failure {
  readonly conflicting: ReadonlySet<NewTransaction>;

  constructor(conflicting: ReadonlySet<NewTransaction>) {
    super('conflict', 'KEY_CONFLICT', 'a key is held with another body');
    this.conflicting = conflicting;
  }
}

async function store(dependencies: AcceptDependencies, batch: NewBatch): Promise<Stored> {
  try {
    const heldIds = await dependencies.database.transaction((query) =>
      claim(dependencies, query, batch),
    );
    return { heldIds, conflicting: new Set() };
  } catch (error) {
    if (!(error instanceof KeyConflict)) throw error;
    return { heldIds: new Map(), conflicting: error.conflicting };
  }
}

/** Claims and compares; a conflict is thrown so that the whole database transaction is rolled back. */
async function claim(
  { claimTransactions, findHeldKeys }: AcceptDependencies,
  query: Query,
  batch: NewBatch,
): Promise<Map<NewTransaction, string>> {
  const lost = (await claimTransactions(query, batch)).flatMap(
    (at) => batch.transactions[at] ?? [],
  );
  const heldIds = new Map<NewTransaction, string>();
  if (lost.length === 0) return heldIds;
  const keys = lost.map((row) => row.idempotencyKey);
  const held = await findHeldKeys(query, batch.client, keys);
  const heldByKey = new Map(held.map((key) => [key.idempotencyKey, key]));
  const conflicting = new Set<NewTransaction>();
  for (const row of lost) {
    const key = heldByKey.get(row.idempotencyKey);
    // Forgotten by the purge between the two statements: the next try claims it.
    if (key === undefined) throw new Failure('transient', 'KEY_VANISHED', 'a key was purged');
    if (!key.fingerprint.equals(row.fingerprint)) conflicting.add(row);
    else if (key.transactionId !== row.transactionId) heldIds.set(row, key.transactionId);
  }
  if (conflicting.size > 0) throw new KeyConflict(conflicting);
  return heldIds;
}

async function append(
  { tryAppend }: AcceptDependencies,
  rows: readonly NewTransaction[],
  replyTo: string | null,
): Promise<boolean> {
  return await tryAppend(
    rows.map((transaction) => ({ transaction, attempt: 1, origin: 'ingest', replyTo })),
  );
}

function keyConflicts(
  { rowOf }: Prepared,
  conflicting: ReadonlySet<NewTransaction>,
): readonly ItemError[] {
  const detail = 'is known with another body';
  return rowOf.flatMap((row, index) =>
    conflicting.has(row) ? [{ index, field: 'idempotency_key', detail }] : [],
  );
}

function toOutcomes(
  { rowOf, repeats }: Prepared,
  heldIds: ReadonlyMap<NewTransaction, string>,
): Outcome[] {
  return rowOf.map((row, index) => {
    const heldId = heldIds.get(row);
    const transactionId = heldId ?? row.transactionId;
    const createdAtMs = createdAtMsOf(transactionId) ?? row.createdAtMs;
    const isDuplicate = heldId !== undefined || repeats.has(index);
    return { transactionId, createdAtMs, status: isDuplicate ? 'duplicate' : 'accepted' };
  });
}
