/**
 * Goal: a stopped scope takes no transaction and leaves no score, other scopes notice nothing, and what waits is scored once
 * the stop has ended. Method: an API and a worker on one pair of stores.
 */
import pg from 'pg';
import { expect, test } from 'vitest';
import { DAY_MS } from '../../../../src/kit/words/range.ts';
import { dayTable } from '../../../support/day-tables.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { storeTable } from '../../../support/policies.ts';
import { endControl, putControl } from '../../../support/rooms/corridors/requests.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf, count, input, postBatch, postJson, postOne } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { startWorkerHere } from '../../../support/worker-rig.ts';

const api = await openForFile(startRunningApi({ M0_CORRIDOR_US_PH_ENABLED: 'false' }));

const stop = (scope: string, more: object = {}) => putControl(api, 'stop', scope, more);
const start = (scope: string) => endControl(api, 'stop', scope);
const listed = async () => (await answerOf(await api.request('/v1/controls'))).body;
const post = async (corridor: string) => await postOne(api, input({ corridor }));
/** An API process reads controls twice a second. */
const until = (corridor: string, status: number) =>
  waitUntil(async () => (await post(corridor)).status === status, 2000, `${corridor}: ${status}`);

test('a stopped corridor is refused with its message, whole or alone; another one is not', async () => {
  const stopped = await stop('corridor:US-EG', { message: 'Payouts to Egypt are paused.' });
  expect([stopped.status, stopped.body.control.scope]).toEqual([200, 'corridor:US-EG']);
  await until('US-EG', 503);
  const before = await count(api, 'transactions');
  const refused = await post('US-EG');
  expect(refused.body).toMatchObject({
    type: 'urn:risk:problem:scope-stopped',
    detail:
      'This request stored nothing: the corridor is stopped (corridor:US-EG): Payouts to Egypt are paused.',
  });
  expect(refused.headers.get('retry-after')).toBe('5');
  const both = [input({ corridor: 'US-MX' }), input()];
  const whole = await postBatch(api, both);
  expect([whole.status, whole.body.errors]).toEqual([
    503,
    [expect.objectContaining({ pointer: '/transactions/1/corridor' })],
  ]);
  expect(await count(api, 'transactions')).toBe(before);
  const lenient = await answerOf(
    await postJson(api, JSON.stringify({ transactions: both }), '/v1/transactions/batch', {
      Prefer: 'handling=lenient',
    }),
  );
  expect(lenient.headers.get('preference-applied')).toBe('handling=lenient');
  expect([lenient.status, lenient.body]).toEqual([
    200,
    expect.objectContaining({
      accepted: 1,
      results: [expect.objectContaining({ index: 0, status: 'accepted' })],
      refused: [expect.objectContaining({ index: 1, code: 'scope-stopped' })],
    }),
  ]);
  expect((await start('corridor:US-EG')).body.control).toBeNull();
  await until('US-EG', 201);
});

test('a request that waits for a score is told once its corridor is stopped', async () => {
  const sent = input();
  const before = await count(api, 'transactions');
  const waiting = postOne(api, sent, { Prefer: 'wait=10' });
  await waitUntil(
    async () => (await count(api, 'transactions')) > before,
    5000,
    'the transaction to be stored',
  );
  await stop('corridor:US-EG');
  const told = await waiting;
  expect([told.status, told.headers.get('retry-after')]).toEqual([503, '5']);
  expect(told.body.detail).toMatch(/^The transaction \S+ is stored and not scored: the corridor/);
  // A repetition of what is stored stores nothing, so it is answered as ever.
  const again = await postOne(api, sent);
  expect([again.status, again.body.status]).toEqual([200, 'duplicate']);
  expect(told.body.transaction_id).toBe(again.body.transaction_id);
  const mixed = await postBatch(api, [sent, input({ corridor: 'US-MX' })]);
  expect([mixed.status, mixed.body.duplicates]).toEqual([200, 1]);
  await start('corridor:US-EG');
  await until('US-EG', 201);
});

test('a stop ends by itself, and a client is stopped alone', async () => {
  // The API may read a stop after its end on a machine that does much besides, so each look follows a new stop.
  const refused = await waitUntil(
    async () => {
      await stop('client:default', { ends_at: new Date(Date.now() + 1500).toISOString() });
      const answer = await post('US-MX');
      return answer.status === 503 ? answer : undefined;
    },
    5000,
    'a refusal',
  );
  expect(refused.body.detail).toContain(' the client is stopped (client:default).');
  await until('US-MX', 201);
  // A corridor that the environment stops is listed, and nobody starts it.
  const [left, ...none] = (await listed()).items;
  expect(left).toMatchObject({
    scope: 'corridor:US-PH',
    reason: 'M0_CORRIDOR_US_PH_ENABLED=false',
    set_by: 'environment',
    may_end: false,
  });
  expect(none).toEqual([]);
  const { ended_by: _, may_end: __, ...control } = left;
  expect((await start('corridor:US-PH')).body.control).toEqual(control);
  const standing = (await answerOf(await api.request('/v1/corridors/US-PH'))).body;
  expect([standing.state, standing.controls]).toEqual(['stopped', [control]]);
});

test('a worker that has stopped while it stores delays a stop by half a second', {
  retry: 2,
}, async () => {
  const worker = new pg.Client({
    connectionString: api.testDatabase.url,
    application_name: 'risk-worker-1',
  });
  // A session that is ended says so, and then that its connection is closed.
  const ended = new Promise<Error>((resolve) => worker.on('error', resolve));
  await worker.connect();
  await worker.query('begin');
  await worker.query(`select ${api.testDatabase.market}.stopped_among('{US-EG}')`);
  const beganMs = performance.now();
  const stopped = await stop('corridor:US-EG');
  expect(performance.now() - beganMs).toBeLessThan(1000);
  expect(stopped.status).toBe(200);
  expect(String(await ended)).toContain('terminating connection');
  await start('corridor:US-EG');
  await until('US-EG', 201);
});

test('what a worker has in hand when its corridor stops is held, and scored once the stop has ended', async () => {
  await api.reset();
  const accepted = await postBatch(api, [input(), input(), input({ corridor: 'US-MX' })]);
  expect(accepted.status).toBe(200);
  // Stopped in Postgres alone: the worker below reads as if it had not heard of it.
  await stop('corridor:US-EG');
  const environment = {
    DATABASE_URL: api.testDatabase.url,
    REDIS_URL: api.redisService.url,
    RISK_RECONCILE_AGE_MS: '500',
  };
  await using _ = startWorkerHere(environment, { isStopped: () => false });
  await waitUntil(async () => (await count(api, 'scores')) === 1, 10_000, 'US-MX to be scored');
  const held = async () => (await listed()).on_hold;
  await waitUntil(async () => (await held()).length === 1, 10_000, 'US-EG to be held');
  expect(await held()).toEqual([{ corridor: 'US-EG', transactions: 2 }]);
  const status = (await answerOf(await api.request('/v1/status'))).body;
  expect(status.totals).toEqual({
    accepted: 3,
    scored: 1,
    dead_lettered: 0,
    pending: 2,
    on_hold: 2,
  });
  const stopped = async () =>
    (await answerOf(await api.request('/v1/status'))).body.corridors
      .filter(
        (one: { stopped: string | null; corridor: string }) =>
          one.stopped && one.corridor !== 'US-PH',
      )
      .map((one: { corridor: string; stopped: string }) => [one.corridor, one.stopped]);
  await waitUntil(async () => (await stopped()).length > 0, 2000, 'the status to name the stop');
  expect(await stopped()).toEqual([['US-EG', 'corridor:US-EG']]);
  const { stdout } = await api.risk('status');
  expect(stdout).toMatch(/^US-EG .* corridor:US-EG$/m);
  expect(stdout).toMatch(/^on.hold +2$/m);
  await start('corridor:US-EG');
  await waitUntil(async () => (await count(api, 'scores')) === 3, 15_000, 'US-EG to be scored');
  expect(await held()).toEqual([]);
  expect(await count(api, 'dead_letters')).toBe(0);
});

test('a stopped rule adds to no score, which names what it was made without, and verifies', async () => {
  await api.reset();
  const wrong = (await stop('rule:AMOUNT_OVER_LIMITS')).body;
  expect(wrong.detail).toContain('rule:AMOUNT_OVER_LIMIT is one');
  const unknown = await stop('model:nobody@1');
  expect([unknown.status, unknown.body.detail]).toEqual([
    404,
    "The model 'nobody@1' is not registered.",
  ]);
  expect((await stop('model:scorecard@2026-11-01')).status).toBe(404);
  await storeTable(api.testDatabase, dayTable({ day: Date.UTC(2026, 10, 1) / DAY_MS }));
  expect((await stop('model:scorecard@2026-11-01')).status).toBe(200);
  for (const code of ['STRUCTURING', 'AMOUNT_OVER_LIMIT']) await stop(`rule:${code}`);
  const large = input({ amount: '50000.00' });
  const name = 'default@4-without-AMOUNT_OVER_LIMIT-without-STRUCTURING';
  const whatIf = await answerOf(await postJson(api, JSON.stringify(large), '/v1/evaluate'));
  expect([whatIf.body.rule_set, whatIf.body.score]).toEqual([name, 0]);
  const environment = { DATABASE_URL: api.testDatabase.url, REDIS_URL: api.redisService.url };
  await using _ = startWorkerHere(environment, {});
  const score = async () => {
    const { body } = await postOne(api, input({ amount: '50000.00' }), { Prefer: 'wait=10' });
    return body.score;
  };
  const without = await score();
  expect(without).toMatchObject({ rule_set: name, score: 0, verdict: 'approve', reasons: [] });
  const explained = await answerOf(
    await api.request(`/v1/scores/${without.transaction_id}/explanation`),
  );
  expect(explained.body.rules.map(({ code }: { code: string }) => code)).not.toContain(
    'STRUCTURING',
  );
  for (const code of ['STRUCTURING', 'AMOUNT_OVER_LIMIT']) await start(`rule:${code}`);
  await waitUntil(async () => (await score()).rule_set === 'default@4', 5000, 'the whole rule set');
  const found = await answerOf(await api.request(`/v1/transactions?rule_set=${name}`));
  expect(found.body.items.at(-1).transaction_id).toBe(without.transaction_id);
  const verified = await runRisk(['verify', 'scores', '--sample', '100'], environment);
  expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('different=0')]);
});
