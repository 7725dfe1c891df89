/**
 * Goal: a model that drifted much is one alert a UTC day, and a table that waits for people is told once to those who may take it.
 * Method: reports as the watch stores them, and tables of nights, in a real Postgres.
 */
import { expect, test } from 'vitest';
import { DAY_MS } from '../../../../src/kit/words/range.ts';
import { events } from '../../../../src/rooms/models/events.ts';
import { insertControl } from '../../../support/controls.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { learntTable, storeTable, storeUntaken } from '../../../support/policies.ts';
import { bodyOf, faultsOf } from '../../../support/rooms/webhooks/documented-event.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

test('a report that alerts is an event of its day, and names the features that drifted', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  const at = new Date(NOW);
  await testDatabase.sql(
    `insert into watch_reports (watched_at, model, report)
     select $1, model, jsonb_build_object('model', model, 'level', level, 'watched_at', $2::text,
            'score', '{"psi": 0.3}'::jsonb, 'features', '[{"feature": "amount", "level": "alert"}, {"feature": "hour", "level": "fine"}]'::jsonb)
       from (values ('fraud@1.2', 'alert'), ('other@1', 'notice')) as m (model, level)`,
    [at, at.toISOString()],
  );
  const [source] = events;
  expect(await source?.find(database.query, NOW - 1)).toEqual([]);
  const found = await source?.find(database.query, NOW + 3_600_000);
  expect(found?.map((one) => faultsOf(bodyOf(one)))).toEqual([[]]);
  expect(found).toEqual([
    {
      ...{ id: 'alert_drift_fraud@1-2_2026-11-20', type: 'alert.raised', at },
      data: {
        ...{ alert: 'model_drift', model: 'fraud@1.2', watched_at: at.toISOString(), psi: 0.3 },
        features: ['amount'],
      },
    },
  ]);
});

test('a table that waits is an event of its day until a newer table is taken', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  for (const [name, role] of [
    ['Ann', 'risk_officer'],
    ['Ed', 'operator'],
  ] as const)
    await insertPersonKey(testDatabase, name, [role]);
  const find = async () => (await events[1]?.find(database.query, NOW)) ?? [];
  const day = NOW / DAY_MS - 0.5;
  await storeTable(testDatabase, learntTable('taken', { day: day - 2 }).table);
  expect(await find()).toEqual([]);
  await storeUntaken(testDatabase, day - 1);
  const found = await find();
  expect(found.map((event) => faultsOf(bodyOf(event)))).toEqual([[]]);
  expect(found).toMatchObject([
    {
      ...{ id: 'scorecard_2026-11-19', type: 'approval.waiting' },
      data: {
        ...{ action: 'scorecard-table', subject: '2026-11-19', recipients: ['Ann'], reason: null },
        next: 'Two people take it: risk scorecard take 2026-11-19.',
      },
    },
  ]);
  await storeTable(testDatabase, learntTable('newer', { day }).table);
  expect(await find()).toEqual([]);
  await testDatabase.sql(insertControl('stop', 'model:scorecard@2026-11-20'));
  expect(await find()).toEqual([]);
});
