/**
 * Goal: each decision, each final decision and what rooms watch is in one event of each endpoint that takes it, even if rows are
 * stored again, things are found again or workers stop. Method: rows are stored as workers store them, and the duty turns them into deliveries.
 */
import { beforeEach, expect, test } from 'vitest';
import type { Verdict } from '../../../../src/core/domain/score-record.ts';
import { addEvents, type EventSource } from '../../../../src/core/events.ts';
import { applyRows } from '../../../../src/kit/outbox/outbox.ts';
import { addDecided, DECIDED, EVENTS, raiseWatched } from '../../../../src/rooms/webhooks/duty.ts';
import { insertVerdicts } from '../../../support/delivered.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { faultsOf } from '../../../support/rooms/webhooks/documented-event.ts';
import { ANN, createWebhookRig } from '../../../support/rooms/webhooks/rig.ts';
import { storeTransactions, type TransactionSeed } from '../../../support/stored-rows.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const URL = 'http://127.0.0.1:9/';

const { testDatabase, database, webhooks } = await openForFile(createWebhookRig());
beforeEach(async () => {
  await testDatabase.sql(
    `truncate transactions, scores, webhook_endpoints, webhook_deliveries, outbox_decided, outbox_events cascade`,
  );
});

let made = 0;
async function store(count: number, seed: Partial<TransactionSeed> = {}): Promise<string[]> {
  const seeds = Array.from({ length: count }, () => ({ createdAtMs: NOW + made++, ...seed }));
  return await storeTransactions(database, seeds);
}

const score = (ids: readonly string[], verdict: Verdict, corridor = 'US-EG') =>
  insertVerdicts(database, ids, verdict, NOW, [addDecided], corridor);

type Row = {
  readonly endpoint: string;
  readonly event: string;
  readonly payload: string;
  readonly decisions: number | null;
};
const deliveries = async () =>
  await testDatabase.sql<Row>(
    `select endpoint_id as endpoint, event_id as event, payload, decisions from webhook_deliveries order by event_id, endpoint_id`,
  );
const deliveriesTo = async (endpoint: string) =>
  (await deliveries()).filter((row) => row.endpoint === endpoint);
/** Transactions in the lists of an endpoint, sorted, with repetitions. */
const decidedOf = async (endpoint: string) =>
  (await deliveriesTo(endpoint)).flatMap(listedIn).sort();
function listedIn({ payload, decisions }: Row): string[] {
  const listed: { transaction_id: string }[] = JSON.parse(payload).data.decisions;
  expect(listed).toHaveLength(decisions ?? 0);
  return listed.map(({ transaction_id }) => transaction_id);
}
const waiting = async () => await testDatabase.sql('select from outbox_decided');

test('a list holds only what its endpoint takes by verdict, corridor and client', async () => {
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
  expect(await applyRows(database, DECIDED)).toEqual({ effect: 5, mayHaveMore: false });
  expect(await decidedOf(reviews)).toEqual([review, ofShop, decline, mexican].sort());
  expect(await decidedOf(declines)).toEqual([decline]);
  expect(await decidedOf(approvals)).toEqual([review, ofShop, decline, approve, mexican].sort());
  expect(await decidedOf(elsewhere)).toEqual([mexican]);
  expect(await decidedOf(others)).toEqual([ofShop]);
  const [{ event, payload } = { event: '', payload: '' }] = await deliveriesTo(declines);
  expect(event).toMatch(/^decided_[0-9a-f-]{36}$/);
  expect(faultsOf(JSON.parse(payload))).toEqual([]);
  expect(JSON.parse(payload)).toMatchObject({
    ...{ type: 'transaction.decided', timestamp: new Date(NOW).toISOString() },
    data: {
      decisions: [
        {
          ...{ transaction_id: decline, verdict: 'decline', score: 600, rule_set: 'default@3' },
          ...{ merchant_id: 'm_1', amount: '10.00', currency: 'USD' },
        },
      ],
    },
  });
  expect(new Set((await deliveries()).map((row) => row.event)).size).toBe(5);
});

test('a score that no endpoint takes adds no row to the outbox', async () => {
  const { webhook_id: id } = await webhooks.make(URL, { event_types: ['alert.raised'] });
  const { webhook_id: gone } = await webhooks.make(URL);
  await webhooks.remove(gone, ANN);
  await testDatabase.sql(
    `update webhook_endpoints set disabled_at = now(), disabled_reason = 'x' where endpoint_id = $1`,
    [id],
  );
  await score(await store(3), 'review');
  expect(await waiting()).toEqual([]);
  await webhooks.make(URL);
  await score(await store(3), 'approve');
  expect(await waiting()).toEqual([]);
  await score(await store(3), 'review');
  expect(await waiting()).toHaveLength(1);
});

test('events that a commit adds are sent once, decisions as lists in their order, which say less to a client', async () => {
  const types = { event_types: ['transaction.final_decision'] };
  const { webhook_id: id } = await webhooks.make(URL, types);
  const { webhook_id: shop } = await webhooks.make(URL, { ...types, client: 'shop' });
  const ids = await store(3);
  const [, own] = ids;
  await testDatabase.sql(`update transactions set client = 'shop' where transaction_id = $1`, [
    own,
  ]);
  const at = new Date(NOW);
  const decisions = ids.map((transactionId) => ({
    ...{ type: 'transaction.final_decision' as const, transactionId, corridor: 'US-EG', at },
    data: { transaction_id: transactionId, decided_by: 'Ann' },
    clientData: { transaction_id: transactionId },
  }));
  const notTaken = { id: 'checkpoint_1_1', type: 'evidence.checkpoint' as const, at, data: {} };
  await addEvents(database.query, [...decisions, notTaken]);
  expect(await testDatabase.sql('select from outbox_events')).toHaveLength(3);
  expect(await applyRows(database, EVENTS)).toEqual({ effect: 2, mayHaveMore: false });
  expect((await deliveriesTo(id)).map(listedIn)).toEqual([ids]);
  const [ofShop, ...others] = await deliveriesTo(shop);
  expect([ofShop?.decisions, others]).toEqual([1, []]);
  expect(JSON.parse(ofShop?.payload ?? '').data.decisions).toEqual([{ transaction_id: own }]);
});

/** Finds an alert of each hour. */
const SOURCES: readonly EventSource[] = [
  {
    type: 'alert.raised',
    find: async (_, nowMs) => {
      const at = new Date(nowMs);
      const hour = at.toISOString().slice(0, 13);
      return [{ id: `alert_${hour}`, type: 'alert.raised', at, data: { alert: 'high', hour } }];
    },
  },
];
const eventsOf = async (endpoint: string) =>
  (await deliveriesTo(endpoint)).map(({ event }) => event);

test('an event that is found again is delivered once, also to an endpoint that is made later', async () => {
  const { webhook_id: alerts } = await webhooks.make(URL, { event_types: ['alert.raised'] });
  const counts: number[] = [];
  for (const atMs of [NOW, NOW + 60_000, NOW + 3_600_000])
    counts.push(await raiseWatched(database, SOURCES, atMs));
  expect(counts).toEqual([1, 0, 1]);
  expect(await eventsOf(alerts)).toEqual(['alert_2026-11-20T12', 'alert_2026-11-20T13']);
  const { webhook_id: later } = await webhooks.make(URL, { event_types: ['alert.raised'] });
  expect(await raiseWatched(database, SOURCES, NOW + 3_600_000)).toBe(1);
  expect(await eventsOf(later)).toEqual(['alert_2026-11-20T13']);
  const [first] = await deliveriesTo(alerts);
  expect(first?.decisions).toBeNull();
  expect(JSON.parse(first?.payload ?? '')).toEqual({
    ...{ type: 'alert.raised', timestamp: '2026-11-20T12:00:00.000Z' },
    data: { alert: 'high', hour: '2026-11-20T12' },
  });
});
