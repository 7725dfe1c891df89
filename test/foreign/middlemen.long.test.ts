/**
 * Goal: the main way of the engine holds behind what others put between the engine and its stores, and on the Valkey of Debian 13.
 * Method: PgBouncer of Debian in transaction mode, a proxy that is 150 ms away, and a name whose first address drops packets. What
 * cannot be had on this machine is said and skipped.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ask, findExecutable } from '../../src/tools/start/services/executable.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import type { RedisSource } from '../../src/tools/start/services/redis.ts';
import { NotRun } from '../chaos/support/not-run.ts';
import { startPooler } from '../setups/support/pgbouncer.ts';
import { createTestDatabase } from '../support/database.ts';
import { startFullListener } from '../support/full-listener.ts';
import { makeServiceFolder } from '../support/service-folder.ts';
import { startTestRedis } from '../support/services.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { programOfTrixie } from './debian-trixie.ts';
import { here } from './here.ts';
import { PROCESSES } from './processes.ts';
import { openTable, walkHere } from './walk-here.ts';

const note = openTable('between');
const FAR_TEST_MS = 600_000;
/** Half of a round trip of 300 ms. */
const FAR = { kind: 'distance', ms: 150 } as const;
/** A connection takes five round trips and 3 s for the address that is dead, and an export opens two connections before its first line. */
const FAR_SETTINGS = { RISK_CONNECT_TIMEOUT_MS: '10000', RISK_REQUEST_TIMEOUT_MS: '20000' };

async function findValkey(): Promise<RedisSource> {
  const installed = findExecutable('valkey-server', process.env['PATH']);
  const program = installed ?? (await programOfTrixie(['valkey-server'], 'usr/bin/valkey-server'));
  const { ok, stdout, stderr } = await ask(program, ['--version']);
  if (!ok || !/ v=8\./.test(stdout))
    throw new NotRun(`${program} is no Valkey 8: ${stdout}${stderr}`);
  return { program, environment: {} };
}

test('the main way holds behind PgBouncer of Debian, which pools transactions', async (context) => {
  await using database = await createTestDatabase({ migrated: false });
  await using redis = await startTestRedis();
  using folder = makeServiceFolder();
  const pooling = startPooler({
    databaseUrl: database.url,
    port: await freePort(),
    folder: join(folder.services, 'pgbouncer'),
    signal: new AbortController().signal,
  });
  await using pooler = await here(context, pooling);
  const stores = { DATABASE_URL: pooler.url, REDIS_URL: redis.url };
  const walked = await walkHere({ ...stores, RISK_DATABASE_POOLER: 'transaction' });
  note('PgBouncer', walked);
  expect(walked.problems).toEqual([]);
});

test('the main way holds on Valkey 8 of Debian 13', async (context) => {
  const source = await here(context, findValkey());
  await using database = await createTestDatabase({ migrated: false });
  await using redis = await startTestRedis({ source });
  const walked = await walkHere({ DATABASE_URL: database.url, REDIS_URL: redis.url });
  note('Valkey 8', walked);
  expect(walked.problems).toEqual([]);
});

/** Makes a process know the name of the stores, first by an address that is dead. */
const RESOLVER = `import dns from 'node:dns';
  const { lookup } = dns;
  const addresses = ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }));
  dns.lookup = (host, options, callback) => {
    if (host !== 'stores.example') return lookup(host, options, callback);
    if (options?.all) return callback(null, addresses);
    callback(null, addresses[0].address, 4);
  };`;

test('the main way holds by a name whose first address is dead, where both stores are 300 ms away', {
  timeout: FAR_TEST_MS,
}, async () => {
  await using database = await createTestDatabase({ migrated: false });
  await using redis = await startTestRedis();
  await using postgresProxy = await startTcpProxy(database.url);
  await using redisProxy = await startTcpProxy(redis.url);
  const proxies = [postgresProxy, redisProxy];
  const urls = proxies.map(({ url }) => new URL(url));
  await using _dead = await startFullListener(
    '127.0.0.2',
    urls.map(({ port }) => Number(port)),
  );
  for (const proxy of proxies) proxy.inflict(FAR);
  const [databaseUrl = '', redisUrl = ''] = urls.map((url) => {
    url.hostname = 'stores.example';
    return url.href;
  });
  const environment = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(RESOLVER)}`,
    ...FAR_SETTINGS,
  };
  const walked = await walkHere(environment, { means: PROCESSES });
  note('300 ms and a dead address', walked);
  expect(walked.problems).toEqual([]);
});
