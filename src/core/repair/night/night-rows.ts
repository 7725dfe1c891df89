/** The rows that a night learns from: vectors by id, their buckets, and the weights that they give. */

import { DAY_MS } from '../../../kit/words/range.ts';
import { createdAtMsOf } from '../../domain/transaction.ts';
import type { CompiledRuleSet } from '../../score/rules/compile-rule-set.ts';
import type { Cuts } from '../../score/scorecard/cuts.ts';
import type { DayTable } from '../../score/scorecard/day-table.ts';
import { firedBy, riskBy } from '../../score/scorecard/judge-by-table.ts';
import {
  CUT_PAYMENTS,
  compareHashes,
  firstOfMany,
  hashOf,
} from '../../score/scorecard/kept-rows.ts';
import {
  addVector,
  collectSolveRows,
  createSample,
  learn,
  type Sample,
} from '../../score/scorecard/learn.ts';
import { logOddsOf, writeMeasures } from '../../score/scorecard/measures.ts';
import { writeBuckets } from '../../score/scorecard/scorecard.ts';
import { countLabelDays, readSample, withoutRow } from '../../store/scorecards/read-night.ts';
import {
  countKeptRows,
  readKeptRows,
  readVectorRows,
  type VectorRow,
} from '../../store/scorecards/read-payments.ts';
import { readTable } from '../../store/scorecards/scorecards.ts';
import type { NewRow } from '../../store/scorecards/write-night.ts';
import { CUT_DAYS, FRAUDS_MAX, type Frauds, type Known, type NewlyCounted } from './count-days.ts';

/** The measures of vectors with the least hashes of the newest days, known frauds left out. */
export async function readCutSample(
  { query, day, payments, matured, signal }: Known,
  counted: ReadonlyMap<number, NewlyCounted>,
  frauds: number,
  ruleSet: CompiledRuleSet,
  measures: readonly string[],
): Promise<Sample> {
  const least = firstOfMany(CUT_PAYMENTS + Math.min(frauds, FRAUDS_MAX), compareHashes);
  let most = 0;
  for (const [of, count] of payments) {
    if (of < day - CUT_DAYS) continue;
    most = Math.min(CUT_PAYMENTS, most + count);
    const ids = counted.get(of)?.least ?? (await readSample(query, of));
    for (const id of ids) least.add({ id, hash: hashOf(id) });
  }
  const sample = createSample(measures.length, most);
  const values = new Float64Array(measures.length);
  const ids = least.list().map(({ id }) => id);
  for await (const { id, vector, isFraud } of readVectorRows(
    query,
    ids,
    matured.knownByMs,
    signal,
  )) {
    if (sample.count === most) break;
    if (isFraud && createdAt(id) < matured.toMs) continue;
    writeMeasures(vector, logOddsOf(riskBy(ruleSet, vector)), values);
    addVector(sample, values);
  }
  return sample;
}

const createdAt = (id: string): number => createdAtMsOf(id) ?? 0;

type Cutting = { readonly measures: readonly string[]; readonly cuts: Float32Array };
type BucketsOf = ReturnType<typeof bucketsBy>;

/** Tables whose cuts stay in memory; rows are read by time, so few are needed at once. */
const TABLES_MAX = 8;

/** Buckets of a row by the table that judged it, or by the new one. */
export function bucketsBy({ query }: Known, ruleSet: CompiledRuleSet, own: Cutting) {
  const tables = new Map<number, Cutting>();
  const cuttingOf = async (serial: number | null): Promise<Cutting> => {
    if (serial === null) return own;
    const known = tables.get(serial);
    if (known !== undefined) return known;
    const stored = await readTable(query, serial);
    if (stored === undefined) throw new Error(`a score names the table ${serial}, which is gone`);
    const { measures, scorecard } = stored.table;
    if (tables.size === TABLES_MAX) tables.clear();
    tables.set(serial, { measures, cuts: scorecard.cuts });
    return { measures, cuts: scorecard.cuts };
  };
  return {
    cuttingOf,
    async rowOf({ id, vector, scorecard }: VectorRow, share: number | null): Promise<NewRow> {
      const { measures, cuts } = await cuttingOf(scorecard);
      const logOdds = logOddsOf(riskBy(ruleSet, vector));
      const fired = firedBy(ruleSet, vector);
      const values = new Float64Array(measures.length);
      writeMeasures(vector, logOdds, values);
      const buckets = new Uint8Array(measures.length);
      writeBuckets(cuts, values, buckets);
      return { id, scorecard, share, logOdds, buckets, fired };
    },
  };
}

export type LearntRows = NewRow & { readonly isFraud: boolean };

/** Rows of the days that were counted now, and frauds that have no row, in the order of their ids. */
export async function readNewRows(
  { query, matured, signal }: Known,
  counted: ReadonlyMap<number, NewlyCounted>,
  { chosen }: Frauds,
  { rowOf }: BucketsOf,
): Promise<readonly LearntRows[]> {
  const shares = new Map([...counted.values()].flatMap(({ kept }) => [...kept]));
  const isCounted = (id: string) => counted.has(Math.floor(createdAt(id) / DAY_MS));
  const { again = [], before = [] } = Object.groupBy(chosen, (id) =>
    isCounted(id) ? 'again' : 'before',
  );
  const ids = new Set([...shares.keys(), ...again, ...(await withoutRow(query, before))]);
  const rows: LearntRows[] = [];
  for await (const row of readVectorRows(query, [...ids].sort(), matured.knownByMs, signal)) {
    rows.push({ ...(await rowOf(row, shares.get(row.id) ?? null)), isFraud: row.isFraud });
  }
  return rows;
}

type Learning = {
  readonly rows: readonly LearntRows[];
  readonly sample: Sample;
  readonly cuts: Cuts;
  readonly measures: readonly string[];
  readonly bucketsOf: BucketsOf;
};

/** Solves over the matured rows, stored and new ones in the order of their ids. */
export async function learnRows(
  { query, matured, signal }: Known,
  counted: ReadonlyMap<number, NewlyCounted>,
  { total, chosen }: Frauds,
  { rows, sample, cuts, measures, bucketsOf }: Learning,
): Promise<Pick<DayTable, 'scorecard' | 'learnt'>> {
  const days = [...counted.keys()];
  const most = rows.length + (await countKeptRows(query, matured, days));
  const solved = collectSolveRows(measures, most);
  const ofFraud = total / Math.max(chosen.size, 1);
  const add = async (row: LearntRows) => {
    const ofOthers = row.share === null ? 0 : 1 / row.share;
    const stands = row.isFraud ? ofFraud * Number(chosen.has(row.id)) : ofOthers;
    if (stands === 0) return;
    const { measures: names } = await bucketsOf.cuttingOf(row.scorecard);
    solved.add({ ...row, measures: names, stands });
  };
  const fresh = rows.filter(({ id }) => createdAt(id) < matured.toMs).values();
  let next = fresh.next();
  for await (const row of readKeptRows(query, matured, days, signal)) {
    for (; !next.done && next.value.id < row.id; next = fresh.next()) await add(next.value);
    await add(row);
  }
  for (; !next.done; next = fresh.next()) await add(next.value);
  const labelled = await countLabelDays(query, matured);
  return learn(solved.end(), sample, cuts, { knownFrauds: total, labelled });
}
