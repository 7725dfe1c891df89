/** One check of how scores and their outcomes are distributed: reads samples, compares them, writes reports. */
import { setImmediate as turn } from 'node:timers/promises';
import { FEATURE_LIST } from '../../../core/domain/feature-schema.ts';
import { readReferences } from '../../../core/store/models/models.ts';
import { sampleOutcomes, sampleVectors } from '../../../core/store/scores/score-window.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { windowsAt } from '../watch/windows.ts';
import { listSubjects, writeReport } from '../watch/write-reports.ts';
import type { WatchReport } from '../watch-report.ts';

/** Rows on each side of a comparison: by chance alone the index of ten bins is then 0.004. */
const DRIFT_ROWS = 5000;
/** At one fraud in a hundred and twenty, these rows hold 160 frauds. */
const OUTCOME_ROWS = 20_000;
const FEATURE_NAMES = FEATURE_LIST.map(({ name }) => name);

/**
 * @param atMs scores and labels that were stored by then count
 * @param maturityDays how long the label of a transaction may take
 */
export async function watchScores(
  database: Pick<Database, 'query'>,
  atMs: number,
  maturityDays: number,
  signal: AbortSignal,
): Promise<WatchReport[]> {
  const { query } = database;
  const windows = windowsAt(atMs, maturityDays);
  const samples = {
    recent: await sampleVectors(query, windows.recent, DRIFT_ROWS, signal),
    before: await sampleVectors(query, windows.before, DRIFT_ROWS, signal),
    matured: await sampleOutcomes(query, windows.matured, OUTCOME_ROWS, atMs, signal),
  };
  const subjects = listSubjects(samples);
  const references = await readReferences(database, subjects);
  const reports: WatchReport[] = [];
  for (const subject of subjects) {
    const reference = references.get(subject);
    const steps = writeReport(subject, samples, windows, FEATURE_NAMES, reference);
    reports.push(await finish(steps));
  }
  return reports;
}

/** Each step takes its own turn of the event loop, so that the worker keeps scoring. */
async function finish<Result>(steps: Generator<undefined, Result>): Promise<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await turn();
  }
}
