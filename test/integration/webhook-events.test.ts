/**
 * Goal: each decision, final decision, near deadline and alert makes one delivery for each endpoint that takes it, whatever is
 * stored again or stops in between. Method: rows are stored as workers store them, and the duty makes deliveries of them.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { raiseDecided } from '../../src/control/webhooks/raise-decided.ts';
import { raiseFinal } from '../../src/control/webhooks/raise-final.ts';
import { raiseWatched } from '../../src/control/webhooks/raise-watched.ts';
import type { Verdict } from '../../src/domain/score-record.ts';
import type { Database } from '../../src/store/database/pool.ts';
import { insertScores } from '../../src/store/scores/scores.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { toNewScores } from '../support/delivered.ts';
import { storeDecisions } from '../support/final-decisions.ts';
import { openCasesOf } from '../support/review-cases.ts';
import { storeTransactions, type TransactionSeed } from '../support/stored-rows.ts';
import { ANN, openWebhooks } from '../support/webhooks.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const LINEAGE = { scoredAtMs: NOW, featureSchema: 1, ruleSet: 'default@2' };
const URL = 'http://127.0.0.1:9/';

let testDatabase: TestDatabase;
let database: Database;
let webhooks: ReturnType<typeof openWebhooks>;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.open();
  webhooks = openWebhooks(database);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await testDatabase.sql(
    `truncate transactions, scores, review_intake, review_cases, webhook_endpoints, webhook_deliveries, webhook_intake cascade`,
  );
  await testDatabase.sql('delete from final_decisions');
  await testDatabase.sql('update webhook_position set decision_id = 0');
});

let made = 0;
async function store(count: number, seed: Partial<TransactionSeed> = {}): Promise<string[]> {
  const seeds = Array.from({ length: count }, () => ({ createdAtMs: NOW + made++, ...seed }));
  return await storeTransactions(database, seeds);
}

/** Stores scores as a worker does. */
async function score(ids: readonly string[], verdict: Verdict, corridor = 'US-EG') {
  const decision = { score: 600, risk: 0.6, probability: null, verdict, reasons: [] };
  const scores = toNewScores(
    ids.map((transactionId) => ({
      ...{ transactionId, accountId: 'acc_1', corridor, decision },
      createdAtMs: Number.parseInt(transactionId.replace('-', '').slice(0, 12), 16),
      ...{ features: Float64Array.of(1), model: null, attempts: 1, degradation: 0 },
    })),
  );
  return await insertScores(database, scores, LINEAGE);
}

type Row = { readonly endpoint: string; readonly event: string; readonly payload: string };
const deliveries = async () =>
  await testDatabase.sql<Row>(
    `select endpoint_id as endpoint, event_id as event, payload from webhook_deliveries order by event_id, endpoint_id`,
  );
const eventsOf = async (endpoint: string) =>
  (await deliveries()).filter((row) => row.endpoint === endpoint).map(({ event }) => event);
const decided = (ids: readonly string[]) => ids.map((id) => `decided_${id}`).sort();
const intake = async () => await testDatabase.sql('select from webhook_intake');

test('a score is an event for those who take its verdict, corridor and client', async () => {
  const [reviews = '', declines = '', approvals = '', elsewhere = '', others = ''] =
    await Promise.all([
      webhooks.make(URL),
      webhooks.make(URL, { verdicts: ['decline'] }),
      webhooks.make(URL, { verdicts: ['approve', 'review', 'decline'] }),
      webhooks.make(URL, { corridors: ['US-MX'] }),
      webhooks.make(URL, { client: 'shop' }),
    ]).then((all) => all.map(({ webhook_id }) => webhook_id));
  const [review = '', decline = '', approve = '', mexican = '', ofShop = ''] = await store(5);
  await testDatabase.sql(`update transactions set client = 'shop' where transaction_id = $1`, [
    ofShop,
  ]);
  await score([review, ofShop], 'review');
  await score([decline], 'decline');
  await score([approve], 'approve');
  await score([mexican], 'review', 'US-MX');
  expect(await raiseDecided(database)).toEqual({ deliveries: 12, mayHaveMore: false });
  expect(await eventsOf(reviews)).toEqual(decided([review, ofShop, decline, mexican]));
  expect(await eventsOf(declines)).toEqual(decided([decline]));
  expect(await eventsOf(approvals)).toEqual(decided([review, ofShop, decline, approve, mexican]));
  expect(await eventsOf(elsewhere)).toEqual(decided([mexican]));
  expect(await eventsOf(others)).toEqual(decided([ofShop]));
  const payload = (await deliveries()).find(({ event }) => event === `decided_${review}`)?.payload;
  expect(JSON.parse(payload ?? '')).toMatchObject({
    ...{ type: 'transaction.decided', timestamp: new Date(NOW).toISOString() },
    data: {
      ...{ transaction_id: review, verdict: 'review', score: 600, rule_set: 'default@2' },
      ...{ merchant_id: 'm_1', amount: '10.00', currency: 'USD' },
    },
  });
});

test('without an endpoint that takes it, nothing is written beside a score', async () => {
  const { webhook_id: id } = await webhooks.make(URL, { event_types: ['alert.raised'] });
  const { webhook_id: gone } = await webhooks.make(URL);
  await webhooks.remove(gone, ANN);
  await testDatabase.sql(
    `update webhook_endpoints set disabled_at = now(), disabled_reason = 'x' where endpoint_id = $1`,
    [id],
  );
  await score(await store(3), 'review');
  expect(await intake()).toEqual([]);
  await webhooks.make(URL);
  await score(await store(3), 'approve');
  expect(await intake()).toEqual([]);
  await score(await store(3), 'review');
  expect(await intake()).toHaveLength(1);
});

test('a redelivery of all or some of a batch makes no second delivery', async () => {
  const { webhook_id: id } = await webhooks.make(URL);
  const ids = await store(3);
  await score(ids.slice(0, 2), 'review');
  await score(ids.slice(0, 2), 'review');
  await score(ids, 'review');
  const named = await testDatabase.sql<{ ids: string[] }>(
    'select transaction_ids::text[] as ids from webhook_intake',
  );
  expect(named.flatMap((row) => row.ids).sort()).toEqual(ids.toSorted());
  await raiseDecided(database);
  // A row that a person put back in by hand changes nothing either.
  await testDatabase.sql('insert into webhook_intake (transaction_ids) values ($1)', [ids]);
  expect(await raiseDecided(database)).toEqual({ deliveries: 0, mayHaveMore: false });
  expect(await eventsOf(id)).toEqual(decided(ids));
});

test('a step takes rows until they name enough transactions', async () => {
  const { webhook_id: id } = await webhooks.make(URL);
  const ids = await store(6);
  for (const at of [0, 2, 4]) await score(ids.slice(at, at + 2), 'review');
  expect(await raiseDecided(database, 3)).toEqual({ deliveries: 4, mayHaveMore: true });
  expect(await raiseDecided(database, 3)).toEqual({ deliveries: 2, mayHaveMore: false });
  expect(await eventsOf(id)).toEqual(decided(ids));
});

test('a worker that ends between the deliveries and their commit leaves the intake to the next', async () => {
  const { webhook_id: id } = await webhooks.make(URL);
  const ids = await store(2);
  await score(ids, 'review');
  const ends = new Error('ends');
  const cut: Pick<Database, 'transaction'> = {
    transaction: (work) =>
      database.transaction((query) =>
        work((statement, values) => {
          if (statement.name === 'insert-webhook-deliveries') throw ends;
          return query(statement, values);
        }),
      ),
  };
  await expect(raiseDecided(cut)).rejects.toThrow('ends');
  expect(await eventsOf(id)).toEqual([]);
  await Promise.all([raiseDecided(database), raiseDecided(database), raiseDecided(database)]);
  expect(await eventsOf(id)).toEqual(decided(ids));
});

test('final decisions are events in their order, once, and say less to a client', async () => {
  const { webhook_id: id } = await webhooks.make(URL, {
    event_types: ['transaction.final_decision'],
  });
  const { webhook_id: shop } = await webhooks.make(URL, {
    ...{ event_types: ['transaction.final_decision'], client: 'shop' },
  });
  const [own = ''] = await storeTransactions(database, [{ createdAtMs: NOW, score: 600 }]);
  await testDatabase.sql(`update transactions set client = 'shop'`);
  await storeDecisions(testDatabase, 3);
  await testDatabase.sql(
    'alter table final_decisions disable trigger final_decisions_never_change',
  );
  await testDatabase.sql('update final_decisions set transaction_id = $1 where decision_id = 2', [
    own,
  ]);
  await testDatabase.sql('alter table final_decisions enable trigger final_decisions_never_change');
  expect(await raiseFinal(database, 2)).toEqual({ deliveries: 3, mayHaveMore: true });
  expect(await raiseFinal(database, 2)).toEqual({ deliveries: 1, mayHaveMore: false });
  expect(await raiseFinal(database, 2)).toEqual({ deliveries: 0, mayHaveMore: false });
  expect(await eventsOf(id)).toEqual(['final_1', 'final_2', 'final_3']);
  expect(await eventsOf(shop)).toEqual(['final_2']);
  const bodies = new Map(
    (await deliveries()).map(({ endpoint, event, payload }) => [`${endpoint} ${event}`, payload]),
  );
  expect(bodies.get(`${id} final_2`)).toContain('"decided_by":"Ann"');
  expect(JSON.parse(bodies.get(`${shop} final_2`) ?? '').data).toMatchObject({
    ...{ transaction_id: own, disposition: 'fraud' },
  });
  expect(bodies.get(`${shop} final_2`)).not.toContain('Ann');
});

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
  // A dispute gives a case a deadline anew.
  await due(near, 10);
  expect(await raiseWatched(database, Date.now())).toBe(1);
});

test('an alert is an event in every hour or day in which it holds', async () => {
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
  const [drift] = await deliveries();
  expect(JSON.parse(drift?.payload ?? '').data).toMatchObject({
    ...{ alert: 'model_drift', model: 'fraud@1.2', psi: 0.3, features: ['amount'] },
  });
});
