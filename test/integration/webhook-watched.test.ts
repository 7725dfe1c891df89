/**
 * Goal: each near deadline and each alert is one event of each endpoint that takes it, however often the duty runs. Method: cases
 * and reports are stored as workers store them, and the duty turns them into deliveries.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { raiseWatched } from '../../src/rooms/webhooks/raise/raise-watched.ts';
import { openCasesOf } from '../support/review-cases.ts';
import { createWebhookRig, type WebhookRig } from '../support/webhooks.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const URL = 'http://127.0.0.1:9/';

let rig: WebhookRig;
let testDatabase: WebhookRig['testDatabase'];
let database: WebhookRig['database'];
let webhooks: WebhookRig['webhooks'];
beforeAll(async () => {
  rig = await createWebhookRig();
  ({ testDatabase, database, webhooks } = rig);
});
afterAll(() => rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await testDatabase.sql(
    'truncate transactions, scores, review_intake, review_cases, webhook_endpoints, webhook_deliveries cascade',
  );
});

type Row = { readonly event: string; readonly payload: string; readonly decisions: number | null };
const deliveriesTo = async (endpoint: string) =>
  await testDatabase.sql<Row>(
    'select event_id as event, payload, decisions from webhook_deliveries where endpoint_id = $1 order by 1',
    [endpoint],
  );
const eventsOf = async (endpoint: string) =>
  (await deliveriesTo(endpoint)).map(({ event }) => event);

test('a deadline that is near, or was missed, is one event; one that was met is none', async () => {
  const { webhook_id: id } = await webhooks.make(URL, { event_types: ['review.deadline_near'] });
  const [near = '', missed = '', , longMissed = '', closed = ''] = await openCasesOf(
    testDatabase,
    database,
    [{}, {}, {}, {}, {}],
  );
  const due = (transactionId: string, minutes: number) =>
    testDatabase.sql(
      `update review_cases set due_at = now() + $2 * interval '1 minute' where transaction_id = $1`,
      [transactionId, minutes],
    );
  await due(near, 29);
  await due(missed, -30);
  await due(longMissed, -25 * 60);
  await due(closed, 5);
  await testDatabase.sql(
    `update review_cases set state = 'closed', disposition = 'fraud', decision_reason = 'x', decided_by = 'Ann', final_at = now(),
            closed_at = now() where transaction_id = $1`,
    [closed],
  );
  expect(await raiseWatched(database, Date.now())).toBe(2);
  expect(await raiseWatched(database, Date.now())).toBe(0);
  expect((await eventsOf(id)).map((event) => event.split('_')[1]).sort()).toEqual(
    [near, missed].sort(),
  );
  // A dispute gives a case a new deadline.
  await due(near, 10);
  expect(await raiseWatched(database, Date.now())).toBe(1);
});

test('an alert is one event in each hour, or day, in which it holds', async () => {
  const { webhook_id: id } = await webhooks.make(URL, {
    event_types: ['alert.raised'],
    corridors: ['US-MX'],
  });
  await openCasesOf(testDatabase, database, [{}]);
  expect(await raiseWatched(database, NOW)).toBe(0);
  await testDatabase.sql(`update review_cases set opened_at = now() - interval '9 hours'`);
  await testDatabase.sql(
    `insert into watch_reports (watched_at, model, report)
     select $1, model, jsonb_build_object('model', model, 'level', level, 'watched_at', $2::text,
            'score', '{"psi": 0.3}'::jsonb, 'features', '[{"feature": "amount", "level": "alert"}, {"feature": "hour", "level": "fine"}]'::jsonb)
       from (values ('fraud@1.2', 'alert'), ('other@1', 'notice')) as m (model, level)`,
    [new Date(NOW), new Date(NOW).toISOString()],
  );
  const times = [NOW, NOW + 60_000, NOW + 3_600_000];
  const counts: number[] = [];
  for (const atMs of times) counts.push(await raiseWatched(database, atMs));
  expect(counts).toEqual([2, 0, 1]);
  expect(await eventsOf(id)).toEqual([
    ...['alert_drift_fraud@1-2_2026-11-20'],
    ...['alert_overflow_P4_480_2026-11-20T12', 'alert_overflow_P4_480_2026-11-20T13'],
  ]);
  const [drift] = await deliveriesTo(id);
  expect(drift?.decisions).toBeNull();
  expect(JSON.parse(drift?.payload ?? '').data).toMatchObject({
    ...{ alert: 'model_drift', model: 'fraud@1.2', psi: 0.3, features: ['amount'] },
  });
});
