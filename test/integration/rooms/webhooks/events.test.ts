/**
 * Goal: each decision, each final decision and what rooms watch is in one event of each endpoint that takes it, even if rows are
 * stored again, things are found again or workers stop. Method: rows are stored as workers store them, and the duty turns them into deliveries.
 */
import { beforeEach, expect, test } from 'vitest';
import type { Verdict } from '../../../../src/core/domain/score-record.ts';
import type { DecisionLog, WatchedEvents } from '../../../../src/core/events.ts';
import type { Database } from '../../../../src/kit/database/pool.ts';
import {
  addHooked,
  raiseDecided,
  raiseLogged,
  raiseWatched,
} from '../../../../src/rooms/webhooks/duty.ts';
import { toNewScores } from '../../../support/delivered.ts';
import { insertScores } from '../../../support/insert-scores.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { faultsOf } from '../../../support/rooms/webhooks/documented-event.ts';
import { ANN, createWebhookRig } from '../../../support/rooms/webhooks/rig.ts';
import { storeTransactions, type TransactionSeed } from '../../../support/stored-rows.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const URL = 'http://127.0.0.1:9/';

const { testDatabase, database, webhooks } = await openForFile(createWebhookRig());
beforeEach(async () => {
  await testDatabase.sql(
    `truncate transactions, scores, webhook_endpoints, webhook_deliveries, webhook_intake cascade`,
  );
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
      ...{
        features: Float64Array.of(1),
        model: null,
        attempts: 1,
        degradation: 0,
        ruleSet: 'default@3',
      },
    })),
  );
  return await insertScores(database, scores, NOW, [addHooked]);
}

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
const intake = async () => await testDatabase.sql('select from webhook_intake');

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
  expect(await raiseDecided(database)).toEqual({ deliveries: 5, mayHaveMore: false });
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

test('a score that no endpoint takes adds no row to the intake', async () => {
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

/** Throws before or after a statement, like the end of a worker there. */
function endsAt(name: string, when: 'before' | 'after'): Pick<Database, 'transaction'> {
  const ends = new Error('ends');
  return {
    transaction: (work) =>
      database.transaction((query) =>
        work(async (statement, values) => {
          if (statement.name !== name) return await query(statement, values);
          if (when === 'after') await query(statement, values);
          throw ends;
        }),
      ),
  };
}
/** Throws after the commit, before the caller learns of it. */
const endsAfterCommit: Pick<Database, 'transaction'> = {
  transaction: async (work) => {
    await database.transaction(work);
    throw new Error('ends');
  },
};

test('each decision is listed once, wherever a worker ends and however many workers go on', async () => {
  const { webhook_id: id } = await webhooks.make(URL);
  const { webhook_id: elsewhere } = await webhooks.make(URL, { corridors: ['US-MX'] });
  const ids = await store(6);
  for (const at of [0, 2, 4]) await score(ids.slice(at, at + 2), 'review', 'US-MX');
  for (const when of ['before', 'after'] as const) {
    await expect(raiseDecided(endsAt('insert-webhook-deliveries', when), 2)).rejects.toThrow(
      'ends',
    );
    expect(await deliveries()).toEqual([]);
  }
  await expect(raiseDecided(endsAfterCommit, 2)).rejects.toThrow('ends');
  expect(await decidedOf(id)).toEqual(ids.slice(0, 2).sort());
  await Promise.all([raiseDecided(database), raiseDecided(database), raiseDecided(database)]);
  for (const endpoint of [id, elsewhere]) expect(await decidedOf(endpoint)).toEqual(ids.toSorted());
});

/** A room's log of decisions: the position of each is its place in the list, from 1. */
const logOf = (ids: readonly string[]): DecisionLog => ({
  kind: 'decisions',
  type: 'transaction.final_decision',
  listAfter: async (_, position, rowsMax) =>
    ids
      .map((transactionId, index) => ({
        position: String(index + 1),
        transactionId,
        corridor: 'US-EG',
        atMs: NOW,
        json: JSON.stringify({ transaction_id: transactionId, decided_by: 'Ann' }),
        clientJson: JSON.stringify({ transaction_id: transactionId }),
      }))
      .slice(Number(position), Number(position) + rowsMax),
});

test('decisions of a log are events in their order, and say less to a client', async () => {
  const { webhook_id: id } = await webhooks.make(URL, {
    event_types: ['transaction.final_decision'],
  });
  const { webhook_id: shop } = await webhooks.make(URL, {
    ...{ event_types: ['transaction.final_decision'], client: 'shop' },
  });
  const ids = await store(3);
  const [, own] = ids;
  await testDatabase.sql(`update transactions set client = 'shop' where transaction_id = $1`, [
    own,
  ]);
  const log = logOf(ids);
  expect(await raiseLogged(database, log, 2)).toEqual({ deliveries: 2, mayHaveMore: true });
  expect(await raiseLogged(database, log, 2)).toEqual({ deliveries: 1, mayHaveMore: false });
  expect(await raiseLogged(database, log, 2)).toEqual({ deliveries: 0, mayHaveMore: false });
  const lists = (await deliveriesTo(id)).map(listedIn);
  expect(lists).toEqual([ids.slice(0, 2), ids.slice(2)]);
  const [ofShop, ...others] = await deliveriesTo(shop);
  expect([ofShop?.decisions, others]).toEqual([1, []]);
  expect(JSON.parse(ofShop?.payload ?? '').data.decisions).toEqual([{ transaction_id: own }]);
});

/** Finds an alert of each hour. */
const SOURCES: readonly WatchedEvents[] = [
  {
    kind: 'watched',
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
