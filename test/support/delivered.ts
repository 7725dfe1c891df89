/** Delivered transactions, and their scores, made from plain objects. */
import type { Decision, Verdict } from '../../src/core/domain/score-record.ts';
import {
  createdAtMsOf,
  type DeliveredTransaction,
  type Transaction,
} from '../../src/core/domain/transaction.ts';
import { marginBy } from '../../src/core/score/scorecard/judge-by-table.ts';
import type { NewScore, ScoredStatement } from '../../src/core/store/scores/score-values.ts';
import type { Inserted } from '../../src/core/store/scores/scores.ts';
import {
  decodeEntry,
  ENTRY_VERSION,
  type EntryFields,
  type EntryPayload,
  packEntries,
} from '../../src/core/stream/entries/entry.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { insertScores } from './insert-scores.ts';

const ANY: Transaction = {
  ...{ transactionId: '', createdAtMs: 0, receivedAtMs: Date.UTC(2026, 10) },
  ...{ accountId: 'acc_1', merchantId: 'm_1', amount: '10.00', currency: 'USD', corridor: 'US-EG' },
  ...{ type: null, ip: null, deviceId: null, country: null, channel: null, declared: null },
};

/** @param transactions each needs an id, and a time from 2000 on */
export function deliver(transactions: readonly Partial<Transaction>[]): DeliveredTransaction[] {
  const head = { attempt: 1, origin: 'ingest', replyTo: null, rowId: null } as const;
  const payloads = transactions.map((one) => ({ ...head, transaction: { ...ANY, ...one } }));
  return packEntries(payloads).flatMap(
    (entry) => decodeEntry({ ...entry, version: ENTRY_VERSION }).transactions,
  );
}

/** A delivered entry before it was packed. */
export function payloadsOf(fields: EntryFields): EntryPayload[] {
  const { head, transactions } = decodeEntry(fields);
  return transactions.map(({ sender, ...transaction }) => ({
    ...head,
    transaction,
    sender,
  }));
}

type Unsaid = 'ruleInputs' | 'margin' | 'scorecard';
export type PlainScore = Omit<NewScore, 'transaction' | 'decision' | Unsaid> &
  Partial<Pick<NewScore, Unsaid>> & {
    readonly decision: Omit<Decision, 'byRules'> & Partial<Decision>;
  } & Pick<Transaction, 'transactionId' | 'createdAtMs' | 'accountId' | 'corridor'>;

export function toNewScores(scores: readonly PlainScore[]): NewScore[] {
  const transactions = deliver(
    scores.map(({ transactionId, createdAtMs, accountId, corridor }) => ({
      ...{ transactionId, createdAtMs, accountId, corridor },
    })),
  );
  return scores.map((score, index) => ({
    ruleInputs: null,
    margin: marginBy(null, score.features),
    scorecard: null,
    ...score,
    decision: { byRules: null, ...score.decision },
    transaction: transactions[index] as DeliveredTransaction,
  }));
}

export async function insertPlainScores(
  database: Pick<Database, 'query' | 'transaction'>,
  scores: readonly PlainScore[],
  scoredAtMs: number,
): Promise<Inserted> {
  return await insertScores(database, toNewScores(scores), scoredAtMs);
}

/** Stores scores of stored transactions as a worker does, with what rooms add. */
export async function insertVerdicts(
  database: Pick<Database, 'query' | 'transaction'>,
  ids: readonly string[],
  verdict: Verdict,
  scoredAtMs: number,
  added: readonly ScoredStatement[],
  corridor = 'US-EG',
): Promise<Inserted> {
  const decision = { score: 600, risk: 0.6, probability: null, verdict, reasons: [] };
  const scores = ids.map((transactionId) => ({
    ...{ transactionId, accountId: 'acc_1', corridor, decision, features: Float64Array.of(1) },
    createdAtMs: createdAtMsOf(transactionId) ?? 0,
    ...{ model: null, attempts: 1, degradation: 0, ruleSet: 'default@3' },
  }));
  return await insertScores(database, toNewScores(scores), scoredAtMs, added);
}
