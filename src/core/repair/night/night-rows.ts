/** The rows that a night learns from: vectors by id, their buckets, and the weights that they give. */

import type { Query } from '../../../kit/database/pool.ts';
import { logistic } from '../../../kit/elementary-functions.ts';
import { resultOf } from '../../../kit/process/steps.ts';
import { uuidsIn } from '../../../kit/words/cursor.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { createdAtMsOf } from '../../domain/transaction.ts';
import type { CompiledRuleSet } from '../../score/rules/compile-rule-set.ts';
import { baseName } from '../../score/rules/derived-rule-set.ts';
import type { Cuts } from '../../score/scorecard/cuts.ts';
import { inMap } from '../../score/scorecard/day-evidence.ts';
import type { DayTable, StoredTable, Tops } from '../../score/scorecard/day-table.ts';
import {
  firedBy,
  type Judging,
  logOddsByRules,
  marginBy,
} from '../../score/scorecard/judge-by-table.ts';
import { CUT_PAYMENTS, leastHashes } from '../../score/scorecard/kept-rows.ts';
import {
  addVector,
  collectSolveRows,
  createSample,
  cutsOf,
  learn,
  meet,
} from '../../score/scorecard/learn.ts';
import { writeMeasures } from '../../score/scorecard/measures.ts';
import { writeBuckets } from '../../score/scorecard/scorecard.ts';
import { BUDGET_DAYS, countTaken, daysOfTops, topsOf } from '../../score/scorecard/shares.ts';
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

/** Cuts by vectors of the newest days without known frauds, the number of these vectors in each bucket, and ids of the newest payments. */
export async function cutDays(
  { query, day, payments, matured, signal }: Known,
  counted: ReadonlyMap<number, NewlyCounted>,
  frauds: number,
  ruleSet: CompiledRuleSet,
  measures: readonly string[],
): Promise<{ readonly cuts: Cuts; readonly met: Float64Array; readonly newest: string[] }> {
  const least = leastHashes(CUT_PAYMENTS + Math.min(frauds, FRAUDS_MAX));
  const newest = leastHashes(CUT_PAYMENTS);
  const most = await addDays({ query, day, payments }, counted, least, newest);
  const sample = createSample(measures.length, most);
  const values = new Float64Array(measures.length);
  const ids = uuidsIn(least.end());
  for await (const rows of readVectorRows(query, ids, matured, signal)) {
    for (const { id, vector, isFraud } of rows) {
      const isOut = isFraud === null || (isFraud && createdAt(id) < matured.toMs);
      if (sample.count === most || isOut) continue;
      writeMeasures(vector, logOddsByRules(ruleSet, vector).logOdds, values);
      addVector(sample, values);
    }
    if (sample.count === most) break;
  }
  const cuts = cutsOf(sample, measures.length);
  const met = meet(sample, cuts, measures.length);
  // Frees the memory at once, as a solve takes as much.
  sample.values.buffer.transfer(0);
  return { cuts, met, newest: uuidsIn(newest.end()) };
}

/** Adds the payments of the days. Resolves to how many payments give cuts. */
async function addDays(
  { query, day, payments }: Pick<Known, 'query' | 'day' | 'payments'>,
  counted: ReadonlyMap<number, NewlyCounted>,
  least: ReturnType<typeof leastHashes>,
  newest: ReturnType<typeof leastHashes>,
): Promise<number> {
  const newestDays = daysOfTops(payments, day);
  let most = 0;
  for (const [of, count] of payments) {
    if (of < day - CUT_DAYS) continue;
    most = Math.min(CUT_PAYMENTS, most + count);
    const { sample } = counted.get(of) ?? (await readSample(query, of));
    least.addAll(sample);
    if (newestDays.has(of) || of >= day - BUDGET_DAYS) newest.addAll(sample);
  }
  return most;
}

/** Tops of the newest payments, known frauds included, by a new table, by the points of the rules alone, and by each model that decided. */
export async function findTops(
  { query, day, payments, matured, signal }: Known,
  ids: readonly string[],
  by: Judging,
): Promise<Tops> {
  const days = daysOfTops(payments, day);
  const probabilities: number[] = [];
  const taken = takenBefore(query, day);
  const [points, risks] = [new Map<string, number[]>(), new Map<string, number[]>()];
  for await (const rows of readVectorRows(query, ids, matured, signal)) {
    for (const row of rows) {
      if (row.isFraud === null) continue;
      await taken.add(row);
      if (!days.has(dayOf(row.id))) continue;
      probabilities.push(logistic(marginBy(by, row.vector)));
      const ruleSet = baseName(row.ruleSet) ?? row.ruleSet;
      if (row.points !== null) inMap(points, ruleSet, () => []).push(row.points);
      if (row.model !== null) inMap(risks, row.model, () => []).push(row.risk);
    }
  }
  const topsBy = (values: ReadonlyMap<string, readonly number[]>) =>
    new Map(
      [...values]
        .map(([name, own]) => [name, topsOf(own)] as const)
        .filter(([, tops]) => tops.length > 0),
    );
  const scorecard = topsOf(probabilities, taken.end());
  return { scorecard, rules: topsBy(points), models: topsBy(risks) };
}

/** Counts by stored margins how many payments the tables of earlier days took of each share. */
function takenBefore(query: Query, day: number) {
  const { add, end } = countTaken();
  const tables = new Map<number, Promise<StoredTable | undefined>>();
  return {
    end,
    async add({ id, scorecard, margin }: VectorRow): Promise<void> {
      if (scorecard === null || margin === null || dayOf(id) < day - BUDGET_DAYS) return;
      const judged = await inMap(tables, scorecard, () => readSound(query, scorecard));
      if (judged !== undefined) add(judged.table.tops.scorecard, logistic(margin));
    },
  };
}

const createdAt = (id: string): number => createdAtMsOf(id) ?? 0;
const dayOf = (id: string): number => Math.floor(createdAt(id) / DAY_MS);

type Cutting = Pick<DayTable, 'measures'> & { readonly cuts: Cuts };
type FindCutting = (serial: number | null) => Promise<Cutting | null>;

/** Undefined for a table that is damaged, or that only a newer version reads. */
const readSound = (query: Query, serial: number) =>
  readTable(query, serial).catch((error: unknown) => {
    if (error instanceof Failure && error.code.startsWith('SCORECARD_')) return undefined;
    throw error;
  });

/** Tables whose cuts stay in memory; rows are read by time, so few are needed at once. */
const TABLES_MAX = 8;

/** Finds the cuts of a row's buckets: in the table that judged the row, else in the new table. Null if the row's table cannot be read. */
export function findCuttings(query: Query, own: Cutting): FindCutting {
  const tables = new Map<number, Cutting | null>();
  return async (serial) => {
    if (serial === null) return own;
    const known = tables.get(serial);
    if (known !== undefined) return known;
    const stored = await readSound(query, serial);
    const { measures = [], scorecard } = stored?.table ?? {};
    const found = scorecard === undefined ? null : { measures, cuts: scorecard.cuts };
    if (tables.size === TABLES_MAX) tables.clear();
    tables.set(serial, found);
    return found;
  };
}

/** Rows that a night keeps. */
export type Chosen = {
  readonly ids: readonly string[];
  readonly shares: ReadonlyMap<string, number>;
};

/** Chooses the rows of the days that were counted now, and frauds that have no row, in the order of their ids. */
export async function chooseRows(
  { query }: Known,
  counted: ReadonlyMap<number, NewlyCounted>,
  { chosen }: Frauds,
): Promise<Chosen> {
  const shares = new Map([...counted.values()].flatMap(({ kept }) => [...kept]));
  const isCounted = (id: string) => counted.has(dayOf(id));
  const { again = [], before = [] } = Object.groupBy(chosen, (id) =>
    isCounted(id) ? 'again' : 'before',
  );
  const ids = new Set([...shares.keys(), ...again, ...(await withoutRow(query, before))]);
  return { ids: [...ids].sort(), shares };
}

type LearntRow = NewRow & Pick<VectorRow, 'isFraud'>;

/** Reads the chosen rows, page by page; the new table cuts a row whose own table is lost. */
export async function* readRows(
  { ids, shares }: Chosen,
  { query, matured, signal }: Pick<Known, 'query' | 'matured' | 'signal'>,
  findCutting: FindCutting,
  ruleSet: CompiledRuleSet,
): AsyncGenerator<readonly LearntRow[]> {
  for await (const rows of readVectorRows(query, ids, matured, signal)) {
    const page: LearntRow[] = [];
    for (const { id, vector, isFraud, scorecard: serial } of rows) {
      const scorecard = (await findCutting(serial)) && serial;
      const { measures, cuts } = (await findCutting(scorecard)) as Cutting;
      const logOdds = logOddsByRules(ruleSet, vector);
      const fired = firedBy(ruleSet, vector);
      const values = new Float64Array(measures.length);
      writeMeasures(vector, logOdds.logOdds, values);
      const buckets = new Uint8Array(measures.length);
      writeBuckets(cuts, values, buckets);
      const share = shares.get(id) ?? null;
      page.push({ ...logOdds, id, scorecard, share, buckets, fired, isFraud });
    }
    yield page;
  }
}

async function* maturedOf(
  pages: AsyncIterable<readonly LearntRow[]>,
  { toMs }: Known['matured'],
): AsyncGenerator<LearntRow> {
  for await (const page of pages) {
    for (const row of page) if (createdAt(row.id) < toMs) yield row;
  }
}

type Learning = {
  readonly chosen: Chosen;
  readonly cuts: Cuts;
  readonly met: Float64Array;
  readonly measures: readonly string[];
  readonly ruleSet: CompiledRuleSet;
  readonly leftOut: readonly string[];
};

/** Solves over the matured rows, stored and chosen ones in the order of their ids. */
export async function learnRows(
  known: Known,
  counted: ReadonlyMap<number, NewlyCounted>,
  frauds: Frauds,
  { chosen, cuts, met, measures, ruleSet, leftOut }: Learning,
): Promise<Pick<DayTable, 'scorecard' | 'learnt'>> {
  const { query, matured, signal } = known;
  const days = [...counted.keys()];
  const most = chosen.ids.length + (await countKeptRows(query, matured, days));
  const solved = collectSolveRows(measures, most, leftOut);
  const findCutting = findCuttings(query, { measures, cuts });
  const ofFraud = frauds.total / Math.max(frauds.chosen.size, 1);
  const add = async ({ isFraud, ...row }: LearntRow) => {
    const ofOthers = row.share === null ? 0 : 1 / row.share;
    const stands = isFraud ? ofFraud * Number(frauds.chosen.has(row.id)) : ofOthers;
    if (isFraud === null || stands === 0) return;
    const cutting = await findCutting(row.scorecard);
    if (cutting !== null) solved.add({ ...row, isFraud, measures: cutting.measures, stands });
  };
  const fresh = maturedOf(readRows(chosen, known, findCutting, ruleSet), matured);
  let next = await fresh.next();
  for await (const row of readKeptRows(query, matured, days, signal)) {
    for (; !next.done && next.value.id < row.id; next = await fresh.next()) await add(next.value);
    await add(row);
  }
  for (; !next.done; next = await fresh.next()) await add(next.value);
  const labelled = await countLabelDays(query, matured);
  const steps = learn(solved.end(), met, cuts, { knownFrauds: frauds.total, labelled });
  return await resultOf(steps, signal);
}
