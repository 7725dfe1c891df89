/** Scores with vectors, and labels, as workers and the API would have stored them. */
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { packVectors } from '../../src/core/store/scores/score-values.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { idAt } from './stored-rows.ts';

export type ScoreSeed = {
  readonly createdAtMs: number;
  readonly model?: string;
  readonly probability?: number;
  readonly risk?: number;
  readonly verdict?: 'approve' | 'review' | 'decline';
  /** By a table of the day; absent: none judged. */
  readonly margin?: number;
  /** NaN is missing. */
  readonly features: readonly number[];
};

/** A vector as it is stored, in hexadecimal digits. */
export const hexOf = (features: readonly number[]) =>
  packVectors([Float64Array.from(features)])
    .map((bytes) => Buffer.from(bytes).toString('hex'))
    .join('');

/** Returns the ids in order. */
export async function storeScores(
  database: Database,
  seeds: readonly ScoreSeed[],
): Promise<string[]> {
  await ensurePartitions(database, new Set(seeds.map((seed) => monthOf(seed.createdAtMs))));
  const rows = seeds.map((seed) => ({
    transaction_id: idAt(seed.createdAtMs),
    created_at: new Date(seed.createdAtMs).toISOString(),
    risk: seed.risk ?? seed.probability ?? 0,
    probability: seed.probability ?? null,
    verdict: seed.verdict ?? 'approve',
    model: seed.model ?? null,
    margin: seed.margin ?? null,
    scorecard: seed.margin === undefined ? null : 1,
    features: hexOf(seed.features),
  }));
  await database.query(insertScores, [JSON.stringify(rows)]);
  return rows.map((row) => row.transaction_id);
}

const insertScores = {
  name: 'test-insert-scored-rows',
  text: `insert into market.scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk,
           probability, verdict, reasons, features, feature_schema, rule_set, model, attempts, degradation, margin, scorecard)
         select 0, transaction_id, created_at, created_at, 'acc_1', 'US-EG', 0, risk, probability, verdict, '[]',
                decode(features, 'hex'), 3, 'default@3', model, 1, 0, margin, scorecard
           from json_to_recordset($1) as r(transaction_id uuid, created_at timestamptz, risk float8,
             probability float8, verdict text, model text, features text, margin float8, scorecard int2)`,
};

export type LabelSeed = {
  readonly id: string;
  readonly createdAtMs: number;
  readonly label: 'fraud' | 'legitimate';
  readonly labelledAtMs: number;
};

export async function storeLabels(database: Database, seeds: readonly LabelSeed[]): Promise<void> {
  const rows = seeds.map((seed) => ({
    transaction_id: seed.id,
    created_at: new Date(seed.createdAtMs).toISOString(),
    label: seed.label,
    labelled_at: new Date(seed.labelledAtMs).toISOString(),
  }));
  await database.query(insertLabels, [JSON.stringify(rows)]);
}

const insertLabels = {
  name: 'test-insert-labels',
  text: `insert into market.labels (client, transaction_id, created_at, labelled_at, label, source, received_at, batch_id,
           account_id, merchant_id)
         select 'default', transaction_id, created_at, labelled_at, label, 'bank', labelled_at, gen_random_uuid(),
                'acc_1', 'm_1'
           from json_to_recordset($1) as r(transaction_id uuid, created_at timestamptz, label text,
             labelled_at timestamptz)`,
};
