/** Goal: a bad URL of a service is reported before anything starts, and without its password. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../../src/kit/config/config.ts';
import { parseRedisUrl } from '../../../../src/kit/words/redis-url.ts';

const FILE = fileURLToPath(import.meta.url);

function problemsOf(environment: Record<string, string>): readonly string[] {
  const result = readConfig(environment);
  return 'problems' in result ? result.problems : [];
}

describe('REDIS_URL', () => {
  test('names user, password, database and certificates', () => {
    expect(parseRedisUrl('rediss://risk:p%40ss@redis.example/2?sslrootcert=/ca.pem')).toEqual({
      nodes: [{ host: 'redis.example', port: 6379 }],
      login: { username: 'risk', password: 'p@ss' },
      database: 2,
      tls: { sslrootcert: '/ca.pem' },
    });
    expect(parseRedisUrl('redis://[::1]:7000')).toMatchObject({
      nodes: [{ host: '::1', port: 7000 }],
      login: undefined,
      tls: undefined,
    });
  });

  test('of a cluster names the same for all nodes', () => {
    expect(parseRedisUrl('redis://:one@a:1,redis://:one@b:2').nodes).toHaveLength(2);
    for (const other of ['redis://:two@b', 'redis://risk:one@b', 'redis://b', 'rediss://:one@b']) {
      expect(problemsOf({ REDIS_URL: `redis://:one@a,${other}` })).toEqual([
        'REDIS_URL: node 2 names another scheme, user, password or file than node 1',
      ]);
    }
    expect(problemsOf({ REDIS_URL: 'redis://a/1,redis://b/1' })).toEqual([
      'REDIS_URL: a cluster has no database but 0',
    ]);
  });

  test.each([
    ['http://secret@a', 'must be redis://[USER:PASSWORD@]HOST[:PORT], or rediss:// for TLS'],
    ['redis://secret@a', 'names a user without a password'],
    ['redis://:secret%@a', 'a % in user or password is written %25'],
    ['redis://:secret@a/first', 'the path is the number of a database'],
    ['redis://:secret@a?sslrootcert=/ca.pem', 'sslrootcert is for rediss:// alone'],
    ['rediss://:secret@a?tls=no', 'tls is not known; allowed are sslrootcert, sslcert, sslkey'],
    [`rediss://:secret@a?sslcert=${FILE}`, 'sslcert and sslkey are given together'],
    [
      'rediss://:secret@a?sslrootcert=/no/file',
      "sslrootcert: ENOENT: no such file or directory, open '/no/file'",
    ],
  ])('%s is a bad configuration', (url, problem) => {
    expect(problemsOf({ REDIS_URL: url })).toEqual([`REDIS_URL: ${problem}`]);
  });
});

test('a file that DATABASE_URL names must be there', () => {
  expect(problemsOf({ DATABASE_URL: 'postgres://a/b?sslrootcert=/no/file' })).toEqual([
    "DATABASE_URL: sslrootcert: ENOENT: no such file or directory, open '/no/file'",
  ]);
  expect(problemsOf({ DATABASE_URL: `postgres://a/b?sslrootcert=${FILE}` })).toEqual([]);
  expect(problemsOf({ DATABASE_URL: 'secret' })).toHaveLength(1);
});
