/** Goal: a bad URL of a service is reported before anything starts, and without its password. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../../src/kit/config/config.ts';
import { readKafkaUrl } from '../../../../src/kit/words/kafka-url.ts';
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
    ['rediss://:secret@a?tls=no', 'tls is not known; allowed are sslrootcert, sslcert, sslkey'],
    [`rediss://:secret@a?sslcert=${FILE}`, 'sslcert and sslkey are given together'],
  ])('%s is a bad configuration', (url, problem) => {
    expect(problemsOf({ REDIS_URL: url })).toEqual([`REDIS_URL: ${problem}`]);
  });
});

describe('KAFKA_URL', () => {
  test('names brokers, user, password, mechanism and certificates', () => {
    const text = 'kafkas://risk:p%40ss@a:9093,[::1]:9094?mechanism=PLAIN&sslrootcert=/ca.pem';
    expect(readKafkaUrl(text)).toEqual({
      url: {
        brokers: [
          { host: 'a', port: 9093 },
          { host: '::1', port: 9094 },
        ],
        login: { username: 'risk', password: 'p@ss', mechanism: 'PLAIN' },
        tls: { sslrootcert: '/ca.pem' },
      },
      problems: [],
    });
    expect(readKafkaUrl('kafka://a:9092').url).toMatchObject({ login: undefined, tls: undefined });
    expect(readKafkaUrl('kafka://risk:secret@a:9092').url.login?.mechanism).toBe('SCRAM-SHA-512');
  });

  const shape =
    'must be kafka://[USER:PASSWORD@]HOST:PORT, with commas between brokers, or kafkas:// for TLS';
  test.each([
    ['http://secret@a:1', [shape]],
    ['kafka://a:65536', [shape]],
    ['kafka://:secret@a:1', ['names a password without a user']],
    ['kafka://a:1?mechanism=PLAIN', ['mechanism needs a user and a password']],
    ['kafkas://a:1?sslkey=/no/file', [/given together/, /sslkey: ENOENT/]],
    [
      'kafka://risk@a:1?mechanism=PLAIN&tls=no&sslrootcert=/ca.pem',
      [
        'names a user without a password',
        'PLAIN sends the password as it is, so it is for kafkas:// alone',
        'tls is not known; allowed are mechanism, sslrootcert, sslcert, sslkey',
        'sslrootcert is for kafkas:// alone',
      ],
    ],
  ])('%s is a bad configuration, and all problems are told', (url, problems) => {
    expect(problemsOf({ KAFKA_URL: url })).toEqual(
      problems.map((one) =>
        typeof one === 'string' ? `KAFKA_URL: ${one}` : expect.stringMatching(one),
      ),
    );
    expect(String(problemsOf({ KAFKA_URL: url }))).not.toContain('secret');
  });
});

describe('a Postgres URL', () => {
  test.each([
    ['application_name=payments', 'the engine finds its sessions by the names that it gives them'],
    ['options=-c%20datestyle%3DGerman', 'set it for the role: `alter role … set …`'],
    ['statement_timeout=1', 'set RISK_STATEMENT_TIMEOUT_MS, from which the engine has it'],
    ['pgbouncer=true', 'set RISK_DATABASE_POOLER=transaction'],
    ['connection_limit=5', 'set RISK_DATABASE_CONNECTIONS_MAX'],
    ['schema=public', 'set RISK_MARKET, which names the schema'],
    ['ssl=true', 'set sslmode'],
    ['password=secret', 'write it before the question mark'],
    ['client_encoding=latin1', expect.stringMatching(/^allowed are host, sslmode/)],
    ['constructor=x', expect.stringMatching(/^allowed are host, sslmode/)],
  ])('with %s is a bad configuration that names what takes its place', (parameter, instead) => {
    const name = parameter.split('=')[0];
    for (const setting of ['DATABASE_URL', 'DATABASE_REPLICA_URL', 'RISK_ADMIN_DATABASE_URL']) {
      const [problem, ...others] = problemsOf({ [setting]: `postgres://a/b?${parameter}` });
      const [what, why] = problem?.split(' may not stand in the URL: ') ?? [];
      expect([what, why, others]).toEqual([`${setting}: ${name}`, instead, []]);
    }
  });

  test.each(['postgres://a,c/b', 'postgres://a:5432,c:5432/b', 'mysql://a/b'])(
    '%s is no URL of one host',
    (url) => {
      for (const setting of ['DATABASE_URL', 'DATABASE_REPLICA_URL'])
        expect(problemsOf({ [setting]: url })).toEqual([
          `${setting}: must be postgres://USER:PASSWORD@HOST:PORT/DATABASE, with one host`,
        ]);
    },
  );

  test('of replicas may be several, of which each is checked', () => {
    const replicas = ['postgres://a:x,y@a/b', 'postgresql://c/d'];
    expect(readConfig({ DATABASE_REPLICA_URL: replicas.join(', ') })).toMatchObject({
      config: { DATABASE_REPLICA_URL: replicas },
    });
    const problems = problemsOf({ DATABASE_REPLICA_URL: 'postgres://a/b,postgres://c/d?ssl=true' });
    expect(problems).toEqual(['DATABASE_REPLICA_URL: ssl may not stand in the URL: set sslmode']);
  });

  test('of a market alone is checked, too', () => {
    expect(
      problemsOf({
        RISK_MARKETS: 'market_0,market_1',
        DATABASE_URL: 'postgres://a/b',
        MARKET_1_DATABASE_URL: 'postgres://a/b?application_name=payments',
      }),
    ).toEqual([expect.stringMatching(/^MARKET_1_DATABASE_URL: application_name may not/)]);
  });

  test.each([
    'sslmode=verify-full',
    `sslmode=verify-full&sslrootcert=${FILE}`,
    'sslmode=require&uselibpqcompat=true',
    'sslnegotiation=direct&sslmode=verify-full',
    'host=/var/run/postgresql',
  ])('may have %s', (parameters) => {
    expect(problemsOf({ DATABASE_URL: `postgres://a/b?${parameters}` })).toEqual([]);
  });
});

test('a file that DATABASE_URL names must be there', () => {
  expect(problemsOf({ DATABASE_URL: 'postgres://a/b?sslrootcert=/no/file' })).toEqual([
    "DATABASE_URL: sslrootcert: ENOENT: no such file or directory, open '/no/file'",
  ]);
  expect(problemsOf({ DATABASE_URL: `postgres://a/b?sslrootcert=${FILE}` })).toEqual([]);
  expect(problemsOf({ DATABASE_URL: 'secret' })).toHaveLength(1);
});
