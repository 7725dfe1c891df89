/**
 * Goal: a host of several addresses is reached where one of them is far away or dead, and its error says why each failed.
 * Method: an address of loopback whose listener drops the packets that ask for a connection; IPv6 where there is no route.
 */
import type { LookupFunction } from 'node:net';
import { expect, test } from 'vitest';
import { adviseStore, reasonOf, toError } from '../../src/kit/words/failure.ts';
import { createPostEvent } from '../../src/rooms/webhooks/deliver/attempt.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { createTestDatabase } from '../support/database.ts';
import { startFullListener } from '../support/full-listener.ts';
import { runRiskProcess } from '../support/risk.ts';
import { startTestRedis } from '../support/services.ts';

/** The discard prefix of IPv6, to which no host has a route. */
const NOWHERE = '100::1';

const lookupOf =
  (...addresses: readonly string[]): LookupFunction =>
  (_host, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

const postTo = (lookup: LookupFunction) =>
  createPostEvent({ lookup, refuseAddress: () => undefined });
const event = (port: number) => ({ url: `http://shop.example:${port}/`, body: '{}', headers: {} });

test('a webhook reaches an address that takes a second, where the other address is dead', async () => {
  await using far = await startFullListener('127.0.0.2', [0]);
  using sender = postTo(lookupOf('127.0.0.2', NOWHERE));
  const posted = sender.post(event(far.ports[0] ?? 0));
  // The kernel sends the packet that was dropped again after a second.
  await far.acceptNext();
  expect(await posted).toMatchObject({ status: 200, error: null });
});

test('a webhook reaches the second address where the first one drops packets', async () => {
  await using dead = await startFullListener('127.0.0.2', [0]);
  const port = dead.ports[0] ?? 0;
  await using alive = await startFullListener('127.0.0.3', [port]);
  using sender = postTo(lookupOf('127.0.0.2', '127.0.0.3'));
  const posted = sender.post(event(port));
  await alive.acceptNext();
  expect(await posted).toMatchObject({ status: 200, error: null });
});

test('an error of several addresses names each address', async () => {
  const port = await freePort();
  using sender = postTo(lookupOf('127.0.0.2', NOWHERE));
  const { error } = await sender.post(event(port));
  expect(error).toContain(`ECONNREFUSED: connect ECONNREFUSED 127.0.0.2:${port}; connect E`);
  expect(error).toContain(NOWHERE);
});

test('the error of a request has the words of its causes', () => {
  const errors = [new Error('refused ::1'), new Error('refused 127.0.0.1')];
  const causes = () => Object.assign(new AggregateError(errors, 'none'), { message: '' });
  const words = 'refused ::1; refused 127.0.0.1';
  expect(toError(causes()).message).toBe(words);
  expect(adviseStore('REDIS_URL', causes())).toBe(words);
  expect(reasonOf(new TypeError('fetch failed', { cause: causes() }))).toBe(words);
  expect(toError(new AggregateError([], 'tried')).message).toBe('tried');
});

test('Postgres and Redis are reached within their deadlines by a name whose first address is dead', async () => {
  await using database = await createTestDatabase();
  await using redis = await startTestRedis();
  const [postgresUrl, redisUrl] = [new URL(database.url), new URL(redis.url)];
  const ports = [Number(postgresUrl.port), Number(redisUrl.port)];
  await using _dead = await startFullListener('127.0.0.2', ports);
  postgresUrl.hostname = 'stores.example';
  redisUrl.hostname = 'stores.example';
  const resolver = `import dns from 'node:dns';
    const { lookup } = dns;
    dns.lookup = (host, options, callback) => host === 'stores.example'
      ? callback(null, ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 })))
      : lookup(host, options, callback);`;
  const { stdout } = await runRiskProcess(['doctor', '--json'], {
    DATABASE_URL: postgresUrl.href,
    REDIS_URL: redisUrl.href,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(resolver)}`,
  });
  const checks = JSON.parse(stdout).map(({ check }: { check: string }) => check);
  expect(checks).toEqual(expect.arrayContaining(['postgres version', 'redis version']));
});
