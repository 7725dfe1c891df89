/**
 * Goal: a shadow is compared with what was decided on the same transactions, by verdicts and labels, at a bounded cost. Method:
 * opinions and scores as workers store them.
 */
import { expect, test } from 'vitest';
import { compareShadow } from '../../../../src/rooms/models/queries/comparison.ts';
import { insertShadowBatch } from '../../../../src/rooms/models/store/shadow-batches.ts';
import { openTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { startRollOut } from '../../../support/rolled-out.ts';
import { storeLabels, storeScores } from '../../../support/scored-rows.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.now();

const { testDatabase, database } = await openTestDatabase();
const rollOut = await openForFile(startRollOut(testDatabase));

test('verdicts and labels of both, each transaction once', async () => {
  const model = await rollOut.register(1);
  const modelId = await rollOut.modelIdOf(model);
  const createdAtMs = NOW - HOUR_MS;
  const decided = [
    { risk: 0.1, verdict: 'approve', shadow: 0.9, label: 'fraud', margin: -2 },
    { risk: 0.6, verdict: 'review', shadow: 0.2, label: 'legitimate', margin: -3 },
    { risk: 0.9, verdict: 'decline', shadow: 0.95, label: 'fraud', margin: -1 },
    { risk: 0.1, verdict: 'approve', shadow: 0.1, label: undefined },
  ] as const;
  const ids = await storeScores(
    database,
    decided.map((one, at) => ({ ...one, createdAtMs: createdAtMs + at, features: [1] })),
  );
  await storeLabels(
    database,
    decided.flatMap(({ label }, at) =>
      label === undefined
        ? []
        : [{ id: ids[at] ?? '', createdAtMs: createdAtMs + at, label, labelledAtMs: NOW }],
    ),
  );
  const batch = {
    modelId,
    transactionIds: ids,
    probabilities: decided.map(({ shadow }) => shadow),
  };
  await insertShadowBatch(database, batch, createdAtMs);
  await insertShadowBatch(database, batch, createdAtMs + 1000);
  const found = await compareShadow(database, { reference: model, days: '7' }, NOW);
  expect(found).toMatchObject({ model, rows: 4, labelled: 3, frauds: 2 });
  expect(found?.verdicts.filter(({ rows }) => rows > 0)).toEqual([
    { decided: 'approve', shadow: 'approve', rows: 1 },
    { decided: 'approve', shadow: 'decline', rows: 1 },
    { decided: 'review', shadow: 'approve', rows: 1 },
    { decided: 'decline', shadow: 'decline', rows: 1 },
  ]);
  expect(found?.decided).toMatchObject({
    ...{ flagged: 2, precision: { rows: 2, value: 0.5 }, recall: { rows: 2, value: 0.5 } },
  });
  expect(found?.shadow).toMatchObject({
    ...{ flagged: 2, precision: { rows: 2, value: 1 }, recall: { rows: 2, value: 1 } },
  });
  // As many as were stopped of the three that a table judged: one is reviewed, one declined.
  expect(found?.scorecard).toMatchObject({
    ...{ rows: 3, flagged: 2, precision: { rows: 2, value: 1 }, recall: { rows: 2, value: 1 } },
  });
  const scorecard = await compareShadow(database, { reference: 'scorecard', days: '7' }, NOW);
  expect(scorecard).toMatchObject({ model: 'scorecard', rows: 3, frauds: 2 });
  const { rows, ...bound } = found.scorecard;
  expect([scorecard.scorecard, scorecard.shadow]).toEqual([{ rows, ...bound }, bound]);
  expect(scorecard.verdicts.filter((pair) => pair.rows > 0)).toEqual([
    { decided: 'approve', shadow: 'review', rows: 1 },
    { decided: 'review', shadow: 'approve', rows: 1 },
    { decided: 'decline', shadow: 'decline', rows: 1 },
  ]);
  expect(found?.distribution.filter(({ shadow }) => shadow > 0)).toEqual([
    { from: 0.1, decided: 2, shadow: 1 },
    { from: 0.2, decided: 0, shadow: 1 },
    { from: 0.9, decided: 1, shadow: 1 },
    { from: 0.95, decided: 0, shadow: 1 },
  ]);
});
