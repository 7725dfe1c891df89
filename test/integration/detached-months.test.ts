/**
 * Goal: every operation on a detached month ends with a code of its own, never a 500, and nothing is lost once
 * the month is attached. Method: an API and workers on real Postgres and Redis, driven over HTTP;
 * months are detached as `risk partitions` does; the effects are counted in SQL.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Posted, startMonthsRig, timeIn } from '../support/months-rig.ts';
import { expectProblem } from '../support/problem.ts';
import { readRows } from '../support/stored-rows.ts';
import { count, input, labelInput, postLabels, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const DEADLINE_MS = 30_000;

const rig = await startMonthsRig();
const { api } = rig;

const startWorker = () =>
  api.startWorker({ RISK_READ_BLOCK_MS: '200', RISK_RECONCILE_AGE_MS: '500' });

describe('a post to a detached month', () => {
  const text = '2013-03';
  let known: Posted;
  beforeAll(async () => {
    known = await rig.postAndDetach(text);
  });

  test('is refused with month-detached, which names the month', async () => {
    const { status, body } = await postOne(api, input({ created_at: timeIn(text) }));
    expect([status, body.type]).toEqual([422, 'urn:risk:problem:month-detached']);
    expect(body.detail).toContain('2013-03');
    expect(body.errors).toEqual([
      { pointer: '/created_at', detail: expect.stringContaining('partitions attach 2013-03') },
    ]);
  });

  test('refuses but its own line of a stream', async () => {
    const rows = [input(), input({ created_at: timeIn(text) }), known.sent, input()];
    const response = await api.request('/v1/transactions/batch', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-ndjson' },
      body: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    });
    const lines = (await response.text()).trim().split('\n');
    const results = lines.map((line) => JSON.parse(line));
    expect(results).toEqual([
      { index: 0, status: 'accepted', transaction_id: expect.any(String) },
      {
        index: 1,
        status: 'invalid',
        code: 'month-detached',
        errors: [{ pointer: '/created_at', detail: expect.stringContaining('2013-03') }],
      },
      { index: 2, status: 'duplicate', transaction_id: known.id },
      { index: 3, status: 'accepted', transaction_id: expect.any(String) },
      {
        ...{ done: true, accepted: 2, duplicates: 1, refused: 1 },
      },
    ]);
  });

  test('refuses none of the posts that share its commit', async () => {
    const rows = Array.from({ length: 30 }, (_, index) =>
      input(index % 3 === 0 ? { created_at: timeIn(text) } : {}),
    );
    const answers = await Promise.all(rows.map((row) => postOne(api, row)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toEqual(rows.map((_, index) => (index % 3 === 0 ? 422 : 201)));
  });
});

describe('what asks for a detached month', () => {
  const text = '2013-04';
  let known: Posted;
  beforeAll(async () => {
    known = await rig.postAndDetach(text);
  });

  test.each(['transactions/ID', 'scores/ID', 'scores/ID/explanation'])(
    '%s is 410',
    async (path) => {
      const response = await api.request(`/v1/${path.replace('ID', known.id)}`);
      const { body } = await expectProblem(response, 410);
      expect(body.type).toBe('urn:risk:problem:transaction-detached');
      expect(body.detail).toContain('2013-04');
    },
  );

  test.each(['', 'status=scored&'])('a list of %s says what it is without', async (filter) => {
    const range = 'from=2013-04-01T00:00:00Z&to=2013-05-01T00:00:00Z';
    const within = await (await api.request(`/v1/transactions?${filter}${range}`)).json();
    expect(within).toEqual({
      ...{ items: [], next_cursor: null, detached_months: ['2013-04'] },
      ...{ complete: true, searched_to: null },
    });
    const beside = 'from=2013-05-01T00:00:00Z&to=2013-06-01T00:00:00Z';
    const other = await (await api.request(`/v1/transactions?${filter}${beside}`)).json();
    expect(other).not.toHaveProperty('detached_months');
  });

  test('a label is refused with month-detached, and none of its request is stored', async () => {
    const { id } = await rig.post('2013-05');
    const labels = [
      labelInput({ transaction_id: id }),
      labelInput({ transaction_id: known.id }),
      labelInput({ idempotency_key: known.sent['idempotency_key'] }),
    ];
    const { status, body } = await postLabels(api, labels);
    expect([status, body.type]).toEqual([422, 'urn:risk:problem:month-detached']);
    expect(body.errors).toEqual([
      { pointer: '/labels/1/transaction_id', detail: expect.stringContaining('2013-04') },
      { pointer: '/labels/2/idempotency_key', detail: expect.stringContaining('2013-04') },
    ]);
    expect(await count(api, 'labels')).toBe(0);
  });
});

test('an entry of a detached month is a dead letter at once, and scored once the month is attached', async () => {
  const { id } = await rig.postAndDetach('2013-06');
  const other = await rig.post('2013-07');
  await using _worker = startWorker();
  const letters = `dead_letters where error_code = 'MONTH_DETACHED' and transaction_id = '${id}'`;
  await waitUntil(async () => (await count(api, letters)) === 1, DEADLINE_MS, 'dead letter');
  const isScored = (one: string) =>
    waitUntil(
      async () => (await count(api, `scores where transaction_id = '${one}'`)) === 1,
      DEADLINE_MS,
      `score of ${one}`,
    );
  await isScored(other.id);
  const [letter] = await api.testDatabase.sql<{ id: string }>(
    `select dead_letter_id as id from ${letters}`,
  );
  const ids = { ids: [letter?.id] };
  const early = await (await api.post('/v1/dead-letters/replay', ids)).json();
  expect(early).toMatchObject({
    ...{ replayed: 0, not_replayable: 1 },
    refused: [{ reason: 'month-detached' }],
  });
  await rig.attach('2013-06');
  const late = await (await api.post('/v1/dead-letters/replay', ids)).json();
  expect(late).toMatchObject({ replayed: 1, not_replayable: 0 });
  await isScored(id);
});

test('what a lost Redis held is scored once its month is attached', async () => {
  const { id } = await rig.postAndDetach('2013-08');
  await api.redis.flushall();
  expect(await rig.attach('2013-08')).toBe(1);
  const rows = await readRows(api.database.query);
  expect(rows.map(({ transactionIds }) => transactionIds)).toEqual([[id]]);
  expect(await rig.attach('2013-08')).toBe(1);
  expect(await readRows(api.database.query)).toEqual(rows);
  await using _worker = startWorker();
  const score = `scores where transaction_id = '${id}'`;
  await waitUntil(async () => (await count(api, score)) === 1, DEADLINE_MS, 'score');
});
