/**
 * The end of a batch: dead letters are committed, then its entries are settled in Redis, or put back into the
 * streams. It may run again for the same transactions.
 */
import { DEAD_LETTER_ENTRY_CHARS_MAX, type DeadLetter } from '../domain/dead-letter.ts';
import { createdAtMsOf } from '../domain/transaction-id.ts';
import { rowIdOf } from '../stream/entries/entry-head.ts';
import { acknowledgeStored } from './acknowledge.ts';
import type { BatchDependencies } from './batch-dependencies.ts';
import {
  type Left,
  NOTHING_LEFT,
  type ReplaceEntry,
  toReplacements,
  toSettlements,
} from './build-settlements.ts';
import { countOutcomes } from './count-batch.ts';
import type { Decided, Item } from './item.ts';

/** Commits the dead letters, then settles everything. */
export async function conclude(
  dependencies: BatchDependencies,
  decided: readonly Decided[],
): Promise<Left> {
  if (decided.length === 0) return NOTHING_LEFT;
  const { settle, metrics, nowMs } = dependencies;
  const atMs = nowMs();
  const final = await commitDeadLetters(dependencies, decided, atMs);
  const endSettle = metrics.batchDuration.startTimer({ stage: 'settle' });
  const settlements = toSettlements(final, atMs);
  const settled = await settle(settlements);
  endSettle();
  const failed = settlements.filter((_, index) => settled[index] !== null);
  const left = new Set(failed.map(({ stream }) => stream.transactions));
  const ended =
    left.size === 0 ? final : final.filter(({ held }) => !left.has(held.stream.transactions));
  countOutcomes(metrics, ended);
  return left;
}

/** Puts other entries of the same transactions in the place of these, which stay pending where that fails. */
export async function replace(
  { settle }: BatchDependencies,
  items: readonly Item[],
  make: ReplaceEntry,
): Promise<void> {
  if (items.length > 0) await settle(toReplacements(items, make));
}

/** A dead letter whose transaction turns out to have a score is acknowledged in its place. */
async function commitDeadLetters(
  { store, failpoint }: BatchDependencies,
  decided: readonly Decided[],
  atMs: number,
): Promise<readonly Decided[]> {
  const dead = decided.filter(({ outcome }) => outcome.kind === 'dead-letter');
  if (dead.length === 0) return decided;
  const inserted = await store.insertDeadLetters(toDeadLetters(dead, atMs));
  failpoint('worker-after-dead-letters');
  const refused = dead.flatMap((one) => (inserted.has(nameOf(one)) ? [] : (one.item ?? [])));
  const scored = await store.readStoredScores(refused.map(({ transaction }) => transaction));
  const known = refused.flatMap((item) => {
    const decision = scored.get(item.transaction.transactionId);
    return decision === undefined ? [] : { item, decision };
  });
  const ended = new Set<Item | null>(known.map(({ item }) => item));
  return [...decided.filter(({ item }) => !ended.has(item)), ...acknowledgeStored(known)];
}

/** The key of a dead letter: an entry may hold several. */
function nameOf({ held, item }: Decided): string {
  return item?.transaction.transactionId ?? held.entry.id;
}

function toDeadLetters(dead: readonly Decided[], atMs: number): DeadLetter[] {
  // An unreadable entry may have a dead letter for each of 128 transactions: the first one holds its bytes.
  const shown = new Set<string>();
  return dead.map((one) => {
    const { stream, entry } = one.held;
    const name = `${stream.transactions} ${entry.id}`;
    const packed = shown.has(name) ? '' : (entry.packed?.toString('base64') ?? '');
    if (one.item === null) shown.add(name);
    return toDeadLetter(one, packed, atMs);
  });
}

function toDeadLetter({ held, item, outcome }: Decided, packed: string, atMs: number): DeadLetter {
  if (outcome.kind !== 'dead-letter') throw new Error(`${outcome.kind} is no dead letter`);
  const { stream, entry } = held;
  const transaction = item?.transaction;
  const transactionId = transaction?.transactionId ?? outcome.transactionId ?? null;
  return {
    transactionId,
    createdAtMs: transaction?.createdAtMs ?? createdAtMsOf(transactionId ?? '') ?? null,
    accountId: transaction?.accountId ?? null,
    corridor: stream.corridor,
    stream: stream.transactions,
    entryId: entry.id,
    rowId: item?.head.rowId ?? rowIdOf(entry.head),
    attempts: item?.head.attempt ?? 1,
    errorCode: outcome.failure.code,
    error: outcome.failure.message,
    entry: (transaction === undefined ? packed : JSON.stringify(transaction)).slice(
      0,
      DEAD_LETTER_ENTRY_CHARS_MAX,
    ),
    failedAtMs: atMs,
  };
}
