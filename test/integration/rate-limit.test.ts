/**
 * Goal: a client beyond its limit is refused with `Retry-After`, and others do not notice. Method: an API with
 * a small limit and keys of two clients.
 */
import { expect, test } from 'vitest';
import { startRunningApi } from '../support/running-api.ts';
import { answerOf, count, input } from '../support/submit.ts';

const RATE = 1;
const BURST = 10;

test('beyond its allowance a client is refused with 429, and another is not', async () => {
  await using api = await startRunningApi({ RISK_CLIENT_REQUESTS_PER_SECOND: String(RATE) });
  const created = await answerOf(
    await api.post('/v1/keys', { roles: ['ingest'], client: 'shop', owner: 'test' }),
  );
  expect(created.status).toBe(201);
  const submit = async () =>
    await answerOf(
      await api.request('/v1/transactions', {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${created.body.key}`,
          'Content-Type': 'application/json',
        },
        body: JSON.stringify(input()),
      }),
    );
  const first = await submit();
  expect([first.status, first.headers.get('ratelimit-policy')]).toEqual([
    201,
    `"client";q=${BURST};w=10`,
  ]);
  expect(first.headers.get('ratelimit')).toBe(`"client";r=${BURST - 1};t=1`);
  const answers = await Promise.all(Array.from({ length: BURST * 2 }, submit));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(BURST - 1);
  for (const { body, headers } of refused) {
    expect(body).toMatchObject({ type: 'urn:risk:problem:rate-limited', status: 429 });
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(headers.get('retry-after')).toBe('1');
    expect(headers.get('ratelimit')).toBe('"client";r=0;t=1');
  }
  expect(await count(api, 'transactions')).toBe(answers.length - refused.length + 1);
  expect((await api.post('/v1/transactions', input())).status).toBe(201);
  expect((await api.request('/readyz')).headers.get('ratelimit')).toBeNull();
});
