/** Opinions of shadow models: a row a batch and model, so that a shadow costs a transaction 24 bytes. */
import { createdAtMsOf } from '../../../core/domain/transaction.ts';
import type { ShadowBatch } from '../../../core/score/judge.ts';
import { labelInForce } from '../../../core/store/label-in-force.ts';
import { cutWindow, type ScoreWindow } from '../../../core/store/scores/score-window.ts';
import { timeValues } from '../../../core/store/within-months.ts';
import { float8Array, timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';

const insertStatement: Statement = {
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
    modelId,
    scoredAtMs,
    uuidArray(transactionIds),
    float8Array(probabilities),
  ]);
}

const SLICES = 120;
/** Opinions that are compared. */
export const COMPARED_MAX = 6000;

const opinionsStatement: Statement = {
  name: 'sample-shadow-opinions',
  // A batch has an opinion at least, so that as many batches as opinions are enough.
  text: `select u.ordinal::int4 as slice, o.transaction_id as "transactionId", o.probability
           from unnest($2::timestamptz[], $3::timestamptz[]) with ordinality as u(from_at, to_at, ordinal)
          cross join lateral (
            select s.transaction_id, s.probability
              from (select transaction_ids, probabilities from market.shadow_batches
                     where model_id = $1 and scored_at >= u.from_at and scored_at < u.to_at
                     order by scored_at limit $4) b
             cross join lateral unnest(b.transaction_ids, b.probabilities) as s (transaction_id, probability)
             limit $4) o`,
};

const decidedStatement: Statement = {
  name: 'read-compared-scores',
  text: `select w.risk, w.verdict, w.margin, l.label = 'fraud' as "isFraud", u.probability
           from unnest($1::uuid[], $2::timestamptz[], $5::float8[]) as u(transaction_id, created_at, probability)
          cross join lateral (
            select s.risk, s.verdict, case when s.scorecard is not null then s.margin end as margin from market.scores s
             where s.transaction_id = u.transaction_id and s.created_at = u.created_at and s.created_at between $3 and $4
             limit 1) w
           left join lateral
             ${labelInForce('l.transaction_id = u.transaction_id and l.created_at = u.created_at and l.created_at between $3 and $4')} l on true`,
};

export type ComparedScore = {
  /** The shadow's. */
  readonly probability: number;
  /** As it was decided. */
  readonly risk: number;
  readonly verdict: 'approve' | 'review' | 'decline';
  /** By the table of the day; null where none judged. */
  readonly margin: number | null;
  /** By the label that is current now; null without one. */
  readonly isFraud: boolean | null;
};

type Opinion = {
  readonly slice: number;
  readonly transactionId: string;
  readonly probability: number;
};

/**
 * Opinions beside what was decided, spread over a window of scored_at, at a cost that does not grow with the traffic: the window
 * is cut into slices, each gives a bounded number of opinions.
 */
export async function sampleShadow(
  query: Query,
  modelId: string,
  window: ScoreWindow,
): Promise<ComparedScore[]> {
  const slices = cutWindow(window, SLICES);
  const each = COMPARED_MAX / SLICES;
  let opinions = await readOpinions(query, modelId, slices, each);
  const bySlice = Map.groupBy(opinions, ({ slice }) => slice);
  const full = new Set([...bySlice].filter(([, of]) => of.length >= each).map(([slice]) => slice));
  // All were in a few slices, which may use the others' share.
  if (opinions.length < COMPARED_MAX / 2 && full.size > 0) {
    const others = opinions.filter(({ slice }) => !full.has(slice));
    const again = slices.filter((_, at) => full.has(at + 1));
    const more = Math.floor((COMPARED_MAX - others.length) / again.length);
    opinions = [...others, ...(await readOpinions(query, modelId, again, more))];
  }
  // An entry that came again has its opinion twice.
  const byId = new Map(opinions.map((opinion) => [opinion.transactionId, opinion]));
  const compared = [...byId.values()];
  return await query<ComparedScore>(decidedStatement, [
    uuidArray(compared.map(({ transactionId }) => transactionId)),
    ...timeValues(compared.map(({ transactionId }) => createdAtMsOf(transactionId) ?? 0)),
    float8Array(compared.map(({ probability }) => probability)),
  ]);
}

async function readOpinions(
  query: Query,
  modelId: string,
  slices: readonly ScoreWindow[],
  each: number,
): Promise<readonly Opinion[]> {
  return await query<Opinion>(opinionsStatement, [
    modelId,
    timestampArray(slices.map(({ fromMs }) => fromMs)),
    timestampArray(slices.map(({ toMs }) => toMs)),
    each,
  ]);
}
