/**
 * `GET /v1/scores/{id}`: one score, from memory once read, or why there is none. A client that may see only its own scores is
 * named in each statement and in the key in memory, so that another client's score is unknown.
 */
import { createdAtMsOf } from '../../../core/domain/transaction-id.ts';
import { refuseDetached } from '../../../core/store/partitions/partitions.ts';
import { findScore } from '../../../core/store/scores/read-scores.ts';
import { readStoredTransaction } from '../../../core/store/transactions/read-transactions.ts';
import {
  type AnswerCache,
  type CacheMetrics,
  createAnswerCache,
  type MadeAnswer,
  type ServedAnswer,
} from '../../../kit/caches/answer-cache.ts';
import { type Databases, withLag } from '../../../kit/database/replica/choose-database.ts';

/** 15,000 scores: with fewer more reads go to Postgres, and the API has 256 MiB. */
const BYTES_MAX = 24 * 1024 * 1024;
const AGE_MS_MAX = 24 * 3_600_000;

/** @param client finds only this client's scores, as if no others existed; null finds all */
export type ScoreQuestion = { readonly transactionId: string; readonly client: string | null };
export type ScoreCache = AnswerCache<ScoreQuestion>;

export function createScoreCache(
  databases: Databases,
  metrics: CacheMetrics,
  nowMs?: () => number,
): ScoreCache {
  return createAnswerCache<ScoreQuestion>({
    name: () => 'scores',
    metrics,
    bytesMax: BYTES_MAX,
    keyOf: ({ transactionId, client }) =>
      client === null ? transactionId : `${transactionId} ${client}`,
    ageMsMax: () => AGE_MS_MAX,
    make: (question) => makeScore(databases, question),
    readVersion: null,
    ...(nowMs && { nowMs }),
  });
}

async function makeScore(
  databases: Databases,
  { transactionId, client }: ScoreQuestion,
): Promise<MadeAnswer | undefined> {
  const { answer, lagMs } = await withLag(databases, (databases) =>
    findScore(databases, transactionId, client),
  );
  return answer && { text: JSON.stringify(answer), version: undefined, lagMs };
}

/** Undefined where no score is stored. */
export async function serveScore(
  databases: Databases,
  cache: Pick<ScoreCache, 'read'>,
  question: ScoreQuestion,
): Promise<ServedAnswer | undefined> {
  if (!databases.isPrimaryAlone) return await cache.read(question);
  const made = await makeScore(databases, question);
  return made && { answer: made, ageMs: made.lagMs };
}

export type ScoreLookup =
  | { readonly kind: 'scored'; readonly served: ServedAnswer }
  | { readonly kind: 'pending' }
  | { readonly kind: 'dead-letter' }
  | { readonly kind: 'unknown' };

export async function readScore(
  databases: Databases,
  cache: Pick<ScoreCache, 'read'>,
  question: ScoreQuestion,
): Promise<ScoreLookup> {
  const { transactionId, client } = question;
  const { primary } = databases;
  const served = await serveScore(databases, cache, question);
  if (served !== undefined) return { kind: 'scored', served };
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
      const now = await serveScore(databases, cache, question);
      return now === undefined ? { kind: 'pending' } : { kind: 'scored', served: now };
    }
  }
}
