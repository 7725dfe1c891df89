/**
 * `GET /v1/scores/{id}`: one score, or why there is none. A stored score never changes, so it is kept in memory
 * once read; a pending one is read again each time. For a client that may see only its own scores, another's is
 * unknown: each statement names the client, and so does the key of the score in memory.
 */
import { type ScoreJson, toScoreJson } from '../domain/score-record.ts';
import { createdAtMsOf } from '../domain/transaction-id.ts';
import { refuseDetached } from '../store/partitions/partitions.ts';
import { readStoredScore } from '../store/scores/score-search.ts';
import { readStoredTransaction } from '../store/transactions/transaction-search.ts';
import { type Databases, isFound, readFrom } from './choose-database.ts';

export type ScoreCache = {
  get(key: string): ScoreJson | undefined;
  set(key: string, score: ScoreJson): unknown;
};

type ScoreReads = {
  readonly databases: Databases;
  readonly cache: ScoreCache;
  readonly countCache: (cache: 'scores', hit: boolean) => void;
};

export type ScoreLookup =
  | { readonly kind: 'scored'; readonly score: ScoreJson }
  | { readonly kind: 'pending' }
  | { readonly kind: 'dead-letter' }
  | { readonly kind: 'unknown' };

export async function readScore(
  reads: ScoreReads,
  transactionId: string,
  client: string | null,
): Promise<ScoreLookup> {
  const { primary } = reads.databases;
  const score = await findScore(reads, transactionId, client);
  if (score !== undefined) return { kind: 'scored', score };
  const createdAtMs = createdAtMsOf(transactionId);
  if (createdAtMs === undefined) return { kind: 'unknown' };
  const transaction = await readStoredTransaction(primary, transactionId, createdAtMs, client);
  switch (transaction?.status) {
    case undefined:
      await refuseDetached(primary, createdAtMs);
      return { kind: 'unknown' };
    case 'dead_lettered':
      return { kind: 'dead-letter' };
    case 'accepted':
      return { kind: 'pending' };
    case 'scored': {
      // The score was stored between the two reads.
      const now = await findScore(reads, transactionId, client);
      return now === undefined ? { kind: 'pending' } : { kind: 'scored', score: now };
    }
  }
}

/** The score if it is stored, from memory or Postgres. */
export async function findScore(
  { databases, cache, countCache }: ScoreReads,
  transactionId: string,
  client: string | null,
): Promise<ScoreJson | undefined> {
  const createdAtMs = createdAtMsOf(transactionId);
  if (createdAtMs === undefined) return undefined;
  const key = client === null ? transactionId : `${transactionId} ${client}`;
  const kept = cache.get(key);
  countCache('scores', kept !== undefined);
  if (kept !== undefined) return kept;
  const stored = await readFrom(
    databases,
    createdAtMs,
    (database) => readStoredScore(database, transactionId, createdAtMs, client),
    isFound,
  );
  if (stored === undefined) return undefined;
  const score = toScoreJson(stored);
  cache.set(key, score);
  return score;
}
