/**
 * Reads stored scores, evenly spread over all partitions, with everything needed to recompute them.
 * The same scores and sample size give the same rows. One snapshot, constant memory: ids come from a
 * cursor over the primary keys, rows a page at a time.
 */
import type { ScoreRecord } from '../../../core/domain/score-record.ts';
import { listMonths, type MonthRange } from '../../../core/store/partitions/month-slice.ts';
import { shareOut } from '../../../core/store/scores/share-out.ts';
import { toVector } from '../../../core/store/scores/vector-bytes.ts';
import { vectorChecksum } from '../../../core/store/scores/vector-checksum.ts';
import { timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { inSnapshot } from '../../../kit/database/snapshot.ts';

const PAGE_ROWS = 1000;

type SampleOptions = {
  /** Rows requested; fewer are returned only where fewer exist. */
  readonly sample: number;
  readonly signal: AbortSignal;
  readonly onPage: (scores: readonly SampledScore[]) => Promise<void>;
};

export type SampledScore = Omit<
  ScoreRecord,
  'accountId' | 'corridor' | 'scoredAtMs' | 'attempts' | 'degradation'
> & {
  /** False where the vector does not match the checksum stored with it. */
  readonly isVectorIntact: boolean;
};

type Key = { transaction_id: string; created_at: Date };
type Row = {
  transaction_id: string;
  created_at: Date;
  score: number;
  risk: number;
  probability: number | null;
  verdict: ScoreRecord['verdict'];
  reasons: ScoreRecord['reasons'];
  features: Buffer;
  feature_schema: number;
  rule_set: string;
  model: string | null;
  features_crc32: number | null;
};

const countMonth: Statement = {
  name: '',
  text: 'select count(*)::int as count from market.scores where created_at >= $1 and created_at < $2',
};

/** Exactly `quota` of `count` rows in id order, evenly spaced. */
const declareKeys = (from: string, to: string, quota: number, count: number) => `
  declare sampled_scores no scroll cursor for
  select transaction_id, created_at
    from (select transaction_id, created_at,
                 row_number() over (order by transaction_id, created_at) as place
            from market.scores where created_at >= '${from}' and created_at < '${to}') keys
   where place * ${quota} / ${count} > (place - 1) * ${quota} / ${count}`;

const readScores: Statement = {
  name: '',
  text: `
  select s.transaction_id, s.created_at, s.score, s.risk, s.probability, s.verdict, s.reasons, s.features,
         s.feature_schema, s.rule_set, s.model, s.features_crc32
    from unnest($1::uuid[], $2::timestamptz[]) as k (transaction_id, created_at)
    join market.scores s using (transaction_id, created_at)
   where s.created_at >= $3 and s.created_at < $4`,
};
const fetchKeys: Statement = { name: '', text: `fetch ${PAGE_ROWS} from sampled_scores` };

/** Resolves to the number of scores. */
export async function sampleScores(
  database: Pick<Database, 'query' | 'session'>,
  { sample, signal, onPage }: SampleOptions,
): Promise<{ available: number }> {
  const months = await listMonths(database, 'scores');
  return await inSnapshot(database, async (query) => {
    const counts: number[] = [];
    for (const month of months) counts.push(await count(query, month));
    const available = counts.reduce((sum, value) => sum + value, 0);
    const quotas = shareOut(Math.min(sample, available), counts);
    for (const [index, month] of months.entries()) {
      const quota = quotas[index] ?? 0;
      if (quota > 0) await readMonth(query, month, quota, counts[index] ?? 0, signal, onPage);
    }
    return { available };
  });
}

async function count(query: Query, month: MonthRange): Promise<number> {
  const [row] = await query<{ count: number }>(countMonth, range(month));
  return row?.count ?? 0;
}

async function readMonth(
  query: Query,
  month: MonthRange,
  quota: number,
  count: number,
  signal: AbortSignal,
  onPage: SampleOptions['onPage'],
): Promise<void> {
  const [from, to] = range(month);
  await query({ name: '', text: declareKeys(from, to, quota, count) });
  for (;;) {
    signal.throwIfAborted();
    const keys = await query<Key>(fetchKeys);
    if (keys.length === 0) break;
    const rows = await query<Row>(readScores, [
      uuidArray(keys.map((key) => key.transaction_id)),
      timestampArray(keys.map((key) => key.created_at.getTime())),
      from,
      to,
    ]);
    await onPage(rows.map(toScore));
  }
  await query({ name: '', text: 'close sampled_scores' });
}

/** Bounds of a month as ISO 8601: built from numbers alone, hence safe in a cursor's text. */
function range({ fromMs, toMs }: MonthRange): [string, string] {
  return [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
}

function toScore(row: Row): SampledScore {
  const features = toVector(row.features);
  return {
    transactionId: row.transaction_id,
    createdAtMs: row.created_at.getTime(),
    score: row.score,
    risk: row.risk,
    probability: row.probability,
    verdict: row.verdict,
    reasons: row.reasons,
    features,
    isVectorIntact: row.features_crc32 === null || row.features_crc32 === vectorChecksum(features),
    featureSchema: row.feature_schema,
    ruleSet: row.rule_set,
    model: row.model,
  };
}
