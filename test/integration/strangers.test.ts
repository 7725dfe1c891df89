/**
 * Goal: an address that sends unknown keys is answered 429, and no other caller is. Method: each test is a trusted proxy of an
 * API process. test/unit/kit/http/auth/auth.test.ts counts the lookups.
 */
import { beforeEach, expect, test } from 'vitest';
import { openForFile } from '../support/open-for-file.ts';
import { expectProblem } from '../support/problem.ts';
import { startRunningApi } from '../support/running-api.ts';

const PER_SECOND = 1;
const AT_ONCE = 10 * PER_SECOND;

const api = await openForFile(
  startRunningApi({
    ...{ RISK_TRUSTED_PROXIES: '127.0.0.1', RISK_UNKNOWN_KEYS_PER_SECOND: String(PER_SECOND) },
  }),
);

let address = '';
let addresses = 0;
beforeEach(() => {
  address = `198.51.100.${++addresses}`;
});

const ask = (key: string, from = address, path = '/v1/status') =>
  fetch(api.url + path, {
    headers: { Authorization: `Bearer ${key}`, 'X-Forwarded-For': from },
  });
/** Sends twice as many unknown keys at once as one address may. No other test has sent them, so none is remembered. */
const askUnknown = (path?: string, from: (n: number) => string = () => address) =>
  Promise.all(
    Array.from({ length: 2 * AT_ONCE }, (_, n) =>
      ask(`risk_unknown_${addresses}_${n}`, from(n), path),
    ),
  );

test.each(['/v1/status', '/v1/transactions/x', '/v1/nowhere', '/metrics'])(
  'after a few unknown keys an address is told to wait at %s',
  async (path) => {
    const answers = await askUnknown(path);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
    expect(answers.filter(({ status }) => status === 401).length).toBeGreaterThanOrEqual(AT_ONCE);
    const refused = answers.find(({ status }) => status === 429) as Response;
    const { body, headers } = await expectProblem(refused, 429);
    expect(body.type).toBe('urn:risk:problem:too-many-unknown-keys');
    expect(headers.get('retry-after')).toBe('1');
  },
);

test('a stranger behind the proxy cannot choose its own address', async () => {
  const answers = await askUnknown('/v1/status', (n) => `203.0.113.${n}, ${address}`);
  expect(answers.map(({ status }) => status)).toContain(429);
});

test('a revoked key is answered as one that nobody ever had, and neither stands in the log', async () => {
  const made = await api.post('/v1/keys', { roles: ['analyst'], owner: 'test' });
  const { key, key_id } = (await made.json()) as { key: string; key_id: string };
  expect((await api.request(`/v1/keys/${key_id}`, { method: 'DELETE' })).status).toBe(204);
  const [revoked, unknown] = await Promise.all(
    [key, 'risk_unknown'].map(async (token) => {
      const { body, headers } = await expectProblem(await ask(token), 401);
      return [body.detail, headers.get('www-authenticate')];
    }),
  );
  expect(revoked).toEqual(unknown);
  for (const secret of [key, 'risk_unknown']) expect(api.log()).not.toContain(secret);
});
