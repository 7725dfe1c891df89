/**
 * Goal: the main way of the engine holds in databases as others make theirs. Method: clusters that the programs of the tests make with
 * the options, access rules and roles of Debian, Docker's image, CloudNativePG and RDS. A machine without openssl or localedef says so
 * and skips.
 */
import { describe, expect, inject, test } from 'vitest';
import { startTestRedis } from '../support/services.ts';
import { CLUSTERS, startCluster, whyNoClusters } from './clusters.ts';
import { openTable, walkHere } from './walk-here.ts';

const missing = whyNoClusters();
if (missing !== undefined) process.stderr.write(`databases.long.test.ts skips: ${missing}\n`);
const note = openTable('database');

describe.skipIf(missing !== undefined)('the main way', () => {
  test.each(CLUSTERS)('holds in a database of $name', async (cluster) => {
    await using server = await startCluster(cluster, inject('postgresBin'));
    await using redis = await startTestRedis();
    const walked = await walkHere({ DATABASE_URL: server.url, REDIS_URL: redis.url });
    note(cluster.name, walked);
    expect(walked.problems).toEqual([]);
  });

  test('is refused by a server that takes TLS alone, and the message says so', async () => {
    const cluster = CLUSTERS.find(({ hba }) => hba?.some((line) => line.startsWith('hostssl all')));
    if (cluster === undefined) throw new Error('no cluster takes TLS alone');
    await using server = await startCluster(cluster, inject('postgresBin'));
    await using redis = await startTestRedis();
    const plain = server.url.replace(/\?.*/, '');
    const { problems } = await walkHere({ DATABASE_URL: plain, REDIS_URL: redis.url });
    expect(problems).toEqual([expect.stringMatching(/^migrate: .*no encryption.*sslmode/s)]);
  });
});
