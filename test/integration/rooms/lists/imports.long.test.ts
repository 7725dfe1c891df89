/** Goal: a million rows are imported in one commit. Method: an API process. */
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf } from '../../../support/submit.ts';

const MILLION = 1_000_000;
/** A busy machine takes a third of it. */
const MILLION_MS_MAX = 150_000;

const api = await openForFile(startRunningApi());
const list = { name: 'million', effect: 'block', kind: 'account', description: 'a list' };
expect((await api.post('/v1/lists', list)).status).toBe(200);

test('a million rows are imported in one commit', { retry: 2 }, async () => {
  const startedMs = performance.now();
  const suffix = Math.random().toString(36).slice(2);
  const body = Array.from({ length: MILLION }, (_, nth) => `{"value":"acc_${suffix}_${nth}"}`);
  const response = await api.request('/v1/lists/million/imports?reason=a+wave', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: body.join('\n'),
  });
  const { body: imported } = await answerOf(response);
  const seconds = (performance.now() - startedMs) / 1000;
  process.stdout.write(`a million rows in ${seconds.toFixed(1)} s\n`);
  expect(imported).toMatchObject({ rows: MILLION, added: MILLION, state: 'in_force' });
  expect(seconds * 1000).toBeLessThan(MILLION_MS_MAX);
  const found = await api.request(
    `/v1/lists/lookup?kind=account&value=acc_${suffix}_${MILLION - 1}`,
  );
  expect((await answerOf(found)).body.items).toHaveLength(1);
});
