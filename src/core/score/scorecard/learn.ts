/** Learns cuts from the sample of a night, and weights from rows of earlier days, put together by the names of measures. */
import { BUCKETS, type Cuts, createCuts, MISSING_BUCKET, writeCuts } from './cuts.ts';
import { addTo, type Counted } from './day-evidence.ts';
import type { DayTable, Learnt } from './day-table.ts';
import type { SolveRows } from './loss.ts';
import type { LogOdds } from './measures.ts';
import { centre, solve, type Weights, writeBuckets } from './scorecard.ts';

/** Vectors of a sample, the values of each measure side by side: `count` vectors, in memory for `most`. */
export type Sample = {
  readonly most: number;
  count: number;
  readonly values: Float64Array<ArrayBuffer>;
};

export const createSample = (measures: number, most: number): Sample => ({
  most,
  count: 0,
  values: new Float64Array(measures * most),
});

/** @param values of all measures, in their order */
export function addVector(sample: Sample, values: Float64Array): void {
  values.forEach((value, measure) => {
    sample.values[measure * sample.most + sample.count] = value;
  });
  sample.count++;
}

export function cutsOf({ values, most, count }: Sample, measures: number): Cuts {
  const cuts = createCuts(measures);
  const own = new Float64Array(count);
  for (let measure = 0; measure < measures; measure++) {
    own.set(values.subarray(measure * most, measure * most + count));
    writeCuts(cuts, measure, own);
  }
  return cuts;
}

/** How many of a sample are in each bucket of each measure. */
export function meet(sample: Sample, cuts: Cuts, measures: number): Float64Array {
  const met = new Float64Array(measures * BUCKETS);
  const values = new Float64Array(measures);
  const buckets = new Uint8Array(measures);
  for (let nth = 0; nth < sample.count; nth++) {
    for (let measure = 0; measure < measures; measure++) {
      values[measure] = sample.values[measure * sample.most + nth] as number;
    }
    writeBuckets(cuts, values, buckets);
    addBuckets(met, buckets, 1);
  }
  return met;
}

function addBuckets(sums: Float64Array, buckets: Uint8Array, count: number): void {
  buckets.forEach((bucket, measure) => void addTo(sums, measure * BUCKETS + bucket, count));
}

/** A row that a night learns from. */
export type LearntRow = LogOdds & {
  /** Buckets by the cuts of the table that judged the row. */
  readonly buckets: Uint8Array;
  /** Names of the measures of that table. */
  readonly measures: readonly string[];
  readonly isFraud: boolean;
  /** Payments for which the row stands. */
  readonly stands: number;
  /** Codes of the default rules that fired. */
  readonly fired: readonly string[];
};

export type Collected = SolveRows & { readonly rules: ReadonlyMap<string, Counted> };

const NOTHING: Counted = { payments: 0, frauds: 0 };

/** Rows are added in one order, as a solve depends on the order of its sums. @param leftOut measures that are missing in all rows */
export function collectSolveRows(
  measures: readonly string[],
  most: number,
  leftOut: readonly string[],
) {
  const width = measures.length;
  const buckets = new Uint8Array(most * width).fill(MISSING_BUCKET);
  const numbers = () => new Float64Array(most);
  const [logOdds, labelLogOdds, counts] = [numbers(), numbers(), numbers()];
  const isFraud = new Uint8Array(most);
  const indices = new Map(measures.map((name, index) => [name, index]));
  for (const name of leftOut) indices.delete(name);
  const maps = new Map<readonly string[], Int32Array>();
  const rules = new Map<string, Counted>();
  let count = 0;
  return {
    add(row: LearntRow): void {
      const frauds = row.isFraud ? row.stands : 0;
      for (const code of row.fired) {
        const sum = rules.get(code) ?? NOTHING;
        rules.set(code, { payments: sum.payments + row.stands, frauds: sum.frauds + frauds });
      }
      let at = maps.get(row.measures);
      if (at === undefined) {
        at = Int32Array.from(row.measures, (name) => indices.get(name) ?? -1);
        maps.set(row.measures, at);
      }
      for (let measure = 0; measure < at.length; measure++) {
        const index = at[measure] as number;
        if (index >= 0) buckets[count * width + index] = row.buckets[measure] as number;
      }
      logOdds[count] = row.logOdds;
      labelLogOdds[count] = row.labelLogOdds;
      counts[count] = row.stands;
      isFraud[count] = row.isFraud ? 1 : 0;
      count++;
    },
    end: (): Collected => ({
      ...{ count, measures: width, buckets, logOdds, labelLogOdds, isFraud, counts, rules },
    }),
  };
}

/** @param met how many of the night's sample are in each bucket of each measure */
export function* learn(
  rows: Collected,
  met: Float64Array,
  cuts: Cuts,
  { knownFrauds, labelled }: Pick<Learnt, 'knownFrauds' | 'labelled'>,
): Generator<undefined, Pick<DayTable, 'scorecard' | 'learnt'>> {
  const counted = countLearnt(rows);
  const weights = centre(withoutLacked(yield* solve(rows, knownFrauds), counted), met);
  return {
    scorecard: { ...weights, cuts },
    learnt: { knownFrauds, labelled, ...counted },
  };
}

/** A measure that all rows lack has moved all margins by its bucket of missing values, which moves into the constant. */
function withoutLacked(
  weights: Weights,
  { payments, all }: Pick<Learnt, 'payments' | 'all'>,
): Weights {
  const { constant, points } = weights;
  let moved = 0;
  for (let from = 0; from < points.length; from += BUCKETS) {
    if (payments[from + MISSING_BUCKET] !== all.payments) continue;
    moved += points[from + MISSING_BUCKET] as number;
    points.fill(0, from, from + BUCKETS);
  }
  return { ...weights, constant: constant + moved };
}

function countLearnt(rows: Collected): Omit<Learnt, 'knownFrauds' | 'labelled'> {
  const payments = new Float64Array(rows.measures * BUCKETS);
  const frauds = new Float64Array(rows.measures * BUCKETS);
  let [ofAll, ofFrauds] = [0, 0];
  for (let row = 0; row < rows.count; row++) {
    const own = rows.buckets.subarray(row * rows.measures, (row + 1) * rows.measures);
    const stands = rows.counts[row] as number;
    addBuckets(payments, own, stands);
    ofAll += stands;
    if (rows.isFraud[row] !== 1) continue;
    ofFrauds += stands;
    addBuckets(frauds, own, stands);
  }
  return { payments, frauds, all: { payments: ofAll, frauds: ofFrauds }, rules: rows.rules };
}
