/**
 * Reads stored scores, evenly spread over all partitions, with everything needed to recompute them. The same scores and sample
 * size give the same rows, in one snapshot and constant memory: ids come from a cursor over the primary keys, rows a page at a time.
 */
import type { ScoreRecord } from '../../../core/domain/score-record.ts';
import {
  isoTime,
  listMonths,
  type MonthRange,
} from '../../../core/store/partitions/month-slice.ts';
import { isIntact, toVector } from '../../../core/store/scores/score-values.ts';
import { shareOut } from '../../../core/store/scores/score-window.ts';
import { timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { inSnapshot, readPages } from '../../../kit/database/snapshot.ts';

const PAGE_ROWS = 1000;

type SampleOptions = {
  /** Rows requested; fewer are returned only where fewer exist. */
  readonly sample: number;
  readonly signal: AbortSignal;
  readonly onPage: (scores: readonly SampledScore[]) => Promise<void>;
};

export type SampledScore = Omit<
  ScoreRecord,
  'accountId' | 'scoredAtMs' | 'attempts' | 'degradation'
> & {
  /** False where the vector does not match the checksum stored with it. */
  readonly isVectorIntact: boolean;
};

type Key = { readonly id: string; readonly createdAt: Date };
type Row = Omit<SampledScore, 'createdAtMs' | 'features' | 'isVectorIntact'> & {
  readonly createdAt: Date;
  readonly bytes: Buffer;
  readonly crc32: number;
};

const countMonth: Statement = {
  text: 'select count(*)::int as count from market.scores where created_at >= $1 and created_at < $2',
};

/** Exactly `quota` of `count` rows in id order, evenly spaced. */
const selectKeys = (from: string, to: string, quota: number, count: number) => `
  select transaction_id as id, created_at as "createdAt"
    from (select transaction_id, created_at,
                 row_number() over (order by transaction_id, created_at) as place
            from market.scores where created_at >= '${from}' and created_at < '${to}') keys
   where place * ${quota} / ${count} > (place - 1) * ${quota} / ${count}`;

const readScores: Statement = {
  text: `
  select s.transaction_id as "transactionId", s.created_at as "createdAt", s.corridor, s.score, s.risk, s.probability, s.verdict,
         s.reasons, s.features as bytes, s.rule_inputs as "ruleInputs", s.feature_schema as "featureSchema", s.rule_set as "ruleSet", s.model,
         s.features_crc32 as crc32, s.margin, s.scorecard, s.by_rules as "byRules"
    from unnest($1::uuid[], $2::timestamptz[]) as k (transaction_id, created_at)
    join market.scores s using (transaction_id, created_at)
   where s.created_at >= $3 and s.created_at < $4`,
};

/** Resolves to the number of scores. */
export async function sampleScores(
  database: Pick<Database, 'query' | 'session'>,
  options: SampleOptions,
): Promise<{ available: number }> {
  const months = await listMonths(database, 'scores');
  return await inSnapshot(database, async (query) => {
    const counts: number[] = [];
    for (const month of months) {
      const [row] = await query<{ count: number }>(countMonth, range(month));
      counts.push(row?.count ?? 0);
    }
    const available = counts.reduce((sum, value) => sum + value, 0);
    const quotas = shareOut(Math.min(options.sample, available), counts);
    for (const [index, month] of months.entries()) {
      const [quota = 0, count = 0] = [quotas[index], counts[index]];
      if (quota > 0) await readMonth(query, month, quota, count, options);
    }
    return { available };
  });
}

async function readMonth(
  query: Query,
  month: MonthRange,
  quota: number,
  count: number,
  { signal, onPage }: SampleOptions,
): Promise<void> {
  const [from, to] = range(month);
  const select = selectKeys(from, to, quota, count);
  for await (const keys of readPages<Key>(query, select, PAGE_ROWS, signal)) {
    const ids = uuidArray(keys.map(({ id }) => id));
    const times = timestampArray(keys.map(({ createdAt }) => createdAt.getTime()));
    const rows = await query<Row>(readScores, [ids, times, from, to]);
    await onPage(rows.map(toScore));
  }
}

function range({ fromMs, toMs }: MonthRange): [string, string] {
  return [isoTime(fromMs), isoTime(toMs)];
}

function toScore({ createdAt, bytes, crc32, ...row }: Row): SampledScore {
  const isVectorIntact = isIntact(bytes, row.ruleInputs, crc32);
  return { ...row, createdAtMs: createdAt.getTime(), features: toVector(bytes), isVectorIntact };
}
