/**
 * Accepts transactions: claims their idempotency keys and stores them in one statement, which is its own
 * commit, then hands them to the streams. What is answered with success is committed;
 * what fails after the commit is repaired by the reconciler from the open rows.
 *
 * Ids are made before the first try and kept over all of them. A key held with one of these ids was
 * stored by an earlier try whose commit was not heard of, and counts as accepted: nothing is inserted
 * blind, and a repetition cannot store anything twice.
 */
import { atOnce, inSlices } from '../../kit/process/pauses.ts';
import { SENDS, SPANS } from '../../kit/traces/names.ts';
import type { Span, SpanStart, Trace } from '../../kit/traces/trace.ts';
import type { NewMonths, RefusedMonths } from '../../kit/words/month.ts';
import { createdAtMsOf, type KeyedTransactionInput } from '../domain/transaction.ts';
import type { KnownKey } from '../store/idempotency-keys/key-slices.ts';
import {
  claimTransactions,
  findHolders,
  type NewTransaction,
  readReceivedAtMs,
} from '../store/transactions/transactions.ts';
import { type PlannedRow, planRows } from '../stream/entries/producer.ts';
import { findRepeated } from './find-repeated.ts';
import { MonthsRefused, type RefusedRow, type RefusedRows, refuseRows } from './gate.ts';
import type { Ingest } from './ingest.ts';
import { conflictsOf, describeConflicts } from './key-conflict.ts';
import {
  type ContextFields,
  findInvalid,
  type IngestContext,
  type InputError,
  newTransactionId,
  type Prepared,
  prepare,
} from './prepare-transactions.ts';
import { retryStore } from './shared-commits.ts';

type AcceptRequest = {
  readonly client: string;
  readonly inputs: readonly KeyedTransactionInput[];
  /** Months that the request may still create; by default as many as any request. */
  readonly newMonths?: NewMonths;
  /** Instance whose request waits for the score; null when none does. */
  readonly replyTo: string | null;
  /** The trace of the request that has an input. */
  readonly traceOf?: (index: number) => Trace | undefined;
  /** Called with the ids of all inputs, in their order, before anything is stored. */
  readonly onIds?: (transactionIds: readonly string[]) => void;
};

/** Rows that were not stored, because an earlier request holds their key. */
export type KnownRows = ReadonlyMap<NewTransaction, KnownKey>;

/** Throws where held keys refuse the whole request; called before anything is stored. */
export type RefuseKnown = (known: KnownRows) => void;

/** Transactions that a request wants stored. */
export type Claim = {
  readonly batchId: string;
  readonly client: string;
  /** At most 1,000, in the order of keys. */
  readonly transactions: readonly NewTransaction[];
};

export type Stored = {
  readonly known: KnownRows;
  /** Rows that this request has stored. */
  readonly rows: readonly PlannedRow<NewTransaction>[];
  /** Null where earlier requests hold all keys. */
  readonly receivedAtMs: number | null;
};

export type Outcome = {
  readonly transactionId: string;
  readonly createdAtMs: number;
  readonly status: 'accepted' | 'duplicate';
};

type Traced = Pick<NewTransaction, 'trace'>;
type Rows = readonly { readonly transactions: readonly Traced[] }[];
type CommitSpans = ReadonlyMap<Trace | undefined, Span>;

const NONE: CommitSpans = new Map();
const COMMIT: SpanStart = { name: SPANS.commit };
const SEND: SpanStart = { name: SPANS.send, kind: 'producer', attributes: SENDS };

export function countDuplicates({ metrics }: Ingest, outcomes: readonly EachOutcome[]): void {
  const duplicates = outcomes.filter(
    (outcome) => 'status' in outcome && outcome.status === 'duplicate',
  ).length;
  if (duplicates > 0) metrics.duplicates.inc(duplicates);
}

export function readContext({
  corridors,
  elsewhere,
  refusalOf,
  fields,
  tokens,
}: Pick<Ingest, 'corridors' | 'elsewhere' | 'refusalOf' | 'fields' | 'tokens'>): IngestContext {
  return {
    nowMs: Date.now(),
    corridors: corridors(),
    elsewhere: elsewhere(),
    refusalOf,
    fields: fields(),
    personal: tokens()?.ids ?? [],
  };
}

/**
 * Stores all rows whose keys are free, and hands them to the streams.
 * @param rows at most 1,000, one a key, in the order of keys
 * @param refuseKnown null where each row is judged alone: otherwise a refused month refuses all, too
 */
export async function storeAndAppend(
  ingest: Ingest,
  { client, replyTo, newMonths }: Pick<AcceptRequest, 'client' | 'replyTo' | 'newMonths'>,
  rows: readonly NewTransaction[],
  refuseKnown: RefuseKnown | null,
): Promise<Stored & { readonly refused: RefusedRows }> {
  const { partitions, newMonthsMax, metrics, tryAppend, leftRows, failpoint } = ingest;
  if (rows.length === 0) {
    return { known: new Map(), refused: new Map(), rows: [], receivedAtMs: null };
  }
  const claim: Claim = { batchId: newTransactionId(Date.now()), client, transactions: rows };
  const times = rows.map((row) => row.createdAtMs);
  const mayMake = newMonths ?? { left: newMonthsMax };
  const commits = beginEach([{ transactions: rows }], COMMIT);
  const stored = await retryStore(async () => {
    const months = await partitions.ensure(times, mayMake);
    const barred = refuseRows(rows, months);
    return barred.size === 0
      ? { ...(await claimFree(ingest, claim, refuseKnown)), refused: barred }
      : await claimOthers(ingest, claim, months, barred, refuseKnown);
  }, partitions.forget);
  endEach(commits);
  const { receivedAtMs } = stored;
  failpoint('api-after-commit');
  for (const { corridor, transactions } of stored.rows) {
    metrics.accepted.inc({ corridor }, transactions.length);
  }
  if (receivedAtMs === null) return stored;
  const sends = beginEach(stored.rows, SEND);
  const entries = stored.rows.flatMap(({ rowId, transactions }) =>
    transactions.map((row) => {
      const transaction = { ...row, receivedAtMs };
      const sender = senderOf(sends, row);
      return { transaction, attempt: 1, origin: 'ingest', replyTo, rowId, sender } as const;
    }),
  );
  const left = await tryAppend(entries);
  endEach(sends);
  failpoint('api-after-append');
  if (left.length > 0) leftRows.note(left);
  return stored;
}

/** Claims free keys: first all keys of the claim, which nearly always succeeds, then the keys that no earlier request has. */
async function claimFree(
  { database, keySlices, shardsOf, failpoint, writes }: Ingest,
  { batchId, client, transactions }: Claim,
  refuseKnown: RefuseKnown | null,
): Promise<Stored> {
  const known = new Map<NewTransaction, KnownKey>();
  const own: NewTransaction[] = [];
  let free = transactions;
  while (free.length > 0) {
    failpoint('api-before-commit');
    const rows = planRows(batchId, shardsOf, free);
    const guard = writes.guardOf(new Set(free.map(({ corridor }) => corridor)));
    const batch = { client, transactions: free, rows, guard };
    const claimed = await claimTransactions(database, keySlices, batch);
    // Known keys were found before this commit, so the commits that stored the keys came earlier.
    if ('receivedAtMs' in claimed) return { known, rows, ...claimed };
    for (const [row, key] of claimed.known) {
      if (key.transactionId === row.transactionId) own.push(row);
      else known.set(row, key);
    }
    refuseKnown?.(known);
    free = free.filter((row) => !claimed.known.has(row));
  }
  const [first] = own;
  const receivedAtMs = first === undefined ? null : await readReceivedAtMs(database, first);
  // An earlier try has stored exactly the own rows, and the answer of the try was lost.
  return { known, rows: planRows(batchId, shardsOf, own), receivedAtMs };
}

/**
 * Claims the keys of rows whose months take rows. A barred row is a repetition if an earlier request has its key, and is refused
 * otherwise; a barred row that an earlier try has stored is not appended, as its open row waits until the month is attached.
 * @param refuseKnown null where each row is judged alone
 */
async function claimOthers(
  ingest: Ingest,
  claim: Claim,
  months: RefusedMonths,
  barred: RefusedRows,
  refuseKnown: RefuseKnown | null,
): Promise<Stored & { readonly refused: RefusedRows }> {
  const holders = await findHolders(ingest.database, claim.client, [...barred.keys()]);
  const refused = new Map([...barred].filter(([row]) => !holders.has(row)));
  const standing = [...holders].filter(([row, key]) => key.transactionId !== row.transactionId);
  refuseKnown?.(new Map(standing));
  if (refuseKnown !== null && refused.size > 0) throw new MonthsRefused(months, refused);
  const transactions = claim.transactions.filter((row) => !barred.has(row));
  const claimed = await claimFree(ingest, { ...claim, transactions }, refuseKnown);
  return { ...claimed, known: new Map([...standing, ...claimed.known]), refused };
}

export function toOutcomes(
  { rowOf, repeats }: Prepared,
  { known }: Pick<Stored, 'known'>,
): Outcome[] {
  return rowOf.map((row, index) => {
    const key = known.get(row);
    if (key === undefined) {
      const { transactionId, createdAtMs } = row;
      const status = repeats.has(index) ? 'duplicate' : 'accepted';
      return { transactionId, createdAtMs, status };
    }
    const { transactionId } = key;
    const createdAtMs = createdAtMsOf(transactionId) ?? row.createdAtMs;
    return { transactionId, createdAtMs, status: 'duplicate' };
  });
}

/** Begins a span in the trace of each request that shares a step. */
function beginEach(rows: Rows, start: SpanStart): CommitSpans {
  // Where traces are on, every transaction has one.
  if (rows[0]?.transactions[0]?.trace === undefined) return NONE;
  const spans = new Map<Trace, Span>();
  let last: Trace | undefined;
  for (const { transactions } of rows) {
    for (const { trace } of transactions) {
      if (trace === last || trace === undefined) continue;
      if (!spans.has(trace)) spans.set(trace, trace.begin(start));
      last = trace;
    }
  }
  return spans;
}

function endEach(spans: CommitSpans): void {
  for (const span of spans.values()) span.end();
}

/** The `traceparent` that an entry has of a transaction whose request is sampled. */
function senderOf(spans: CommitSpans, { trace }: Traced): string | null {
  return trace?.isSampled ? (spans.get(trace)?.traceparent ?? null) : null;
}

/** Problem of an item whose key an earlier request used with another body. */
type KeyConflict = {
  readonly problem: 'conflict';
  readonly field: 'idempotency_key';
  readonly detail: string;
};

/** An item that is judged alone and not stored. */
export type RefusedInput = KeyConflict | RefusedRow;
/** Outcome of an item that is judged alone. */
export type EachOutcome = Outcome | RefusedInput;

/** Inputs that are prepared at once: the large metadata of each take 0.1 ms, and posts that share a commit need not pause. */
const FEW = 64;

/** Stores items independently in one commit: of items with one key and two bodies the first is stored. */
export async function acceptEach(ingest: Ingest, request: AcceptRequest): Promise<EachOutcome[]> {
  const { inputs, traceOf, onIds } = request;
  const preparing = prepare(inputs, readContext(ingest), traceOf);
  const prepared = inputs.length > FEW ? await inSlices(preparing) : atOnce(preparing);
  onIds?.(prepared.rowOf.map((row) => row.transactionId));
  const stored = await storeAndAppend(ingest, request, prepared.rows, null);
  const { known, refused } = stored;
  const outcomes: EachOutcome[] = toOutcomes(prepared, stored);
  for (const [index, row] of prepared.rowOf.entries()) {
    outcomes[index] = refused.get(row) ?? (outcomes[index] as Outcome);
  }
  const conflicts = conflictsOf(prepared, (row) =>
    refused.has(row) ? undefined : (known.get(row) ?? row),
  );
  const repetitions = await findRepeated(ingest, conflicts);
  const others = conflicts.filter(({ index }) => !repetitions.has(index));
  for (const { index, detail } of await describeConflicts(ingest.database, others)) {
    outcomes[index] = { problem: 'conflict', field: 'idempotency_key', detail };
  }
  countDuplicates(ingest, outcomes);
  return outcomes;
}

/** Problems of items that are judged alone. */
export function findEachInvalid(ingest: Ingest, inputs: readonly ContextFields[]): InputError[] {
  return findInvalid(inputs, readContext(ingest));
}

export function toInputError(index: number, { field, detail }: RefusedInput): InputError {
  return { index, field, detail };
}
