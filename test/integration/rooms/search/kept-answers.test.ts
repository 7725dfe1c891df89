/** Goal: what a client may keep says so and is answered 304 where it is the same, and memory serves nobody what is another's. Method: an API process. */
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';
import { labelInput } from '../../../support/submit.ts';

const NOVEMBER = Date.UTC(2026, 10, 15, 12);

const api = await openForFile(startRunningApi());
await storeTransactions(api.database, [
  { id: idAt(NOVEMBER, 1), createdAtMs: NOVEMBER, score: 700, amount: '125.50' },
]);

const get = (path: string, headers: Record<string, string> = {}) => api.request(path, { headers });

test.each([
  [`/v1/scores/${idAt(NOVEMBER, 1)}`, 'private, max-age=86400, immutable'],
  ['/v1/summaries/daily?to=2026-11-15', 'private, no-cache'],
  ['/v1/corridors', 'private, no-cache'],
  ['/v1/reason-codes', 'private, no-cache'],
  ['/v1/features', 'private, max-age=3600'],
])('%s may be kept by the one who asked (%s)', async (path, keeping) => {
  const first = await get(path);
  const tag = first.headers.get('etag') ?? '';
  expect(first.status).toBe(200);
  expect(first.headers.get('cache-control')).toBe(keeping);
  expect(first.headers.get('vary')).toBe('Authorization, Cookie, Risk-Market, Accept-Encoding');
  const again = await get(path, { 'If-None-Match': tag });
  expect([again.status, await again.text()]).toEqual([304, '']);
  expect((await get(path, { 'If-None-Match': '*' })).status).toBe(304);
  expect((await get(path, { 'If-None-Match': '"other"' })).status).toBe(200);
});

test.each(['/openapi.json', '/features.json', '/reason-codes.json'])(
  '%s needs no key, and edges may keep it for all',
  async (path) => {
    const ask = (headers: Record<string, string> = {}) =>
      fetch(new URL(path, api.url), { headers });
    const first = await ask();
    const kept = ['cache-control', 'vary'].map((name) => first.headers.get(name));
    expect([first.status, ...kept]).toEqual([200, 'public, max-age=3600', 'Accept-Encoding']);
    const tag = first.headers.get('etag') ?? '';
    expect((await ask({ 'If-None-Match': tag })).status).toBe(304);
    expect((await ask({ 'If-None-Match': '"other"' })).status).toBe(200);
    // A field that the market declares changes the list of the market alone.
    const body = { type: 'text', description: 'The plan of the account.' };
    await api.request('/v1/metadata-fields/plan', { method: 'PUT', body: JSON.stringify(body) });
    expect((await ask({ 'If-None-Match': tag })).status).toBe(304);
  },
);

test('a score in memory stays unknown to the key of another client', async () => {
  const path = `/v1/scores/${idAt(NOVEMBER, 1)}`;
  expect((await get(path)).status).toBe(200);
  const made = await api.post('/v1/keys', { roles: ['ingest'], owner: 'test', client: 'bank' });
  const { key } = (await made.json()) as { key: string };
  const asked = { Authorization: `Bearer ${key}` };
  expect((await get(path, asked)).status).toBe(404);
  expect((await get(path, { ...asked, 'If-None-Match': '*' })).status).toBe(404);
  for (const other of ['/v1/accounts/acc_1/profile', '/v1/summaries/daily']) {
    expect((await get(other)).status).toBe(200);
    expect((await get(other, asked)).status).toBe(403);
  }
});

test('who posts a label sees it at once in the summaries, however new the one in memory is', async () => {
  const ids = [11, 12, 13].map((n) => idAt(NOVEMBER, n));
  await storeTransactions(
    api.database,
    ids.map((id) => ({ id, createdAtMs: NOVEMBER, score: 700 })),
  );
  const frauds = async () => {
    const body = await (await get('/v1/summaries/daily?from=2026-11-15&to=2026-11-15')).json();
    return (body as { items: { labels: { fraud: number } }[] }).items[0]?.labels.fraud;
  };
  const counts = [await frauds()];
  for (const transaction_id of ids) {
    const label = labelInput({ transaction_id, labelled_at: '2026-11-16T00:00:00Z' });
    expect((await api.post('/v1/labels', { labels: [label] })).status).toBe(200);
    counts.push(await frauds());
  }
  expect(counts).toEqual([0, 1, 2, 3]);
});
