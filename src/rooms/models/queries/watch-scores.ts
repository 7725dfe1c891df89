/**
 * The watch over models: one look at how scores and their outcomes are distributed (reads samples, compares them, makes
 * reports), and what the last look found (`GET /v1/models/watch`).
 */
import { z } from 'zod';
import { FEATURE_LIST, featureIndex } from '../../../core/domain/feature-schema.ts';
import { SCORECARD } from '../../../core/score/scorecard/judge-by-table.ts';
import { sampleOutcomes, sampleVectors } from '../../../core/store/scores/score-window.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { type Databases, readFrom } from '../../../kit/database/replica/choose-database.ts';
import { logistic } from '../../../kit/elementary-functions.ts';
import { shown, timeParameter } from '../../../kit/words/list-parameters.ts';
import { besideDecided } from '../scorecards/beside.ts';
import { readReferences } from '../store/models.ts';
import { listWatchReports } from '../store/watch-reports.ts';
import { listSubjects, windowsAt, writeReport } from '../watch/write-reports.ts';
import type { WatchReport } from '../watch-report.ts';

/** Rows on each side of a comparison: by chance alone the index of ten bins is then 0.004. */
const DRIFT_ROWS = 5000;
/** At one fraud in a hundred and twenty, these rows hold 160 frauds. */
const OUTCOME_ROWS = 20_000;
const FEATURE_NAMES = FEATURE_LIST.map(({ name }) => name);
/** A score that no table judged lacks the features from this one on: scores of 1.0.0, and those before the first table. */
const BY_TABLE = featureIndex('amount_to_corridor');

/**
 * @param atMs scores and labels that were stored by then count
 * @param maturityDays how long the label of a transaction may take
 */
export async function watchScores(
  { query }: Pick<Database, 'query'>,
  atMs: number,
  maturityDays: number,
  signal: AbortSignal,
): Promise<WatchReport[]> {
  const windows = windowsAt(atMs, maturityDays);
  const samples = {
    recent: await sampleComputed(query, windows.recent, DRIFT_ROWS, signal),
    before: await sampleComputed(query, windows.before, DRIFT_ROWS, signal),
    matured: await sampleOutcomes(query, windows.matured, OUTCOME_ROWS, atMs, signal),
  };
  const subjects = listSubjects(samples);
  const references = await readReferences(query, subjects);
  const reports: WatchReport[] = [];
  for (const subject of subjects) {
    const reference = references.get(subject);
    reports.push(await writeReport(subject, samples, windows, FEATURE_NAMES, reference));
  }
  const byScorecard = {
    recent: byMargin(samples.recent),
    before: byMargin(samples.before),
    matured: besideDecided(samples.matured).map(({ byScorecard: verdict, ...row }) => ({
      ...row,
      ...{ model: SCORECARD, verdict },
    })),
  };
  if (byScorecard.recent.length + byScorecard.matured.length === 0) return reports;
  return [...reports, await writeReport(SCORECARD, byScorecard, windows, [], undefined)];
}

const byMargin = (rows: readonly { readonly margin: number | null }[]) =>
  rows.flatMap(({ margin }) =>
    margin === null ? [] : { model: SCORECARD, value: logistic(margin), vector: [] },
  );

async function sampleComputed(...of: Parameters<typeof sampleVectors>) {
  return (await sampleVectors(...of)).map((row) =>
    row.margin === null ? { ...row, vector: row.vector.subarray(0, BY_TABLE) } : row,
  );
}

export const modelWatchParameters = z.strictObject({
  at: timeParameter
    .optional()
    .meta(shown('2026-11-20T10:00:00.000Z', 'The last report up to then; default now.')),
  model: z
    .string()
    .min(1)
    .max(127)
    .optional()
    .meta({ description: '`name@version`, `rules` or `scorecard`; default all.' }),
});

/** The latest reports, or those at a time. */
export async function readModelWatch(
  databases: Databases,
  { at = databases.now(), model }: z.output<typeof modelWatchParameters>,
): Promise<WatchReport[]> {
  const reports = await readFrom(databases, at, ({ query }) => listWatchReports(query, at));
  return model === undefined ? reports : reports.filter((report) => report.model === model);
}
