/** A model with a card, opinions as a shadow, and a report of the watch: something for every plot of its page. */
import { join } from 'node:path';
import { watchScores } from '../../../src/rooms/models/queries/watch-scores.ts';
import { insertShadowBatch } from '../../../src/rooms/models/store/shadow-batches.ts';
import { insertWatchReports } from '../../../src/rooms/models/store/watch-reports.ts';
import { storeTrainingDays } from '../../support/made-days.ts';
import { type RollOut, startRollOut } from '../../support/rolled-out.ts';
import { storeLabels, storeScores } from '../../support/scored-rows.ts';
import type { Engine } from './engine.ts';

const DAY_MS = 86_400_000;
export const TRAINED = 'fraud@1';
const TRAINING = ['--from', '2026-03-01', '--to', '2026-03-31', '--name', TRAINED];
const VALIDATION = ['--validate-from', '2026-04-01', '--validate-to', '2026-04-14'];
const QUICK = ['--known-by', '2026-04-24', '--set', 'rounds=20,learningRate=0.3'];

/** The trained model is staged. */
export async function trainModel({ api }: Engine): Promise<RollOut> {
  const rollOut = await startRollOut(api.testDatabase);
  const { rig } = rollOut;
  await storeTrainingDays(api.database, 90, 0.05);
  const officer = await rig.makeKey('Trainer', ['risk_officer']);
  const args = [...TRAINING, ...VALIDATION, ...QUICK, '--out', join(rig.folder, 'trained')];
  await rig.json(officer, 'train', ...args);
  return rollOut;
}

/** Scores that it decided a day and ten days ago, and what it would have decided as a shadow. */
export async function storeHistory({ api: { database } }: Engine, rollOut: RollOut): Promise<void> {
  const nowMs = Date.now();
  const probabilityOf = (row: number) => ((row * 37) % 100) / 100;
  const seedsAt = (agoMs: number, rows: number) =>
    Array.from({ length: rows }, (_, row) => ({
      ...{ createdAtMs: nowMs - agoMs + row, model: TRAINED, features: [row % 10] },
      ...{ probability: probabilityOf(row), risk: probabilityOf(row) },
      verdict: row % 20 === 0 ? ('review' as const) : ('approve' as const),
    }));
  await storeScores(database, seedsAt(DAY_MS / 2, 1200));
  const matured = seedsAt(10 * DAY_MS, 1200);
  const ids = await storeScores(database, matured);
  await storeLabels(
    database,
    ids.map((id, row) => ({
      ...{ id, createdAtMs: matured[row]?.createdAtMs ?? 0 },
      label: probabilityOf(row) > 0.9 ? ('fraud' as const) : ('legitimate' as const),
      labelledAtMs: nowMs - 2 * DAY_MS,
    })),
  );
  const modelId = await rollOut.modelIdOf(TRAINED);
  const probabilities = ids.map((_, row) => Math.min(1, probabilityOf(row) * 1.05));
  await insertShadowBatch(
    database,
    { modelId, transactionIds: ids, probabilities },
    nowMs - 10 * DAY_MS,
  );
  const reports = await watchScores(database, nowMs, 7, new AbortController().signal);
  await insertWatchReports(database.query, nowMs, reports);
}
