/** Searches over HTTP: a page has whole rows and says how far it looked, and a key finds its transaction. */
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { NOVEMBER } from '../../../support/reads.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';
import { answerOf, input } from '../../../support/submit.ts';

const ID = idAt(NOVEMBER, 1);

const api = await openForFile(startRunningApi());
await storeTransactions(api.database, [{ id: ID, createdAtMs: NOVEMBER, score: 870 }]);

test.each(['total=true', 'sort=score&total=true'])('%s has the whole row', async (query) => {
  const answer = await api.request(`/v1/transactions?${query}`);
  expect(answer.status).toBe(200);
  const row = { score: { score: 870 }, amount: '10.00', label: null, status: 'scored' };
  expect(await answer.json()).toMatchObject({
    ...{ items: [{ transaction_id: ID, ...row }], next_cursor: null },
    ...{ complete: true, searched_to: null, total: { count: 1, more: false } },
  });
});

test('an idempotency key finds the transaction for its own client', async () => {
  const key = 'order/1 & more';
  const find = (headers: Record<string, string> = {}) =>
    api.request(`/v1/idempotency-keys/${encodeURIComponent(key)}`, { headers });
  expect((await find()).status).toBe(404);
  const { body } = await answerOf(
    await api.post('/v1/transactions', input({ idempotency_key: key })),
  );
  expect(await answerOf(await find())).toMatchObject({
    ...{ status: 200, body: { transaction_id: body.transaction_id } },
  });
  const made = await api.post('/v1/keys', { owner: 'x', client: 'other', roles: ['analyst'] });
  const { body: other } = await answerOf(made);
  expect((await find({ Authorization: `Bearer ${other.key}` })).status).toBe(404);
});
