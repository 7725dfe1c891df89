/**
 * The end of a batch: dead letters are committed, then its entries are settled in Redis, or replaced by others. It may run
 * again for the same transactions.
 */
import { DEAD_LETTER_ENTRY_CHARS_MAX, type DeadLetter } from '../domain/dead-letter.ts';
import { VERDICTS, type Verdict } from '../domain/score-record.ts';
import { createdAtMsOf } from '../domain/transaction.ts';
import { insertDeadLetters } from '../store/dead-letters/dead-letters.ts';
import { readStoredScores } from '../store/scores/stored-scores.ts';
import { type PackedEntry, packAgain } from '../stream/entries/entry.ts';
import { rowIdOf } from '../stream/entries/entry-head.ts';
import type { StreamEntry } from '../stream/group/read-group.ts';
import type { EndedEntry, Settlement } from '../stream/settle/settle.ts';
import {
  acknowledgeStored,
  type Decided,
  type EntryTransaction,
  payloadOf,
  readEntries,
} from './decided.ts';
import { beginStage, type Worker, type WorkerOptions } from './worker.ts';

/** Names of streams that could not be settled: their entries stay pending. Nearly always none. */
export type Unsettled = ReadonlySet<string>;
export const ALL_SETTLED: Unsettled = new Set();

/** Ends entries, all transactions of which are decided. */
export async function endEntries(worker: Worker, decided: readonly Decided[]): Promise<Unsettled> {
  if (decided.length === 0) return ALL_SETTLED;
  const { metrics, nowMs } = worker;
  const atMs = nowMs();
  const final = await commitDeadLetters(worker, decided, atMs);
  const endTimer = beginStage(worker, 'settle');
  const settlements = toSettlements(worker, final, atMs);
  const { failures, unpublished } = await worker.settle(settlements);
  endTimer();
  if (worker.config.RISK_EVENT_BYTES_MAX > 0) metrics.unpublished.inc(unpublished);
  const failed = settlements.filter((_, index) => failures[index] !== null);
  const unsettled = new Set(failed.map(({ stream }) => stream.transactions));
  const isSettled = ({ entry }: Decided) => !unsettled.has(entry.stream.transactions);
  countOutcomes(worker, unsettled.size === 0 ? final : final.filter(isSettled));
  return unsettled;
}

/** Gives entries back without costing an attempt or a delivery. */
export async function releaseEntries(
  worker: Worker,
  entries: readonly StreamEntry[],
): Promise<void> {
  // Unreadable entries stay pending: giving them up needs Postgres, which may be down.
  await replace(worker, readEntries(worker.entries, entries).transactions, releaseEntry);
}

/** Puts entries of a single transaction in the place of entries of several. */
export async function divideEntries(
  worker: Worker,
  entries: readonly StreamEntry[],
): Promise<void> {
  const { transactions, decided } = readEntries(worker.entries, entries);
  await replace(worker, transactions, divideEntry);
  await endEntries(worker, decided);
}

/** The entries that are replaced stay pending where that fails. */
async function replace(
  worker: Worker,
  transactions: readonly EntryTransaction[],
  make: ReplaceEntry,
): Promise<void> {
  if (transactions.length > 0) await worker.settle(toReplacements(transactions, make));
}

/** A dead letter whose transaction turns out to have a score is acknowledged in its place. */
async function commitDeadLetters(
  { market, failpoint }: Worker,
  decided: readonly Decided[],
  atMs: number,
): Promise<readonly Decided[]> {
  const dead = decided.filter(({ outcome }) => outcome.kind === 'dead-letter');
  if (dead.length === 0) return decided;
  const inserted = await insertDeadLetters(market.database, toDeadLetters(dead, atMs));
  failpoint('worker-after-dead-letters');
  // The transaction is the key of a dead letter, as an entry may have several.
  const refused = dead.flatMap(({ entry, from }) =>
    inserted.has(from?.transaction.transactionId ?? entry.id) ? [] : (from ?? []),
  );
  const scored = await readStoredScores(
    market.database,
    refused.map(({ transaction }) => transaction),
  );
  const known = refused.flatMap((from) => {
    const decision = scored.get(from.transaction.transactionId);
    return decision === undefined ? [] : { from, decision };
  });
  const ended = new Set<EntryTransaction | null>(known.map(({ from }) => from));
  return [...decided.filter(({ from }) => !ended.has(from)), ...acknowledgeStored(known)];
}

function toDeadLetters(dead: readonly Decided[], atMs: number): DeadLetter[] {
  // An unreadable entry may have a dead letter for each of 128 transactions: the first one stores its bytes.
  const shown = new Set<StreamEntry>();
  return dead.map((letter) => {
    const { entry } = letter;
    const packed = shown.has(entry) ? '' : (entry.packed?.toString('base64') ?? '');
    if (letter.from === null) shown.add(entry);
    return toDeadLetter(letter, packed, atMs);
  });
}

function toDeadLetter({ entry, from, outcome }: Decided, packed: string, atMs: number): DeadLetter {
  if (outcome.kind !== 'dead-letter') throw new Error(`${outcome.kind} is no dead letter`);
  const transaction = from?.transaction;
  const transactionId = transaction?.transactionId ?? outcome.transactionId ?? null;
  const text = transaction === undefined ? packed : JSON.stringify(transaction);
  return {
    transactionId,
    createdAtMs: transaction?.createdAtMs ?? createdAtMsOf(transactionId ?? '') ?? null,
    accountId: transaction?.accountId ?? null,
    corridor: entry.stream.corridor,
    stream: entry.stream.transactions,
    entryId: entry.id,
    rowId: from?.head.rowId ?? rowIdOf(entry.head),
    attempts: from?.head.attempt ?? 1,
    errorCode: outcome.failure.code,
    error: outcome.failure.message,
    entry: text.slice(0, DEAD_LETTER_ENTRY_CHARS_MAX),
    failedAtMs: atMs,
  };
}

/** Retries and dead letters, once they are settled. */
function countOutcomes({ metrics, trace }: Worker, decided: readonly Decided[]): void {
  for (const { outcome, entry, from } of decided) {
    if (outcome.kind !== 'acknowledge') trace?.noteFailure(from, outcome.failure.code);
    if (outcome.kind === 'retry') metrics.retries.inc({ code: outcome.failure.code });
    if (outcome.kind === 'dead-letter') {
      metrics.deadLetters.inc({ corridor: entry.stream.corridor, code: outcome.failure.code });
    }
  }
}

/** @param atMs when failures happened */
function toSettlements(
  { isFrozen }: Pick<Worker, 'isFrozen'>,
  decided: readonly Decided[],
  atMs: number,
): Settlement[] {
  return byStream(decided, ({ entry }) => entry).map((group) => ({
    ...group.head,
    isFrozen: isFrozen(group.head.stream.corridor),
    ended: [...Map.groupBy(group.all, ({ entry }) => entry)].map(([entry, all]) =>
      toEnded(entry, all, atMs),
    ),
    replies: group.all.flatMap((letter) => publishedOf(letter)?.replies ?? []),
    replaced: [],
  }));
}

/** Groups of one stream and one consumer each. */
function byStream<One>(all: readonly One[], entryOf: (member: One) => StreamEntry) {
  const groups = Map.groupBy(all, (letter) => {
    const { stream, consumer } = entryOf(letter);
    return `${stream.transactions} ${consumer}`;
  });
  return Array.from(groups.values(), (all) => {
    const { stream, consumer } = entryOf(all[0] as One);
    return { head: { stream, consumer }, all };
  });
}

const publishedOf = ({ outcome }: Decided) =>
  outcome.kind === 'acknowledge' ? outcome.published : null;

function toEnded(entry: StreamEntry, decided: readonly Decided[], atMs: number): EndedEntry {
  const published = decided.flatMap((letter) => publishedOf(letter) ?? []);
  const isLeft = ({ from, outcome }: Decided) =>
    outcome.kind === 'acknowledge' && outcome.published === null && from !== null;
  return {
    entryId: entry.id,
    transactions: entry.transactions,
    scoredAtMs: published.reduce((latest, letter) => Math.max(latest, letter.scoredAtMs), 0),
    scores: published.filter(({ count }) => count > 0),
    needsOwner: published.some(({ isPartly }) => isPartly) || decided.some(isLeft),
    retries: decided.flatMap(toRetry),
    deadLetters: decided.flatMap((letter) => toCopy(letter, atMs)),
  };
}

function toRetry({ from, outcome }: Decided): EndedEntry['retries'] {
  if (outcome.kind !== 'retry') return [];
  if (from === null) throw new Error('an entry that cannot be read has no second attempt');
  const attempt = from.head.attempt + 1;
  const next = packAgain([{ ...payloadOf(from), attempt, origin: 'retry' }]);
  return [{ waitMs: outcome.afterMs, next }];
}

function toCopy({ from, outcome }: Decided, atMs: number): EndedEntry['deadLetters'] {
  if (outcome.kind !== 'dead-letter') return [];
  return [
    {
      transactionId: from?.transaction.transactionId ?? outcome.transactionId ?? null,
      accountId: from?.transaction.accountId ?? null,
      attempts: from?.head.attempt ?? 1,
      error: `${outcome.failure.code}: ${outcome.failure.message}`.slice(0, 1024),
      failedAt: new Date(atMs).toISOString(),
    },
  ];
}

type ReplaceEntry = (
  transactions: readonly EntryTransaction[],
  entry: StreamEntry,
) => PackedEntry[];

/** Nothing is published. */
function toReplacements(
  transactions: readonly EntryTransaction[],
  replace: ReplaceEntry,
): Settlement[] {
  const entries = [...Map.groupBy(transactions, (letter) => letter.entry)];
  return byStream(entries, ([entry]) => entry).map(({ head, all }) => ({
    ...head,
    ended: [],
    replies: [],
    replaced: all.map(([entry, group]) => ({
      entryId: entry.id,
      transactions: entry.transactions,
      by: replace(group, entry),
    })),
  }));
}

/** The same entry once more, behind the others. */
const releaseEntry: ReplaceEntry = (transactions, { carried }) => {
  const payloads = transactions.map((transaction) => ({
    ...payloadOf(transaction),
    origin: 'released' as const,
  }));
  return [packAgain(payloads, carried)];
};

/** Entries of one, which go on counting deliveries. */
const divideEntry: ReplaceEntry = (transactions, { deliveries }) =>
  transactions.map((transaction) => packAgain([payloadOf(transaction)], deliveries));

/** Counts of a batch whose scores are stored: metrics, and the times of corridors with rollouts. */
type Counting = Pick<WorkerOptions, 'metrics' | 'rolloutCounts' | 'nowMs'>;

type Stored = {
  /** When the profiles were read. */
  readonly foldedAtMs: number;
  readonly scoredAtMs: number;
  readonly scored: readonly EntryTransaction[];
  /** A verdict each. */
  readonly verdicts: readonly Verdict[];
};

/** Scores stored for the first time by this batch, and how long they took from acceptance. */
export function countScored(
  worker: Counting,
  { scored, verdicts: given, foldedAtMs, scoredAtMs }: Stored,
  isNew: (transaction: EntryTransaction) => boolean,
): void {
  const { metrics } = worker;
  const corridors = new Map<string, ReturnType<typeof countersOf>>();
  let fresh = 0;
  for (const [index, score] of scored.entries()) {
    if (!isNew(score)) continue;
    fresh += 1;
    const { corridor, receivedAtMs } = score.transaction;
    const counters = corridors.get(corridor) ?? countersOf(worker, corridor);
    corridors.set(corridor, counters);
    counters.verdicts[given[index] as Verdict] += 1;
    const tookMs = Math.max(0, scoredAtMs - receivedAtMs);
    counters.latency.observe(tookMs / 1000);
    counters.observe?.(tookMs);
  }
  const ageSeconds = Math.max(0, worker.nowMs() - foldedAtMs) / 1000;
  for (const [corridor, { verdicts }] of corridors) {
    metrics.profileAge.observe({ corridor }, ageSeconds);
    for (const verdict of VERDICTS) {
      if (verdicts[verdict] > 0) metrics.scored.inc({ corridor, verdict }, verdicts[verdict]);
    }
  }
  metrics.redelivered.inc(scored.length - fresh);
}

function countersOf({ metrics, rolloutCounts }: Counting, corridor: string) {
  const verdicts = { approve: 0, review: 0, decline: 0 };
  const observe = rolloutCounts.ofCorridor(corridor);
  return { latency: metrics.scoreLatency.labels(corridor), observe, verdicts };
}
