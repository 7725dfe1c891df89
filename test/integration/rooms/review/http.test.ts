/**
 * Goal: what people send about cases is bounded, and bad input is refused by its name, never by a failure of the engine.
 * Method: an API process, and requests at each bound and beyond it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CASE_LIMITS } from '../../../../src/rooms/review/case.ts';
import { raiseCases } from '../../../../src/rooms/review/change/raise-cases.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { FIRST_POLICY } from '../../../support/rooms/review/policy.ts';
import { type RunningApi, startRunningApi } from '../../../support/running-api.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';
import { answerOf, labelInput, postLabels } from '../../../support/submit.ts';

let api: RunningApi;
let key: string;
let id: string;
beforeAll(async () => {
  api = await startRunningApi();
  key = await insertPersonKey(api.testDatabase, 'Ann', ['analyst', 'risk_officer']);
  const createdAtMs = Date.UTC(2026, 10, 20);
  [id = ''] = await storeTransactions(api.database, [{ createdAtMs, score: 730 }]);
  await post('/v1/reviews', { transaction_id: id });
});
afterAll(() => api[Symbol.asyncDispose]());

const headers = () => ({ Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' });
async function post(path: string, body: unknown) {
  const answer = await fetch(api.url + path, {
    ...{ method: 'POST', headers: headers(), body: JSON.stringify(body) },
  });
  const { status, body: json } = await answerOf(answer);
  const fields = (json.errors ?? []).map((error: { pointer: string }) => error.pointer);
  return { status, fields: [...new Set(fields)], json };
}

const first = FIRST_POLICY.priorities[0] ?? {};
const last = FIRST_POLICY.priorities.at(-1) ?? {};
const capacity = FIRST_POLICY.capacity;

test.each([
  ['/four_eyes_amount', { four_eyes_amount: 5000 }],
  ['/four_eyes_amount', { four_eyes_amount: '-1' }],
  ['/four_eyes_amount', { four_eyes_amount: '1e9' }],
  ['/four_eyes_amount', { four_eyes_amount: '5000.001' }],
  ['/four_eyes_amount', { four_eyes_amount: 'NaN' }],
  ['/currency', { currency: 'EURO' }],
  ['/currency', { currency: 'usd' }],
  ['/currency', { currency: 'XAU' }],
  ['/currency', { currency: undefined }],
  ['/currency', { currency: 978 }],
  ['/lock_seconds', { lock_seconds: 9 }],
  ['/lock_seconds', { lock_seconds: 1e300 }],
  ['/undo_seconds', { undo_seconds: -1 }],
  ['/undo_seconds', { undo_seconds: 1.5 }],
  ['/spot_check_ratio', { spot_check_ratio: 1.01 }],
  ['/spot_check_ratio', { spot_check_ratio: null }],
  ['/dispute_sources/0', { dispute_sources: ['\u0000'] }],
  ['/dispute_sources/0', { dispute_sources: ['\ud800'] }],
  ['/dispute_sources', { dispute_sources: ['review'] }],
  ['/dispute_sources', { dispute_sources: Array.from({ length: 65 }, (_, n) => `s${n}`) }],
  ['/priorities', { priorities: [] }],
  ['/priorities', { priorities: [first] }],
  ['/priorities/0/priority', { priorities: [{ ...first, priority: 6 }, last] }],
  ['/priorities/0/deadline_minutes', { priorities: [{ ...first, deadline_minutes: 0 }, last] }],
  ['/priorities/0/name', { priorities: [{ ...first, name: '' }, last] }],
  ['/priorities/0/score_from', { priorities: [{ ...first, score_from: 1001 }, last] }],
  ['/priorities/0/reasons', { priorities: [{ ...first, reasons: [] }, last] }],
  ['/priorities/0/constructor', { priorities: [{ ...first, constructor: 1 }, last] }],
  ['/overflow/0/actions/0', { overflow: [{ priority: 0, older_than_minutes: 1, actions: ['x'] }] }],
  ['/capacity/utilisation_hired', { capacity: { ...capacity, utilisation_hired: 0.9 } }],
  ['/capacity/hours_per_day', { capacity: { ...capacity, hours_per_day: 25 } }],
  ['/capacity', { capacity: undefined }],
])('a policy is refused by the name of its field: %s', async (field, changed) => {
  const before = await api.testDatabase.sql('select from review_policies');
  const { status, fields } = await post('/v1/reviews/policy', { ...FIRST_POLICY, ...changed });
  expect([status, fields]).toEqual([422, [field]]);
  expect(await api.testDatabase.sql('select from review_policies')).toEqual(before);
});

test('a currency that is none is refused by its field, what was given and what is allowed', async () => {
  const { json } = await post('/v1/reviews/policy', { ...FIRST_POLICY, currency: 'ABC' });
  expect(json).toMatchObject({
    detail: expect.stringMatching(/currency.*ISO 4217.*as USD.*"?ABC/),
    errors: [{ pointer: '/currency' }],
  });
});

test.each([
  ['notes', { note: 'a\u0000b' }, '/note'],
  ['notes', { note: '\udfff' }, '/note'],
  ['notes', { note: 'x'.repeat(CASE_LIMITS.noteChars + 1) }, '/note'],
  ['decide', { disposition: 'fraud', reason: '\u0000' }, '/reason'],
  ['decide', { disposition: 'fraud', reason: 'x'.repeat(CASE_LIMITS.reasonChars + 1) }, '/reason'],
  ['decide', { disposition: 'fraud' }, '/reason'],
  ['assign', { assignee: '\u0000' }, '/assignee'],
  ['assign', { assignee: 'Nobody' }, '/assignee'],
  ['escalate', { reason: '' }, '/reason'],
  ['return', {}, '/reason'],
])('%s refuses a body by the name of its field', async (step, body, field) => {
  const { status, fields } = await post(`/v1/reviews/${id}/${step}`, body);
  expect([status, fields]).toEqual([422, [field]]);
});

test.each([
  'cursor=4.999999999999999.01a1f84a-95c0-7000-8000-00000000002a',
  'cursor=c.1.01a1f84a-95c0-7000-8000-00000000002a',
  'assignee=%00',
  'account_id=%00',
  'state=nothing',
  'limit=0',
  'limit=1e3',
  'priority=P0&priority=P1',
])('a list by %s is refused', async (query) => {
  const answer = await fetch(`${api.url}/v1/reviews?${query}`, { headers: headers() });
  expect((await answerOf(answer)).status).toBe(422);
});

test.each(['ABC', 'status%00', '01a1f84a-95c0-7000-8000-00000000002a%00', '%F0'])(
  'a case by the id %s is refused or unknown',
  async (name) => {
    const answer = await fetch(`${api.url}/v1/reviews/${name}`, { headers: headers() });
    expect([404, 422]).toContain((await answerOf(answer)).status);
  },
);

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

test('notes have bounds, at which they are taken', async () => {
  const longest = '𝄞'.repeat(CASE_LIMITS.noteChars / 2);
  expect((await post(`/v1/reviews/${id}/notes`, { note: longest })).status).toBe(201);
  await api.testDatabase.sql(
    `insert into review_notes (transaction_id, written_by, note) select $1, 'Ann', 'x' from generate_series(1, ${CASE_LIMITS.shownRows - 2})`,
    [id],
  );
  // Two at once: one takes the last place.
  const both = await Promise.all([1, 2].map(() => post(`/v1/reviews/${id}/notes`, { note: 'x' })));
  expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
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
