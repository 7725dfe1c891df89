/**
 * Goal: `Prefer: wait` answers with the score from the asynchronous path, by the worker's reply or,
 * without Redis or for duplicates, by polling. Method: an API and, where a score is to come, a worker.
 */
import { describe, expect, test } from 'vitest';
import { type RunningApi, startRunningApi } from '../support/running-api.ts';
import { input, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Longer than a worker takes to start on a busy machine: a wait for a score ends with the score. */
const WAIT_MS_MAX = 60_000;

const open = () => startRunningApi({ RISK_WAIT_MS_MAX: String(WAIT_MS_MAX) });

const startWorker = (api: RunningApi) =>
  api.startWorker({ RISK_READ_BLOCK_MS: '200', RISK_RECONCILE_AGE_MS: '500' });

const wait = (seconds: string) => ({ Prefer: `wait=${seconds}` });

describe('with a worker', () => {
  test('a new transaction, a duplicate and a scored one come with the score', async () => {
    await using api = await open();
    await using _worker = startWorker(api);
    const sent = input({ amount: '77.00' });
    const first = await postOne(api, sent, wait('90'));
    expect([first.status, first.headers.get('preference-applied')]).toEqual([201, 'wait=60']);
    const { transaction_id } = first.body;
    const stored = await (await api.request(`/v1/scores/${transaction_id}`)).json();
    expect(first.body.score).toEqual(stored);
    const waiting = await postOne(api, sent, wait('0.5'));
    expect([waiting.status, waiting.headers.get('preference-applied')]).toEqual([200, 'wait=0.5']);
    expect(waiting.body).toMatchObject({ status: 'duplicate', score: stored });
    const plain = await postOne(api, sent);
    expect(plain.headers.get('preference-applied')).toBeNull();
    expect(plain.body).toMatchObject({ status: 'duplicate', score: stored });
  });

  test('a duplicate that arrives while the first waits gets the score too', async () => {
    await using api = await open();
    const sent = input();
    const both = Promise.all([postOne(api, sent, wait('60')), postOne(api, sent, wait('60'))]);
    await using _worker = startWorker(api);
    const [one, other] = await both;
    expect([one.status, other.status].sort()).toEqual([200, 201]);
    expect(one.body.score).toEqual(other.body.score);
    expect(one.body.score).toMatchObject({ transaction_id: one.body.transaction_id });
  });

  test('a score comes although Redis loses the entry, and the reply with it', async () => {
    await using api = await open();
    const answer = postOne(api, input(), wait('60'));
    await waitUntil(
      async () => (await api.redis.xlen('{market_0:US-EG:0}:transactions')) === 1,
      5000,
      'the entry',
    );
    // The entry that the reconciler appends instead asks for no reply.
    await api.redis.flushall();
    await using _worker = startWorker(api);
    expect((await answer).body.score).toMatchObject({ attempts: 1 });
  });
});

describe('without a worker', () => {
  test('the wait ends in time with score null, and says that it was honoured', {
    retry: 2,
  }, async () => {
    await using api = await open();
    const startedAt = performance.now();
    const { status, headers, body } = await postOne(api, input(), wait('0.7'));
    const tookMs = performance.now() - startedAt;
    expect([status, body.score, headers.get('preference-applied')]).toEqual([
      201,
      null,
      'wait=0.7',
    ]);
    expect(tookMs).toBeGreaterThan(650);
    expect(tookMs).toBeLessThan(3000);
  });

  test('lines apply return=minimal, and say in the last line that they do not wait', async () => {
    await using api = await open();
    const response = await api.request('/v1/transactions/batch', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-ndjson', Prefer: 'wait=5, return=minimal' },
      body: `${JSON.stringify(input())}\n`,
    });
    expect(response.headers.get('preference-applied')).toBe('return=minimal');
    expect(await response.json()).toEqual({
      ...{ done: true, accepted: 1, duplicates: 0, refused: 0 },
      preferences_not_applied: ['wait'],
    });
  });
});
