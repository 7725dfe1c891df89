/**
 * Goal: what people send about cases is bounded, and bad input is refused by its name, never by a failure of the engine.
 * Method: an API process, and requests at each bound and beyond it.
 */
import { expect, test } from 'vitest';
import { CASE_LIMITS } from '../../../../src/rooms/review/case.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { raiseCases } from '../../../support/rooms/review/cases.ts';
import { FIRST_POLICY } from '../../../support/rooms/review/policy.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';
import { labelInput, postLabels, send } from '../../../support/submit.ts';

const api = await openForFile(startRunningApi());
const key = await insertPersonKey(api.testDatabase, 'Ann', ['analyst', 'risk_officer']);
const createdAtMs = Date.UTC(2026, 10, 20);
const [id = ''] = await storeTransactions(api.database, [{ createdAtMs, score: 730 }]);

async function post(path: string, body: unknown) {
  const { status, body: json } = await send(api, 'POST', path, body, key);
  const fields = (json.errors ?? []).map((error: { pointer: string }) => error.pointer);
  return { status, fields: [...new Set(fields)], json };
}

await post('/v1/reviews', { transaction_id: id });

const first = FIRST_POLICY.priorities[0] ?? {};
const last = FIRST_POLICY.priorities.at(-1) ?? {};
const capacity = FIRST_POLICY.capacity;

test.each([
  ['/four_eyes_amount', { four_eyes_amount: '5000.001' }],
  ['/currency', { currency: 'XAU' }],
  ['/lock_seconds', { lock_seconds: 1e300 }],
  ['/dispute_sources/0', { dispute_sources: ['\u0000'] }],
  ['/priorities', { priorities: [first] }],
  ['/priorities/0/constructor', { priorities: [{ ...first, constructor: 1 }, last] }],
  ['/overflow/0/actions/0', { overflow: [{ priority: 0, older_than_minutes: 1, actions: ['x'] }] }],
  ['/capacity/hours_per_day', { capacity: { ...capacity, hours_per_day: 25 } }],
])('a policy is refused by the name of its field: %s', async (field, changed) => {
  const before = await api.testDatabase.sql('select from review_policies');
  const { status, fields } = await post('/v1/reviews/policy', { ...FIRST_POLICY, ...changed });
  expect([status, fields]).toEqual([422, [field]]);
  expect(await api.testDatabase.sql('select from review_policies')).toEqual(before);
});

test.each([
  ['notes', { note: 'a\u0000b' }, '/note'],
  ['decide', { disposition: 'fraud', reason: 'x'.repeat(CASE_LIMITS.reasonChars + 1) }, '/reason'],
  ['assign', { assignee: 'Nobody' }, '/assignee'],
  ['return', {}, '/reason'],
])('%s refuses a body by the name of its field', async (step, body, field) => {
  const { status, fields } = await post(`/v1/reviews/${id}/${step}`, body);
  expect([status, fields]).toEqual([422, [field]]);
});

test.each([
  'cursor=4.999999999999999.01a1f84a-95c0-7000-8000-00000000002a',
  'account_id=%00',
  'state=nothing',
])('a list by %s is refused', async (query) => {
  const { status } = await send(api, 'GET', `/v1/reviews?${query}`, undefined, key);
  expect(status).toBe(422);
});

test('a case that is opened by hand is counted once, and as unrated where no rate is known', async () => {
  const [rare = ''] = await storeTransactions(api.database, [
    { createdAtMs: Date.UTC(2026, 10, 20, 1), score: 10, currency: 'JPY', amount: '500' },
  ]);
  const count = async (sample: string) => {
    const text = await (await api.request('/metrics')).text();
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(sample))
        ?.split(' ')
        .at(-1) ?? 0,
    );
  };
  const opened = () => count('risk_review_cases_opened_total{source="manual",priority="P1",');
  const unrated = () => count('risk_review_cases_unrated_total{');
  const before = [await opened(), await unrated()] as const;
  expect((await post('/v1/reviews', { transaction_id: rare })).status).toBe(201);
  expect((await post('/v1/reviews', { transaction_id: rare })).status).toBe(200);
  expect([await opened(), await unrated()]).toEqual([before[0] + 1, before[1] + 1]);
});

test('a label of a bank that says fraud raises a case once; any other label raises none', async () => {
  const seeds = [1, 2, 3].map((ms) => ({ createdAtMs: Date.UTC(2026, 10, 20) + ms, score: 100 }));
  const [disputed = '', legitimate = '', other = ''] = await storeTransactions(api.database, seeds);
  const labels = [
    labelInput({ transaction_id: disputed }),
    labelInput({ transaction_id: legitimate, label: 'legitimate' }),
    labelInput({ transaction_id: other, source: 'somebody' }),
  ];
  const sent = [await postLabels(api, labels), await postLabels(api, labels)];
  expect(sent.map(({ status }) => status)).toEqual([200, 200]);
  expect(await raiseCases(api.database)).toMatchObject([
    { transaction_id: disputed, source: 'dispute', priority: 0 },
  ]);
});

test('what was decided, and by which policy, is never changed by a statement', async () => {
  for (const change of [
    `update review_policies set made_by = 'x'`,
    'delete from review_policies',
    'truncate review_policies',
    `update final_decisions set disposition = 'unsure'`,
    'truncate final_decisions',
  ]) {
    await expect(api.testDatabase.sql(change)).rejects.toThrow('never change');
  }
});
