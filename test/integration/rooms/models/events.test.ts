/**
 * Goal: a model that drifted much is one alert a UTC day. Method: reports as the watch stores them, in a real Postgres.
 */
import { expect, test } from 'vitest';
import { events } from '../../../../src/rooms/models/events.ts';
import { createTestDatabase } from '../../../support/database.ts';
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
