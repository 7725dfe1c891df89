/**
 * Goal: nobody without a live key of the right role gets past, and a key that is revoked stops working
 * within a second everywhere. Method: two API processes on one database, keys made over HTTP and CLI.
 */
import { describe, expect, test } from 'vitest';
import { apiKeyHash, mintApiKey } from '../../../../src/kit/access/api-key.ts';
import { storeBootstrapKey } from '../../../../src/kit/access/api-keys.ts';
import type { Database } from '../../../../src/kit/database/pool.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { expectProblem } from '../../../support/problem.ts';
import { spawnRisk } from '../../../support/risk.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { openRunningApi, RUNNING_API_KEY } from '../../../support/running-api.ts';
import { answerOf } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const REVOKED_WITHIN_MS = 1000;

const api = await openRunningApi();

const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });
const withKey = (key: string, path = '/v1/transactions?limit=1', url = api.url) =>
  fetch(url + path, { headers: bearer(key) });

async function makeKey(fields: object): Promise<{ key_id: string; key: string }> {
  const { status, body } = await answerOf(await api.post('/v1/keys', { owner: 'me', ...fields }));
  expect(status).toBe(201);
  return body;
}

test.each([
  ['no key', {}],
  ['another scheme', { Authorization: 'Basic eDp5' }],
  ['an empty key', { Authorization: 'Bearer ' }],
  ['a wrong key', bearer(`${RUNNING_API_KEY}x`)],
  ['a key of ten thousand characters', bearer('x'.repeat(10_000))],
])('a request with %s is 401 and says how', async (_name, headers: Record<string, string>) => {
  const answer = await expectProblem(await fetch(`${api.url}/v1/keys`, { headers }), 401);
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="risk"/);
});

describe('keys', () => {
  test('are told apart, shown once and never stored', async () => {
    const { key_id, key } = await makeKey({ roles: ['analyst', 'analyst'], client: 'c-1' });
    expect(key).toMatch(new RegExp(`^risk_${key_id}_[0-9A-Za-z]{49}$`));
    const { body } = await answerOf(await api.request('/v1/keys'));
    const listed = body.items.find((item: { key_id: string }) => item.key_id === key_id);
    expect(listed).toMatchObject({
      roles: ['analyst'],
      client: 'c-1',
      owner: 'me',
      revoked_at: null,
    });
    const rows = await api.testDatabase.sql('select * from api_keys');
    const secret = key.split('_')[2] ?? '';
    expect(JSON.stringify([body, rows])).not.toContain(secret);
    expect(api.log()).not.toContain(secret);
  });

  test('that are named by their secret are unknown, and the secret is not repeated', async () => {
    const { key } = mintApiKey();
    for (const text of [key, key.slice(key.lastIndexOf('_') + 1)]) {
      const answer = await api.request(`/v1/keys/${text}`, { method: 'DELETE' });
      expect(await expectProblem(answer, 404)).toMatchObject({
        body: { detail: 'No key has this id.' },
      });
    }
  });

  test('that are revoked stop working within a second in every process', { retry: 2 }, async () => {
    await using other = spawnRisk(['api'], {
      DATABASE_URL: api.testDatabase.url,
      REDIS_URL: api.redisService.url,
      PORT: '0',
    });
    const [, url = ''] = await other.waitFor(/"url":"(http:[^"]+)"/, 20_000);
    const { key_id, key } = await makeKey({ roles: ['analyst'] });
    const statuses = async () =>
      await Promise.all(
        [withKey(key), withKey(key, undefined, url)].map(async (r) => (await r).status),
      );
    expect(await statuses()).toEqual([200, 200]);
    const revoked = await api.request(`/v1/keys/${key_id}`, { method: 'DELETE' });
    expect(revoked.status).toBe(204);
    const revokedAt = performance.now();
    await waitUntil(
      async () => (await statuses()).every((status) => status === 401),
      REVOKED_WITHIN_MS,
      'both to refuse the key',
    );
    expect(performance.now() - revokedAt).toBeLessThan(REVOKED_WITHIN_MS);
    expect((await api.request(`/v1/keys/${key_id}`, { method: 'DELETE' })).status).toBe(204);
    const unknown = await api.request('/v1/keys/unknown', { method: 'DELETE' });
    expect(await expectProblem(unknown, 404)).toMatchObject({
      body: { detail: "No key has the id 'unknown'." },
    });
  });
});

test('a new bootstrap key replaces the old one, for ever; one that is revoked stays revoked', async () => {
  const start = (key: string) =>
    runRisk(['migrate'], { DATABASE_URL: api.testDatabase.url, RISK_BOOTSTRAP_KEY: key });
  const replacement = 'another-bootstrap-key-of-32-characters';
  expect((await start(replacement)).code).toBe(0);
  expect((await withKey(replacement)).status).toBe(200);
  await waitUntil(
    async () => (await withKey(RUNNING_API_KEY)).status === 401,
    30_000,
    'the old one',
  );
  const old = await start(RUNNING_API_KEY);
  expect([old.code, old.stderr]).toEqual([0, expect.stringContaining('is revoked')]);
  expect((await withKey(RUNNING_API_KEY)).status).toBe(401);
  expect((await withKey(replacement)).status).toBe(200);
  const [row] = await api.testDatabase.sql<{ key_id: string; roles: string[] }>(
    `select key_id, roles from api_keys where key_id like 'bootstrap%' and revoked_at is null`,
  );
  expect(row?.roles).not.toContain('risk_officer');
  await runRisk(['keys', 'revoke', row?.key_id ?? ''], { DATABASE_URL: api.testDatabase.url });
  await start(replacement);
  await waitUntil(async () => (await withKey(replacement)).status === 401, 30_000, 'the new one');
});

test('of two bootstrap keys that two processes see for the first time at once, one is in force', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  const store = (key: string, { transaction }: Pick<Database, 'transaction'> = database) =>
    storeBootstrapKey({ transaction }, apiKeyHash(key), 'test');
  const waiting = `select from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock'`;
  let other: Promise<boolean> | undefined;
  /** Does not commit before the other process has done all that it can do until then. */
  const transaction: Database['transaction'] = (work) =>
    database.transaction(async (query) => {
      const result = await work(query);
      other = store('the other key');
      const hasWaiting = async () => (await testDatabase.sql(waiting)).length > 0;
      await Promise.race([other, waitUntil(hasWaiting, 5000, 'the other process to wait')]);
      return result;
    });
  await store('one key', { transaction });
  await other;
  const live = `select encode(key_hash, 'hex') as hash from api_keys where revoked_at is null`;
  expect(await testDatabase.sql(live)).toEqual([
    { hash: apiKeyHash('the other key').toString('hex') },
  ]);
});
