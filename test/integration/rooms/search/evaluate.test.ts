/**
 * Goal: a what-if says what the worker will say, explains it, and leaves nothing behind; a stored score is
 * explained by the model that made it. Method: an API and a worker, a model in force.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { startRollOut } from '../../../support/rolled-out.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf, input } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const AT_MS = Date.now() - 3_600_000;
const MODEL = 'm@1';

const api = await openForFile(startRunningApi());
const rollOut = await openForFile(startRollOut(api.testDatabase));
await rollOut.register(1);
await rollOut.put(MODEL, 'active');
const worker = api.startWorker();
await api.post('/v1/transactions/batch', { transactions: history() });
await scored(40);
afterAll(() => worker.stop());

/** Transactions of one account and merchant, a minute apart. */
function history() {
  return Array.from({ length: 40 }, (_, n) =>
    input({ amount: `${20 + n}.00`, created_at: new Date(AT_MS + n * 60_000).toISOString() }),
  );
}

async function scored(count: number): Promise<void> {
  const isDone = async () =>
    (await api.testDatabase.sql('select from scores where model is not null')).length >= count;
  await waitUntil(isDone, 20_000, 'scores by the model');
}

const next = () =>
  input({ amount: '900.00', created_at: new Date(AT_MS + 41 * 60_000).toISOString() });

async function evaluate(body: object, query = '') {
  return await answerOf(await api.post(`/v1/evaluate${query}`, body));
}

/** Everything that a submission would store. */
async function leftBehind() {
  const tables = ['transactions', 'scores', 'idempotency_keys', 'open_rows', 'dead_letters'];
  const counts = tables.map((table) => `(select count(*) from ${table}) as ${table}`);
  const [rows] = await api.testDatabase.sql(`select ${counts.join(', ')}`);
  const profiles = await api.redis.keys('*:p[0-9][0-9]}:*');
  const values = await Promise.all(profiles.sort().map((key) => api.redis.getBuffer(key)));
  return { rows, profiles, values };
}

describe('a what-if', () => {
  test('is what the worker will say, and leaves nothing behind', async () => {
    const body = next();
    const before = await leftBehind();
    const { status, body: evaluated } = await evaluate(body);
    expect(status).toBe(200);
    expect(await leftBehind()).toEqual(before);

    const { body: accepted } = await answerOf(await api.post('/v1/transactions', body));
    await scored(41);
    const path = `/v1/scores/${accepted.transaction_id}`;
    const { body: stored } = await answerOf(await api.request(path));
    const { body: explained } = await answerOf(await api.request(`${path}/explanation`));
    // The level is that of the process and the moment.
    const { explanation, degradation: ____, ...rest } = evaluated;
    const { transaction_id: _, scored_at: __, attempts: ___, degradation: _____, ...same } = stored;
    expect(rest).toEqual(same);
    const { features, rules, model, feature_schema } = explained;
    expect(explanation).toEqual({ features, rules, model, feature_schema });
    expect(evaluated.model).toBe(MODEL);
  });

  test('judges by the model that is asked for, or by none', async () => {
    const { body } = await evaluate(next(), '?model=none');
    expect(body).toMatchObject({ model: null, probability: null, explanation: { model: null } });
    await rollOut.register(2);
    const { body: staged } = await evaluate(next(), '?model=m@2');
    expect(staged).toMatchObject({ model: 'm@2', explanation: { model: { model: 'm@2' } } });
  });
});

test('a score whose model this version cannot ask is explained to be so', async () => {
  await api.testDatabase.sql(`update scores set model = 'gone@1' where transaction_id =
    (select transaction_id from scores order by transaction_id limit 1)`);
  const [row] = await api.testDatabase.sql<{ id: string }>(
    `select transaction_id as id from scores where model = 'gone@1'`,
  );
  const { status, body } = await answerOf(await api.request(`/v1/scores/${row?.id}/explanation`));
  expect([status, body.detail]).toEqual([
    409,
    'The score was made by gone@1, which is not registered.',
  ]);
});
