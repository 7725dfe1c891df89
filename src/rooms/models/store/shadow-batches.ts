/** Opinions of shadow models on a batch: one row a model, so that a shadow costs a transaction 24 bytes. */
import { float8Array, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database } from '../../../kit/database/pool.ts';

/** One model's opinions on a batch. */
export type ShadowBatch = {
  readonly modelId: string;
  readonly transactionIds: readonly string[];
  readonly probabilities: readonly number[];
};

const insertStatement = {
  name: 'insert-shadow-batch',
  text: `insert into market.shadow_batches (model_id, scored_at, transaction_ids, probabilities)
         values ($1, to_timestamp($2::float8 / 1000), $3::uuid[], $4::float8[])`,
};

export async function insertShadowBatch(
  database: Pick<Database, 'query'>,
  { modelId, transactionIds, probabilities }: ShadowBatch,
  scoredAtMs: number,
): Promise<void> {
  await database.query(insertStatement, [
    ...[modelId, scoredAtMs, uuidArray(transactionIds), float8Array(probabilities)],
  ]);
}
