/**
 * Accepts batches, all or nothing each: an item that is invalid or in conflict refuses its batch, and nothing of that
 * is stored. Small batches that a client posts at the same time share a commit, as long as all of it is new.
 */

import type { Trace } from '../../kit/traces/trace.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import type { NewTransaction } from '../store/transactions/transactions.ts';
import {
  countDuplicates,
  type Outcome,
  readContext,
  storeAndAppend,
  tokenised,
  toOutcomes,
} from './accept-transactions.ts';
import { admit } from './admit.ts';
import type { KnownRows, Stored } from './claim-keys.ts';
import { type Closed, type ClosedRequest, closedRequest } from './gate.ts';
import type { Ingest } from './ingest.ts';
import { type Conflict, describeConflicts } from './key-conflict.ts';
import type { Submitter } from './limits/limiter.ts';
import {
  byKey,
  findInvalid,
  findRivals,
  type InputError,
  type Prepared,
  prepare,
} from './prepare-transactions.ts';
import { type MonthProblem, MonthsRefused } from './refuse-months.ts';
import { createSharedCommits, type Poster } from './shared-commits.ts';

type AcceptedBatch = { readonly kind: 'accepted'; readonly outcomes: readonly Outcome[] };

export type AcceptResult =
  | AcceptedBatch
  | ClosedRequest
  | { readonly kind: 'invalid'; readonly errors: readonly InputError[] }
  | { readonly kind: 'conflict'; readonly errors: readonly InputError[] }
  | {
      readonly kind: MonthProblem;
      readonly detail: string;
      readonly errors: readonly InputError[];
    };

type AcceptBatch = (request: {
  readonly by: Submitter;
  readonly inputs: readonly KeyedTransactionInput[];
  /** Whether an input that does not pass the gate is refused alone. */
  readonly isLenient: boolean;
  readonly trace: Trace | undefined;
}) => Promise<{
  readonly result: AcceptResult;
  /** Inputs that were refused alone, by index. The result is that of the others, in their order. */
  readonly refused: ReadonlyMap<number, Closed>;
}>;

/** At this many rows the fixed price of a commit is below 2 µs a transaction. */
const SMALL_ROWS_MAX = 250;
/** A single commit at a time: posts of the client that arrive meanwhile share the next. */
const SMALL_COMMITS_MAX = 1;
/**
 * A commit stores rows while another is written to the disk or appended. With two at a time Postgres takes 35 µs a
 * transaction, with six 44 (API alone, that many connections, 2 cores).
 */
const LARGE_COMMITS_MAX = 2;
const COMMIT_ROWS_MAX = 1000;

export function createAcceptBatch(ingest: Ingest): AcceptBatch {
  const shareCommits = (commitsMax: number) =>
    createSharedCommits<Prepared, AcceptResult>({
      store: (poster, batches) => storeBatches(ingest, poster, batches),
      commitsMax,
      rowsMax: COMMIT_ROWS_MAX,
      rowsOf: ({ rows }) => rows.length,
      apartOf: ({ rows }) => ingest.writes.apartOf(new Set(rows.map(({ corridor }) => corridor))),
    });
  const storeSmall = shareCommits(SMALL_COMMITS_MAX);
  const storeLarge = shareCommits(LARGE_COMMITS_MAX);
  const acceptOpen = async (
    client: string,
    inputs: readonly KeyedTransactionInput[],
    context: ReturnType<typeof readContext>,
    trace: Trace | undefined,
  ): Promise<AcceptResult> => {
    if (inputs.length === 0) return { kind: 'accepted', outcomes: [] };
    const prepared = prepare(inputs, context, () => trace);
    const rivals = findRivals(prepared);
    if (rivals.length > 0) return { kind: 'conflict', errors: rivals };
    const poster = { client, replyTo: null };
    const store = prepared.rows.length > SMALL_ROWS_MAX ? storeLarge : storeSmall;
    return await store(poster, prepared);
  };
  return async ({ by, inputs: clear, isLenient, trace }) => {
    const context = readContext(ingest);
    const invalid = findInvalid(clear, context);
    if (invalid.length > 0) return whole({ kind: 'invalid', errors: invalid });
    const inputs = await tokenised(ingest, clear);
    const closed = await admit(ingest, { by, inputs, isEach: isLenient });
    if (closed.size === 0) return whole(await acceptOpen(by.client, inputs, context, trace));
    if (!isLenient) return whole(closedRequest(closed));
    const open = inputs.filter((_, index) => !closed.has(index));
    return { result: await acceptOpen(by.client, open, context, trace), refused: closed };
  };
}

const whole = (result: AcceptResult) => ({ result, refused: new Map<number, Closed>() });

/**
 * Stores all batches in one commit, or throws and stores nothing where one of them may have to be refused
 * alone.
 */
async function storeBatches(
  ingest: Ingest,
  poster: Poster,
  batches: readonly Prepared[],
): Promise<AcceptResult[]> {
  const [only] = batches;
  if (batches.length === 1 && only !== undefined) {
    return [await storeBatch(ingest, poster, only)];
  }
  const rows = batches.flatMap((batch) => batch.rows).sort(byKey);
  const twice = rows.find((row, index) => row.idempotencyKey === rows[index + 1]?.idempotencyKey);
  if (twice !== undefined) throw new KeyConflict();
  const stored = await storeAndAppend(ingest, poster, rows, refuseAny);
  return batches.map((batch) => accepted(ingest, batch, stored));
}

async function storeBatch(
  ingest: Ingest,
  poster: Poster,
  prepared: Prepared,
): Promise<AcceptResult> {
  try {
    const stored = await storeAndAppend(ingest, poster, prepared.rows, refuseOtherBodies);
    return accepted(ingest, prepared, stored);
  } catch (error) {
    if (error instanceof MonthsRefused) {
      return { kind: error.problem, detail: error.message, errors: error.errors(prepared) };
    }
    if (!(error instanceof KeyConflict)) throw error;
    const conflicts = keyConflicts(prepared, error.holders);
    return { kind: 'conflict', errors: await describeConflicts(ingest.database, conflicts) };
  }
}

function accepted(ingest: Ingest, prepared: Prepared, stored: Stored): AcceptedBatch {
  const outcomes = toOutcomes(ingest, prepared, stored);
  countDuplicates(ingest, outcomes);
  return { kind: 'accepted', outcomes };
}

class KeyConflict extends Failure {
  /** The ids of the transactions that have the keys of the new ones. */
  readonly holders: ReadonlyMap<NewTransaction, string>;

  constructor(holders: ReadonlyMap<NewTransaction, string> = new Map()) {
    super('conflict', 'KEY_CONFLICT', 'a key is held with another body');
    this.holders = holders;
  }
}

function refuseAny(known: KnownRows): void {
  if (known.size > 0) throw new KeyConflict();
}

function refuseOtherBodies(known: KnownRows): void {
  const holders = new Map<NewTransaction, string>();
  for (const [row, key] of known) {
    if (key.fingerprint !== row.fingerprint) holders.set(row, key.transactionId);
  }
  if (holders.size > 0) throw new KeyConflict(holders);
}

function keyConflicts(
  { inputs, rowOf }: Prepared,
  holders: ReadonlyMap<NewTransaction, string>,
): Conflict[] {
  return inputs.flatMap((input, index) => {
    const transactionId = holders.get(rowOf[index] as NewTransaction);
    return transactionId === undefined ? [] : [{ index, input, transactionId }];
  });
}
