/**
 * Accepts batches, all or nothing each: an item that is invalid or in conflict refuses its batch, and nothing of that
 * is stored. Small batches that a client posts at the same time share a commit, as long as all of it is new.
 */

import { inSlices } from '../../kit/process/pauses.ts';
import type { Trace } from '../../kit/traces/trace.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import type { Tokenised } from '../personal.ts';
import {
  countDuplicates,
  type KnownRows,
  type Outcome,
  readContext,
  type Stored,
  storeAndAppend,
  toOutcomes,
} from './accept-transactions.ts';
import { admit, keptWhole, tokenised } from './admit.ts';
import { findRepeated } from './find-repeated.ts';
import {
  type Closed,
  type ClosedRequest,
  closedRequest,
  type MonthProblem,
  MonthsRefused,
} from './gate.ts';
import type { Ingest } from './ingest.ts';
import { conflictsOf, describeConflicts } from './key-conflict.ts';
import type { Submitter } from './limits/limiter.ts';
import {
  byKey,
  findInvalid,
  findRivals,
  type InputError,
  type Prepared,
  prepare,
} from './prepare-transactions.ts';
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
  /** Inputs that were refused alone, by index. `result` is of the other inputs, in their order. */
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
      // Stores all batches in one commit, or throws and stores nothing where a batch may have to be refused alone.
      store: async (poster, batches) => {
        const [only] = batches;
        if (batches.length === 1 && only !== undefined)
          return [await storeBatch(ingest, poster, only)];
        const rows = batches.flatMap((batch) => batch.rows).sort(byKey);
        const keys = rows.map((row) => row.idempotencyKey);
        if (keys.some((key, index) => key === keys[index + 1])) throw new KeyConflict();
        const stored = await storeAndAppend(ingest, poster, rows, refuseAny);
        return batches.map((batch) => accepted(ingest, batch, stored));
      },
      commitsMax,
      rowsMax: COMMIT_ROWS_MAX,
      rowsOf: ({ rows }) => rows.length,
      apartOf: ({ rows }) => ingest.writes.apartOf(new Set(rows.map(({ corridor }) => corridor))),
    });
  const storeSmall = shareCommits(SMALL_COMMITS_MAX);
  const storeLarge = shareCommits(LARGE_COMMITS_MAX);
  const acceptOpen = async (
    client: string,
    drafted: Tokenised,
    context: ReturnType<typeof readContext>,
    trace: Trace | undefined,
  ): Promise<AcceptResult> => {
    const { inputs } = drafted;
    if (inputs.length === 0) return { kind: 'accepted', outcomes: [] };
    const prepareAll = (all: typeof inputs) => inSlices(prepare(all, context, () => trace));
    let prepared = await prepareAll(inputs);
    const rivals = findRivals(prepared);
    if (rivals.length > 0) return { kind: 'conflict', errors: rivals };
    if (drafted.fresh.size > 0) {
      prepared = await prepareAll(
        await keptWhole(ingest, { client, tokenised: drafted }, prepared),
      );
    }
    const poster = { client, replyTo: null };
    if (prepared.rows.length <= SMALL_ROWS_MAX) return await storeSmall(poster, prepared);
    return await storeLarge(poster, prepared);
  };
  return async ({ by, inputs: clear, isLenient, trace }) => {
    const context = readContext(ingest);
    const invalid = findInvalid(clear, context);
    if (invalid.length > 0) return whole({ kind: 'invalid', errors: invalid });
    const drafted = await tokenised(ingest, clear);
    const closed = await admit(ingest, { by, inputs: drafted.inputs, isEach: isLenient });
    if (closed.size === 0) return whole(await acceptOpen(by.client, drafted, context, trace));
    if (!isLenient) return whole(closedRequest(closed));
    // Tokens of the open inputs are made anew, as tokens of refused inputs must not be kept.
    const open = await tokenised(
      ingest,
      clear.filter((_, index) => !closed.has(index)),
    );
    return { result: await acceptOpen(by.client, open, context, trace), refused: closed };
  };
}

const whole = (result: AcceptResult) => ({ result, refused: new Map<number, Closed>() });

async function storeBatch(
  ingest: Ingest,
  poster: Poster,
  prepared: Prepared,
  repeated: KnownRows = new Map(),
): Promise<AcceptResult> {
  try {
    const stored = await storeAndAppend(ingest, poster, prepared.rows, (known) => {
      refuseOtherBodies(known, repeated);
    });
    return accepted(ingest, prepared, stored);
  } catch (error) {
    if (error instanceof MonthsRefused) {
      return { kind: error.problem, detail: error.message, errors: error.errors(prepared) };
    }
    if (!(error instanceof KeyConflict)) throw error;
    const { holders } = error;
    const conflicts = conflictsOf(prepared, (row) => holders.get(row));
    const repetitions = await findRepeated(ingest, conflicts);
    if (repetitions.size > 0 && repetitions.size === conflicts.length) {
      // Keys of sealed slices are found before those of the open one, so earlier repetitions stay known.
      return await storeBatch(ingest, poster, prepared, new Map([...repeated, ...holders]));
    }
    const others = conflicts.filter(({ index }) => !repetitions.has(index));
    return { kind: 'conflict', errors: await describeConflicts(ingest.database, others) };
  }
}

function accepted(ingest: Ingest, prepared: Prepared, stored: Stored): AcceptedBatch {
  const outcomes = toOutcomes(prepared, stored);
  countDuplicates(ingest, outcomes);
  return { kind: 'accepted', outcomes };
}

class KeyConflict extends Failure {
  readonly holders: KnownRows;

  constructor(holders: KnownRows = new Map()) {
    super('conflict', 'KEY_CONFLICT', 'a key is held with another body');
    this.holders = holders;
  }
}

function refuseAny(known: KnownRows): void {
  if (known.size > 0) throw new KeyConflict();
}

/** @param repeated rows that repeat their holder, whatever its fingerprint */
function refuseOtherBodies(known: KnownRows, repeated: KnownRows): void {
  const others = [...known].filter(
    ([row, key]) => key.fingerprint !== row.fingerprint && !repeated.has(row),
  );
  if (others.length > 0) throw new KeyConflict(new Map(others));
}
