/**
 * Accepts transactions: claims their idempotency keys and stores them in one statement, which is its own
 * commit, then hands them to the streams. What is answered with success is committed;
 * what fails after the commit is repaired by the reconciler from the open batch.
 *
 * Ids are made before the first try and kept over all of them. A key held with one of these ids was
 * stored by an earlier try whose commit was not heard of, and counts as accepted: nothing is inserted
 * blind, and a repetition cannot store anything twice.
 */
import { Failure } from '../domain/failure.ts';
import { comparePositions } from '../domain/history.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import { createdAtMsOf } from '../domain/transaction-id.ts';
import type { Failpoint } from '../runtime/failpoint.ts';
import type { HeldKey } from '../store/idempotency-keys.ts';
import type { Claim, NewBatch, NewTransaction } from '../store/transactions.ts';
import type { TryAppend } from './append-entries.ts';
import type { BatchCloser } from './batch-closer.ts';
import {
  findInvalid,
  findRivals,
  type ItemError,
  type Prepared,
  prepare,
  type Surroundings,
  type WorldlyFields,
} from './prepare-transactions.ts';
import { retryStore } from './retry-store.ts';
import type { NewTransactionId } from './transaction-id.ts';

export type AcceptDependencies = {
  /** Stores all of a batch, or nothing where a key is held: then by whom. */
  readonly claim: (batch: NewBatch) => Promise<Claim>;
  readonly readReceivedAtMs: (row: NewTransaction) => Promise<number>;
  readonly partitions: {
    readonly ensure: (createdAtMs: Iterable<number>) => Promise<void>;
    readonly forget: () => void;
  };
  readonly tryAppend: TryAppend;
  readonly closer: Pick<BatchCloser, 'close' | 'narrow'>;
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
  /** Called with the ids of all inputs, in their order, before anything is stored. */
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

/** All or nothing: an item that is invalid or in conflict refuses the batch, and nothing is stored. */
export async function acceptTransactions(
  dependencies: AcceptDependencies,
  request: AcceptRequest,
): Promise<AcceptResult> {
  const surroundings = look(dependencies);
  const invalid = findInvalid(request.inputs, surroundings);
  if (invalid.length > 0) return { kind: 'invalid', errors: invalid };
  const prepared = prepare(request.inputs, surroundings);
  const rivals = findRivals(prepared);
  if (rivals.length > 0) return { kind: 'conflict', errors: rivals };
  try {
    const held = await storeAndAppend(dependencies, request, prepared, refuseOtherBodies);
    const outcomes = toOutcomes(prepared, held);
    countDuplicates(dependencies, outcomes);
    return { kind: 'accepted', outcomes };
  } catch (error) {
    if (!(error instanceof KeyConflict)) throw error;
    return { kind: 'conflict', errors: keyConflicts(prepared, error.keys) };
  }
}

/** What is wrong with an item whose key is held with another body. */
export const KEY_CONFLICT = {
  field: 'idempotency_key',
  detail: 'is known with another body',
} as const;

/** What became of an item that stands alone; `null` is a key that is known with another body. */
export type EachOutcome = Outcome | null;

/** Each for itself, in one commit: of items with one key and two bodies the first stands. */
export async function acceptEach(
  dependencies: AcceptDependencies,
  request: AcceptRequest,
): Promise<EachOutcome[]> {
  const prepared = prepare(request.inputs, look(dependencies));
  const held = await storeAndAppend(dependencies, request, prepared, () => undefined);
  const outcomes = toOutcomes(prepared, held).map((outcome, index) => {
    const row = prepared.rowOf[index];
    const standing = row && (held.get(row)?.fingerprint ?? row.fingerprint);
    return prepared.fingerprintOf[index] === standing ? outcome : null;
  });
  countDuplicates(dependencies, outcomes);
  return outcomes;
}

function countDuplicates({ count }: AcceptDependencies, outcomes: readonly EachOutcome[]): void {
  const duplicates = outcomes.filter((outcome) => outcome?.status === 'duplicate').length;
  if (duplicates > 0) count.duplicates(duplicates);
}

/** Problems of items that stand alone. */
export function findEachInvalid(
  dependencies: AcceptDependencies,
  inputs: readonly WorldlyFields[],
): ItemError[] {
  return findInvalid(inputs, look(dependencies));
}

function look({ now, corridors, newId }: AcceptDependencies): Surroundings {
  return { nowMs: now(), corridors: corridors(), newId };
}

/** Rows that were not stored, because an earlier request holds their key. */
type Held = ReadonlyMap<NewTransaction, HeldKey>;

class KeyConflict extends Failure {
  readonly keys: ReadonlySet<string>;

  constructor(keys: ReadonlySet<string>) {
    super('conflict', 'KEY_CONFLICT', 'a key is held with another body');
    this.keys = keys;
  }
}

/** Called before anything is stored. */
function refuseOtherBodies(held: Held): void {
  const keys = new Set<string>();
  for (const [row, key] of held) {
    if (key.fingerprint !== row.fingerprint) keys.add(row.idempotencyKey);
  }
  if (keys.size > 0) throw new KeyConflict(keys);
}

async function storeAndAppend(
  dependencies: AcceptDependencies,
  { client, replyTo, onIds }: AcceptRequest,
  { rows, rowOf }: Prepared,
  check: (held: Held) => void,
): Promise<Held> {
  const { partitions, newId, now, count, tryAppend, closer } = dependencies;
  if (rows.length === 0) return new Map();
  onIds?.(rowOf.map((row) => row.transactionId));
  const batch: NewBatch = { batchId: newId(now()), client, transactions: rows };
  const times = rows.map((row) => row.createdAtMs);
  const { held, receivedAtMs } = await retryStore(async () => {
    await partitions.ensure(times);
    return await claimFree(dependencies, batch, check);
  }, partitions.forget);
  dependencies.failpoint('api-after-commit');
  const fresh = held.size === 0 ? rows : rows.filter((row) => !held.has(row));
  for (const [corridor, group] of Map.groupBy(fresh, (row) => row.corridor)) {
    count.accepted(corridor, group.length);
  }
  if (receivedAtMs === null) return held;
  // In the order in which siblings see each other, whatever the order of the keys.
  const entries = fresh.toSorted(comparePositions).map((row) => {
    const transaction = { ...row, receivedAtMs };
    return { transaction, attempt: 1, origin: 'ingest', replyTo } as const;
  });
  const left = await tryAppend(entries);
  dependencies.failpoint('api-after-append');
  if (left.length === 0) closer.close(batch.batchId);
  else if (left.length < entries.length) {
    closer.narrow(
      batch.batchId,
      left.map(({ transaction }) => transaction.transactionId),
    );
  }
  return held;
}

/** Null where all keys are held by earlier requests. */
type Stored = { readonly held: Held; readonly receivedAtMs: number | null };

/** Claims the keys that nobody holds: all of them nearly always; else those that are left once the others are known. */
async function claimFree(
  { claim, readReceivedAtMs, failpoint }: AcceptDependencies,
  batch: NewBatch,
  check: (held: Held) => void,
): Promise<Stored> {
  const held = new Map<NewTransaction, HeldKey>();
  let free = batch.transactions;
  let own: NewTransaction | undefined;
  while (free.length > 0) {
    failpoint('api-before-commit');
    const claimed = await claim({ ...batch, transactions: free });
    if ('receivedAtMs' in claimed) return { held, receivedAtMs: claimed.receivedAtMs };
    for (const [row, key] of claimed.held) {
      if (key.transactionId === row.transactionId) own = row;
      else held.set(row, key);
    }
    check(held);
    free = free.filter((row) => !claimed.held.has(row));
  }
  return { held, receivedAtMs: own === undefined ? null : await readReceivedAtMs(own) };
}

function keyConflicts({ rowOf }: Prepared, keys: ReadonlySet<string>): ItemError[] {
  return rowOf.flatMap((row, index) =>
    keys.has(row.idempotencyKey) ? [{ index, ...KEY_CONFLICT }] : [],
  );
}

function toOutcomes({ rowOf, repeats }: Prepared, held: Held): Outcome[] {
  return rowOf.map((row, index) => {
    const key = held.get(row);
    if (key === undefined) {
      const { transactionId, createdAtMs } = row;
      return { transactionId, createdAtMs, status: repeats.has(index) ? 'duplicate' : 'accepted' };
    }
    const { transactionId } = key;
    const createdAtMs = createdAtMsOf(transactionId) ?? row.createdAtMs;
    return { transactionId, createdAtMs, status: 'duplicate' };
  });
}
