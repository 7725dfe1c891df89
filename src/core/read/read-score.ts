/**
 * `GET /v1/scores/{id}`: one score, or why there is none. A stored score never changes, so it is kept in memory
 * once read; a pending one is read again each time. For a client that may see only its own scores, another's is
 * unknown: each statement names the client, and so does the key of the score in memory.
 */
import type { AnswerCache, MadeAnswer, ServedAnswer } from '../../kit/caches/answer-cache.ts';
import {
  type Databases,
  isFound,
  readFrom,
  withLag,
} from '../../kit/database/replica/choose-database.ts';
import { type ScoreJson, toScoreJson } from '../domain/score-record.ts';
import { createdAtMsOf } from '../domain/transaction-id.ts';
import { refuseDetached } from '../store/partitions/partitions.ts';
import { readStoredScore } from '../store/scores/read-scores.ts';
import { readStoredTransaction } from '../store/transactions/read-transactions.ts';

/** @param client finds only this client's scores, as if no others existed; null finds all */
export type ScoreQuestion = { readonly transactionId: string; readonly client: string | null };

export const scoreKeyOf = ({ transactionId, client }: ScoreQuestion): string =>
  client === null ? transactionId : `${transactionId} ${client}`;

export type ScoreLookup =
  | { readonly kind: 'scored'; readonly served: ServedAnswer }
  | { readonly kind: 'pending' }
  | { readonly kind: 'dead-letter' }
  | { readonly kind: 'unknown' };

export async function readScore(
  { primary }: Pick<Databases, 'primary'>,
  cache: Pick<AnswerCache<ScoreQuestion>, 'read'>,
  question: ScoreQuestion,
): Promise<ScoreLookup> {
  const { transactionId, client } = question;
  const served = await cache.read(question);
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
      const now = await cache.read(question);
      return now === undefined ? { kind: 'pending' } : { kind: 'scored', served: now };
    }
  }
}

/** The score if it is stored. */
export async function makeScore(
  databases: Databases,
  { transactionId, client }: ScoreQuestion,
): Promise<MadeAnswer | undefined> {
  const createdAtMs = createdAtMsOf(transactionId);
  if (createdAtMs === undefined) return undefined;
  const { answer, lagMs } = await withLag(databases, (databases) =>
    readFrom(
      databases,
      createdAtMs,
      (database) => readStoredScore(database, transactionId, createdAtMs, client),
      isFound,
    ),
  );
  return answer && { text: JSON.stringify(toScoreJson(answer)), version: undefined, lagMs };
}

/** The score of a transaction of any client, if it is stored. */
export async function findScore(
  databases: Databases,
  transactionId: string,
): Promise<ScoreJson | undefined> {
  const made = await makeScore(databases, { transactionId, client: null });
  return made && (JSON.parse(made.text) as ScoreJson);
}
