/** Goal: bad settings are told at once, and secrets are not told. Method: environments, read. */
import { generateKeyPairSync } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../../../src/kit/config/config.ts';
import { configsOfMarkets } from '../../../../src/kit/config/market-config.ts';
import { testConfig } from '../../../support/config.ts';

test('keys that no header may carry are problems, told without the key', () => {
  expect(readConfig({ RISK_API_KEY: 'secret\n', RISK_BOOTSTRAP_KEY: 'too short' })).toEqual({
    problems: [
      'RISK_BOOTSTRAP_KEY: 32 to 256 visible ASCII characters',
      'RISK_API_KEY: visible ASCII characters',
    ],
  });
  expect(readConfig({ RISK_API_KEY: 'rk_visible~!' })).toMatchObject({
    config: { RISK_API_KEY: 'rk_visible~!' },
  });
});

const URLS = {
  DATABASE_URL: 'postgres://all/risk',
  DATABASE_REPLICA_URL: 'postgres://replica/risk',
  REDIS_URL: 'redis://all',
};

test('markets have stores of their own by their names, and share the rest and what a process may open', () => {
  const config = testConfig({
    ...{ ...URLS, RISK_MARKETS: 'market_0,market_1,eu' },
    MARKET_1_DATABASE_URL: 'postgres://one/risk',
    EU_REDIS_URL: 'redis://eu',
    ...{ MARKET_1_ENABLED: 'false', MARKET_7_ENABLED: 'false' },
  });
  expect(config.RISK_MARKET).toBe('market_0');
  const [first, second, third] = configsOfMarkets(config);
  const urls = { ...URLS, DATABASE_REPLICA_URL: [URLS.DATABASE_REPLICA_URL] };
  expect(first).toMatchObject({ ...urls, RISK_MARKET: 'market_0' });
  // The replica of the process is none of another Postgres.
  expect(second).toMatchObject({
    ...{ ...urls, RISK_MARKET: 'market_1', DATABASE_URL: 'postgres://one/risk' },
    DATABASE_REPLICA_URL: undefined,
  });
  expect(third).toMatchObject({ ...urls, RISK_MARKET: 'eu', REDIS_URL: 'redis://eu' });
  for (const one of [first, second, third]) {
    expect(one).toMatchObject({ RISK_DATABASE_CONNECTIONS_MAX: 3, RISK_EXPORTS_MAX: 1 });
  }
  const stops = [first, second, third].map((one) => one?.stopped.map(({ name }) => name));
  expect(stops).toEqual([['MARKET_7_ENABLED'], ['MARKET_1_ENABLED'], []]);
});

test('all that is wrong with several markets is told at once, each once, by the name of its variable', () => {
  const given = {
    ...{ RISK_MARKET: 'market_2', RISK_MARKETS: 'market_0,market_1', PORT: 'x' },
    ...{ MARKET_0_DATABASE_URL: 'mysql://x', MARKET_1_REDIS_URL: 'x', MARKET_9_REDIS_URL: 'x' },
  };
  const read = readConfig(given);
  expect('problems' in read && read.problems.map((one) => one.split(': ')[0])).toEqual([
    'RISK_MARKETS',
    'PORT',
    'MARKET_0_DATABASE_URL',
    'MARKET_1_REDIS_URL',
  ]);
  expect('problems' in read && read.problems[0]).toBe(
    'RISK_MARKETS: must name market_2, as RISK_MARKET does',
  );
  const twice = readConfig({ RISK_MARKETS: 'market_0,market_0' });
  expect(twice).toEqual({
    problems: [expect.stringMatching(/^RISK_MARKETS: must be up to 16 different markets/)],
  });
});

test('keys of evidence that cannot be read or cannot sign are problems, each by its file', () => {
  const path = join(tmpdir(), `risk-key-${process.pid}.pem`);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  try {
    expect(readConfig({ RISK_EVIDENCE_KEYS: `/nowhere.pem,${path}` })).toEqual({
      problems: [
        expect.stringMatching(/^RISK_EVIDENCE_KEYS: \/nowhere\.pem: ENOENT/),
        `RISK_EVIDENCE_KEYS: ${path}: must be a key of Ed25519 or ML-DSA-44`,
      ],
    });
  } finally {
    rmSync(path);
  }
});

test('a bucket of checkpoints needs an object store, and is written as a bucket', () => {
  const url = { RISK_EVIDENCE_BUCKET: 's3://kept/evidence' };
  const store = { RISK_S3_ENDPOINT: 'https://s3.example.com', RISK_S3_ACCESS_KEY: 'a' };
  expect(readConfig({ ...url, ...store })).toEqual({
    problems: ['RISK_S3_SECRET_KEY: must be set beside RISK_EVIDENCE_BUCKET'],
  });
  expect(readConfig({ ...store, RISK_S3_SECRET_KEY: 'b', ...url })).toMatchObject({ config: url });
  expect(readConfig({ ...store, RISK_S3_SECRET_KEY: 'b', RISK_EVIDENCE_BUCKET: 'kept' })).toEqual({
    problems: [expect.stringMatching(/^RISK_EVIDENCE_BUCKET: .*s3:\/\/BUCKET\/PREFIX/)],
  });
});
