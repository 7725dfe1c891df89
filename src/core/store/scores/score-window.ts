/**
 * A sample of the scores of a window of created_at, spread like the traffic, at a cost that does not grow with
 * it: the window is cut into slices, in each slice a bounded number of keys is counted in the order of ids, and
 * each yields rows in proportion to its estimated number.
 */
import { int4Array, timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { lowestIdAt } from '../../../kit/words/cursor.ts';
import type { RuleInputs } from '../../domain/score-record.ts';
import { labelInForce } from '../label-in-force.ts';
import { toVector } from './score-values.ts';

/** `toMs` is exclusive. */
export type ScoreWindow = { readonly fromMs: number; readonly toMs: number };

/** Cuts a window into slices of one length. */
export function cutWindow({ fromMs, toMs }: ScoreWindow, slices: number): ScoreWindow[] {
  const boundAt = (at: number) => Math.round(fromMs + ((toMs - fromMs) * at) / slices);
  return Array.from({ length: slices }, (_, at) => ({
    fromMs: boundAt(at),
    toMs: boundAt(at + 1),
  }));
}

/** A slice is 3 minutes of a day, 21 of a week. */
const SLICES = 480;
/** Keys of a window that are examined: 400 a slice, more where others have none. */
const KEYS_MAX = 400 * SLICES;
/** Rows of one statement: each takes the worker itself some milliseconds. */
const PAGE_ROWS = 500;

/** A slice of a window and its counted keys. */
export type Slice = ScoreWindow & {
  readonly keys: number;
  /** False where only the first keys were counted. */
  readonly isWhole: boolean;
  /** created_at of the last key that was counted. */
  readonly lastMs: number;
};

// Lateral, so that each slice is a range of the primary key in one partition, or two where a month ends.
const RANGE = `s.transaction_id >= u.low and s.transaction_id < u.high
                  and s.created_at >= u.from_at and s.created_at < u.to_at
                  and s.created_at >= $5 and s.created_at < $6`;
const ofKey = (alias: string) =>
  `${alias}.transaction_id = k.transaction_id and ${alias}.created_at = k.created_at
              and ${alias}.created_at >= $5 and ${alias}.created_at < $6`;

const countStatement: Statement = {
  name: 'count-score-slices',
  text: `select k.keys::int4 as keys, k.last_at as "lastAt"
           from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
                with ordinality as u(low, high, from_at, to_at, ordinal)
          cross join lateral (
            select count(*) as keys, max(created_at) as last_at
              from (select s.* from market.scores s where ${RANGE}
                     order by s.transaction_id, s.created_at limit $7) first_keys) k
          order by u.ordinal`,
};

/** The quota of each slice, evenly spaced among its counted keys, as `k`. */
const SAMPLED = `
           from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $7::int4[], $8::int4[])
                as u(low, high, from_at, to_at, keys, quota)
          cross join lateral (
            select transaction_id, created_at
              from (select transaction_id, created_at,
                           row_number() over (order by transaction_id, created_at) as place
                      from (select s.* from market.scores s where ${RANGE}
                             order by s.transaction_id, s.created_at limit u.keys) first_keys) counted
             where place * u.quota / u.keys > (place - 1) * u.quota / u.keys) k`;

/** Null where no table of the day judged. */
const MARGIN = 'case when s.scorecard is not null then s.margin end as margin';

const vectorsStatement: Statement = {
  name: 'sample-score-vectors',
  text: `select w.model, coalesce(w.probability, w.risk) as value, w.vector, w.margin
         ${SAMPLED}
          cross join lateral (
            select s.model, s.probability, s.risk, s.features as vector, ${MARGIN} from market.scores s
             where ${ofKey('s')}
             limit 1) w`,
};

// The newest label decides, and of two at the same time fraud, whatever its source (labels.label sorts so).
const outcomesStatement: Statement = {
  name: 'sample-score-outcomes',
  text: `select w.model, w.probability, w.risk, w.verdict, w.margin, l.label = 'fraud' as "isFraud",
                extract(epoch from l.labelled_at - k.created_at)::float8 * 1000 as "labelDelayMs"
         ${SAMPLED}
          cross join lateral (
            select s.model, s.probability, s.risk, s.verdict, ${MARGIN} from market.scores s
             where ${ofKey('s')}
             limit 1) w
           left join lateral ${labelInForce(`${ofKey('l')} and l.labelled_at <= $9`, 'l.label, l.labelled_at')} l on true`,
};

const decisionsStatement: Statement = {
  name: 'sample-score-decisions',
  text: `select w.corridor, w.model, w.scorecard, w.probability, w.vector, w.rule_inputs as "ruleInputs",
                (select t.currency from market.transactions t where ${ofKey('t')}) as currency
         ${SAMPLED}
          cross join lateral (
            select s.corridor, s.model, s.scorecard, s.probability, s.features as vector, s.rule_inputs
              from market.scores s
             where ${ofKey('s')}
             limit 1) w`,
};

type ScoreVector = {
  /** Null: the rules decided alone. */
  readonly model: string | null;
  /** The probability, or the risk without a model. */
  readonly value: number;
  /** NaN is missing. */
  readonly vector: Float64Array;
  /** By the table of the day; null where none judged. */
  readonly margin: number | null;
};

/** @param rows wanted; fewer are returned where fewer exist, or where much arrived at one moment */
export async function sampleVectors(
  query: Query,
  window: ScoreWindow,
  rows: number,
  signal: AbortSignal,
): Promise<ScoreVector[]> {
  type Row = Omit<ScoreVector, 'vector'> & { readonly vector: Buffer };
  const found = await sample<Row>(query, vectorsStatement, window, rows, [], signal);
  return found.map((row) => ({ ...row, vector: toVector(row.vector) }));
}

export type ScoreOutcome = {
  /** Null where the rules decided alone, as is the probability. */
  readonly model: string | null;
  readonly probability: number | null;
  readonly risk: number;
  /** By the table of the day; null where none judged. */
  readonly margin: number | null;
  readonly verdict: 'approve' | 'review' | 'decline';
  /** The label that was current then; null without one. */
  readonly isFraud: boolean | null;
  /** From created_at to labelled_at of that label. */
  readonly labelDelayMs: number | null;
};

/** @param knownByMs labels with a later labelled_at are not seen */
export async function sampleOutcomes(
  query: Query,
  window: ScoreWindow,
  rows: number,
  knownByMs: number,
  signal: AbortSignal,
): Promise<ScoreOutcome[]> {
  const knownBy = new Date(knownByMs);
  return await sample<ScoreOutcome>(query, outcomesStatement, window, rows, [knownBy], signal);
}

type ScoreDecision = Omit<ScoreVector, 'value' | 'margin'> & {
  readonly corridor: string;
  /** Serial of the table of the day; null where none judged. */
  readonly scorecard: number | null;
  /** Null where the rules decided alone. */
  readonly probability: number | null;
  readonly ruleInputs: RuleInputs | null;
  /** Null where the transaction is no longer stored. */
  readonly currency: string | null;
};

export async function sampleDecisions(
  query: Query,
  window: ScoreWindow,
  rows: number,
): Promise<ScoreDecision[]> {
  type Row = Omit<ScoreDecision, 'vector'> & { readonly vector: Buffer };
  const found = await sample<Row>(query, decisionsStatement, window, rows);
  return found.map((row) => ({ ...row, vector: toVector(row.vector) }));
}

async function sample<Row extends object>(
  query: Query,
  statement: Statement,
  window: ScoreWindow,
  rows: number,
  more: readonly unknown[] = [],
  signal?: AbortSignal,
): Promise<Row[]> {
  const slices = (await countWindow(query, window, rows)).filter(({ keys }) => keys > 0);
  const keys = slices.map((slice) => slice.keys);
  const counted = keys.reduce((sum, count) => sum + count, 0);
  const quotas = shareOut(Math.min(rows, counted), estimateRows(slices), keys);
  const found: Row[] = [];
  for (const { from, to } of pagesOf(quotas)) {
    signal?.throwIfAborted();
    const values = [
      ...boundsOf(slices.slice(from, to)),
      int4Array(keys.slice(from, to)),
      int4Array(quotas.slice(from, to)),
      ...more,
    ];
    found.push(...(await query<Row>(statement, values)));
  }
  return found;
}

/** Runs of consecutive slices with about PAGE_ROWS rows each. */
function pagesOf(quotas: readonly number[]): { from: number; to: number }[] {
  const pages: { from: number; to: number }[] = [];
  let from = 0;
  let rows = 0;
  for (const [at, quota] of quotas.entries()) {
    rows += quota;
    if (rows < PAGE_ROWS && at < quotas.length - 1) continue;
    pages.push({ from, to: at + 1 });
    from = at + 1;
    rows = 0;
  }
  return pages;
}

async function countWindow(query: Query, window: ScoreWindow, rows: number): Promise<Slice[]> {
  const slices = await countSlices(query, cutWindow(window, SLICES), KEYS_MAX / SLICES);
  const partly = slices.filter(({ isWhole }) => !isWhole);
  const counted = slices.reduce((sum, { keys }) => sum + keys, 0);
  if (counted >= rows || partly.length === 0) return slices;
  // All keys were in a few slices, which may use the others' share.
  const again = await countSlices(query, partly, Math.floor(KEYS_MAX / partly.length));
  return slices.map((slice) => again.find(({ fromMs }) => fromMs === slice.fromMs) ?? slice);
}

async function countSlices(
  query: Query,
  bounds: readonly ScoreWindow[],
  keysMax: number,
): Promise<Slice[]> {
  const rows = await query<{ keys: number; lastAt: Date | null }>(countStatement, [
    ...boundsOf(bounds),
    keysMax,
  ]);
  return bounds.map(({ fromMs, toMs }, at) => {
    const { keys = 0, lastAt = null } = rows[at] ?? {};
    return { fromMs, toMs, keys, isWhole: keys < keysMax, lastMs: lastAt?.getTime() ?? fromMs };
  });
}

function boundsOf(slices: readonly ScoreWindow[]): unknown[] {
  return [
    uuidArray(slices.map(({ fromMs }) => lowestIdAt(fromMs))),
    uuidArray(slices.map(({ toMs }) => lowestIdAt(toMs))),
    timestampArray(slices.map(({ fromMs }) => fromMs)),
    timestampArray(slices.map(({ toMs }) => toMs)),
    new Date(Math.min(...slices.map(({ fromMs }) => fromMs))),
    new Date(Math.max(...slices.map(({ toMs }) => toMs))),
  ];
}

/** Neighbouring slices, on each side, that bound an estimate. */
const NEIGHBOURS = 8;
/** A slice is estimated at no more than this multiple of its neighbours. */
const OVER_NEIGHBOURS_MAX = 4;

/**
 * Estimates the rows of slices: the counted keys or, where counting ended early, as many as if the rest were as
 * dense. A file whose rows all have one time would then fill the whole day, so no estimate may far exceed those
 * of its neighbours.
 */
export function estimateRows(slices: readonly Slice[]): number[] {
  const seeming = slices.map(({ fromMs, toMs, keys, isWhole, lastMs }) =>
    isWhole ? keys : (keys * (toMs - fromMs)) / Math.max(1, lastMs - fromMs),
  );
  return slices.map(({ keys }, at) => {
    const around = [
      ...seeming.slice(Math.max(0, at - NEIGHBOURS), at),
      ...seeming.slice(at + 1, at + 1 + NEIGHBOURS),
    ].sort((a, b) => a - b);
    const median = around[Math.floor(around.length / 2)] ?? 0;
    return Math.min(seeming[at] ?? 0, Math.max(keys, OVER_NEIGHBOURS_MAX * median));
  });
}

/**
 * Whole shares of a total in proportion to weights, none above its maximum. What exceeds one maximum goes to
 * the following shares, so that the total is reached wherever `most` allows it in order.
 */
export function shareOut(
  total: number,
  weights: readonly number[],
  most: readonly number[] = weights,
): number[] {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  let seen = 0;
  let given = 0;
  return weights.map((weight, at) => {
    seen += weight;
    const share = Math.min(most[at] ?? 0, Math.floor((total * seen) / Math.max(all, 1)) - given);
    given += share;
    return share;
  });
}
