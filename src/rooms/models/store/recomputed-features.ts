/** Vectors recomputed under a newer feature schema: they are apart from the scores, which stay unchanged. */
import { createdAtMsOf } from '../../../core/domain/transaction-id.ts';
import { packVectors } from '../../../core/store/scores/vector-bytes.ts';
import { byteaArray, timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database, Statement } from '../../../kit/database/pool.ts';
import { lowestIdAt } from '../../../kit/words/cursor.ts';

type OutdatedScores = {
  readonly fromMs: number;
  readonly toMs: number;
  /** Only scores whose vector is of an older schema. */
  readonly featureSchema: number;
  /** The last id of the page before; null for the first page. */
  readonly after: string | null;
  readonly limit: number;
};

const listStatement: Statement = {
  name: 'list-outdated-scores',
  text: `select transaction_id as id from market.scores
          where created_at >= $1 and created_at < $2 and transaction_id > $3 and feature_schema < $4
          order by transaction_id limit $5`,
};

/** Ids in their order, which is that of created_at. */
export async function listOutdatedScores(
  database: Pick<Database, 'query'>,
  { fromMs, toMs, featureSchema, after, limit }: OutdatedScores,
): Promise<string[]> {
  const rows = await database.query<{ id: string }>(listStatement, [
    ...[new Date(fromMs), new Date(toMs), after ?? lowestIdAt(fromMs), featureSchema, limit],
  ]);
  return rows.map(({ id }) => id);
}

const storeStatement: Statement = {
  name: 'store-recomputed-features',
  text: `insert into market.recomputed_features (transaction_id, created_at, feature_schema, features, recomputed_at)
         select unnest($1::uuid[]), unnest($2::timestamptz[]), $3::smallint, unnest($4::bytea[]), $5
         on conflict (transaction_id, feature_schema)
         do update set features = excluded.features, recomputed_at = excluded.recomputed_at`,
};

/** Replaces what an earlier computation stored. */
export async function storeRecomputedFeatures(
  database: Pick<Database, 'query'>,
  ids: readonly string[],
  vectors: readonly Float64Array[],
  featureSchema: number,
): Promise<void> {
  await database.query(storeStatement, [
    uuidArray(ids),
    timestampArray(ids.map((id) => createdAtMsOf(id) ?? 0)),
    featureSchema,
    byteaArray(packVectors(vectors)),
    new Date(),
  ]);
}
