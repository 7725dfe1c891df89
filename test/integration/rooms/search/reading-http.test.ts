/** Reading over HTTP, against an API process: answers, their headers, and what bad input gets. */
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../../../support/stored-rows.ts';

const NOVEMBER = Date.UTC(2026, 10, 15, 12);

const api = await openForFile(startRunningApi());

const HOUR_MS = 3_600_000;
const at = (hours: number) => NOVEMBER - hours * HOUR_MS;

const seeds = [
  {
    createdAtMs: at(0),
    score: 700,
    amount: '125.50',
    merchantId: 'm_1',
    reasons: ['MODEL_PROBABILITY'],
  },
  {
    createdAtMs: at(2),
    score: 900,
    amount: '0.25',
    merchantId: 'm_2',
    reasons: ['MODEL_PROBABILITY'],
  },
  { createdAtMs: at(30), score: 10, amount: '900', currency: 'JPY', merchantId: 'm_2' },
  { createdAtMs: at(30), corridor: 'US-MX', amount: '3.00' },
  { createdAtMs: at(24 * 40), score: 20, amount: '1.00', merchantId: 'm_3' },
  { createdAtMs: at(1), accountId: 'acc_2', merchantId: 'm_1', amount: '4.00' },
];
await storeTransactions(
  api.database,
  seeds.map((seed, n) => ({ ...seed, id: idAt(seed.createdAtMs, n) })),
);
await storeDeadLetters(api.database, [
  { id: idAt(NOVEMBER, 90), transactionId: idAt(at(1), 5), failedAtMs: NOVEMBER },
]);

const get = (path: string, headers: Record<string, string> = {}) => api.request(path, { headers });
const getJson = async (path: string): Promise<unknown> => {
  const answer = await get(path);
  expect(answer.status).toBe(200);
  return await answer.json();
};

test('a stored score carries an entity tag; who has it is told so', async () => {
  const path = `/v1/scores/${idAt(at(0), 0)}`;
  const answer = await get(path);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ transaction_id: idAt(at(0), 0), score: 700 });
  expect(answer.headers.get('cache-control')).toBe('private, max-age=86400, immutable');
  const tag = answer.headers.get('etag') ?? '';
  expect((await get(path, { 'If-None-Match': `"x", W/${tag}` })).status).toBe(304);
  expect((await get(path, { 'If-None-Match': '"other"' })).status).toBe(200);
  const metrics = await (await get('/metrics')).text();
  expect(metrics).toMatch(/^risk_cache_hits_total\{cache="scores",tier="memory",.*\} 2$/m);
});

test('pending is 202, a dead letter and an unknown id are 404 of different types', async () => {
  const pending = await get(`/v1/scores/${idAt(at(30), 3)}`);
  expect([pending.status, pending.headers.get('retry-after')]).toEqual([202, '1']);
  const typeOf = async (id: string) => {
    const answer = await get(`/v1/scores/${id}`);
    return [answer.status, ((await answer.json()) as { type: string }).type];
  };
  expect(await typeOf(idAt(at(1), 5))).toEqual([404, 'urn:risk:problem:dead-letter']);
  expect(await typeOf(idAt(NOVEMBER, 77))).toEqual([404, 'urn:risk:problem:not-found']);
  expect(await typeOf('nonsense')).toEqual([422, 'urn:risk:problem:invalid-fields']);
});

test('an explanation names every feature and every rule, and the lineage', async () => {
  const explanation = await getJson(`/v1/scores/${idAt(at(0), 0)}/explanation`);
  expect(explanation).toMatchObject({
    score: { score: 700 },
    feature_schema: 3,
    lineage: { rule_set: 'default@3', model: null, attempts: 1, degradation: 0 },
  });
  const { features, rules } = explanation as { features: object[]; rules: object[] };
  expect(features.length).toBeGreaterThan(20);
  expect(features[0]).toMatchObject({ value: 1 });
  expect(features[1]).toMatchObject({ value: null });
  expect(rules.length).toBeGreaterThanOrEqual(12);
});

test('an account’s profile sums its windows exactly, each currency for itself', async () => {
  const as_of = new Date(NOVEMBER).toISOString();
  const profile = await getJson(`/v1/accounts/acc_1/profile?at=${as_of}`);
  expect(profile).toMatchObject({
    account_id: 'acc_1',
    as_of,
    complete: true,
    windows: [
      {
        hours: 1,
        transactions: 1,
        counterparties: 1,
        amounts: [{ currency: 'USD', sum: '125.50', max: '125.50' }],
      },
      {
        hours: 24,
        transactions: 2,
        counterparties: 2,
        amounts: [{ currency: 'USD', sum: '125.75', max: '125.50' }],
      },
      {
        hours: 168,
        transactions: 4,
        counterparties: 2,
        amounts: [
          { currency: 'JPY', sum: '900', max: '900' },
          { currency: 'USD', sum: '128.75', max: '125.50' },
        ],
      },
      { hours: 720, transactions: 4 },
    ],
  });
  expect((profile as { recent: object[] }).recent).toHaveLength(5);
  expect((await get('/v1/accounts/nobody/profile')).status).toBe(404);
});

test('daily summaries sum each day and corridor', async () => {
  const { items } = (await getJson('/v1/summaries/daily?from=2026-11-14&to=2026-11-15')) as {
    items: object[];
  };
  expect(items).toEqual([
    {
      day: '2026-11-14',
      corridor: 'US-EG',
      transactions: 1,
      amounts: { JPY: '900' },
      scores: { approve: 1, review: 0, decline: 0 },
      mean_score: 10,
      ...{ labels: { fraud: 0, legitimate: 0 }, dead_letters: 0 },
    },
    {
      day: '2026-11-14',
      corridor: 'US-MX',
      transactions: 1,
      amounts: { USD: '3.00' },
      scores: { approve: 0, review: 0, decline: 0 },
      mean_score: null,
      ...{ labels: { fraud: 0, legitimate: 0 }, dead_letters: 0 },
    },
    {
      day: '2026-11-15',
      corridor: 'US-EG',
      transactions: 3,
      amounts: { USD: '129.75' },
      scores: { approve: 0, review: 1, decline: 1 },
      mean_score: 800,
      ...{ labels: { fraud: 0, legitimate: 0 }, dead_letters: 1 },
    },
  ]);
  const one = await getJson('/v1/summaries/daily?from=2026-11-14&to=2026-11-15&corridor=US-MX');
  expect((one as { items: object[] }).items).toEqual([items[1]]);
});

const DAYS = 'from=2026-11-14&to=2026-11-15';
type Summaries = { items: { transactions: number }[] };
const summarize = async (query: string) =>
  ((await getJson(`/v1/summaries/daily?${DAYS}&${query}`)) as Summaries).items;

test('daily summaries are divided and filtered by what is asked', async () => {
  const rest = { amounts: { USD: '0.25' }, mean_score: 900, labels: null, dead_letters: null };
  expect(await summarize('group_by=verdict,rule_set,model&currency=USD&verdict=decline')).toEqual([
    {
      ...{ day: '2026-11-15', verdict: 'decline', rule_set: 'default@3', model: null },
      ...{ transactions: 1, scores: { approve: 0, review: 0, decline: 1 }, ...rest },
    },
  ]);
  expect(await summarize('group_by=rule')).toEqual([
    {
      ...{ day: '2026-11-15', rule: 'MODEL_PROBABILITY', transactions: 2, amounts: null },
      ...{ scores: null, mean_score: null, labels: null, dead_letters: null },
    },
  ]);
  expect(await summarize('group_by=currency')).toHaveLength(3);
  expect(await summarize('group_by=corridor&model=none')).toHaveLength(2);
});

test.each([
  '/v1/transactions?cursor=garbage',
  '/v1/transactions?limit=0',
  '/v1/transactions?from=yesterday',
  '/v1/accounts/a%00b/profile',
  '/v1/summaries/daily?from=2026-01-01&to=2026-12-31',
])('%s is 422', async (path) => {
  const answer = await get(path);
  expect(answer.status).toBe(422);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
});
