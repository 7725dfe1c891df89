/** Stores scores as a worker does, a store for each call. */
import type { NewScore, ScoredStatement } from '../../src/core/store/scores/score-values.ts';
import { type Inserted, openScoreStore, storeScores } from '../../src/core/store/scores/scores.ts';
import type { Database } from '../../src/kit/database/pool.ts';

export async function insertScores(
  database: Pick<Database, 'query' | 'transaction'>,
  scores: readonly NewScore[],
  scoredAtMs: number,
  added: readonly ScoredStatement[] = [],
  judgedBy: readonly string[] = [],
): Promise<Inserted> {
  return await storeScores(openScoreStore(database, added), scores, scoredAtMs, [], judgedBy);
}
