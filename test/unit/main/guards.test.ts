/** Goal: errors of the adapters count for the right breaker, or for none. */
import { expect, test } from 'vitest';
import { POOL_BUSY } from '../../../src/kit/database/pool.ts';
import { createMetrics } from '../../../src/kit/metrics/metrics.ts';
import { Failure } from '../../../src/kit/words/failure.ts';
import { bindGuards } from '../../../src/main/guards.ts';
import { silentLog, testConfig } from '../../support/config.ts';

test('a pool that is full hides no outage of Postgres', async () => {
  using guards = bindGuards(testConfig(), createMetrics(), silentLog(), 'api');
  const { postgres } = guards;
  const fail = (code: string) =>
    postgres.run(() => Promise.reject(new Failure('unavailable', code, ''))).catch(() => undefined);
  for (let n = 0; n < 5; n++) {
    await fail('POSTGRES_UNAVAILABLE');
    await fail(POOL_BUSY);
  }
  expect(postgres.state()).toBe('open');
});
