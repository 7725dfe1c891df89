/** Programs that the commands of the documents call and the engine's packages do not have. */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findExecutable } from '../../../src/tools/start/services/executable.ts';
import type { RedisSource } from '../../../src/tools/start/services/redis.ts';
import { NotRun } from '../../chaos/support/not-run.ts';

const OF_POSTGRES = ['psql', 'pg_ctl', 'pg_basebackup', 'pg_controldata', 'pg_dump', 'pg_restore'];

/** Folder of a PostgreSQL with all its programs: RISK_TEST_POSTGRES_BIN, or that of the initdb on the PATH. */
export function findPostgresBin(): string {
  const initdb = findExecutable('initdb', process.env['PATH']);
  const found = initdb === undefined ? '' : dirname(realpathSync(initdb));
  const named = process.env['RISK_TEST_POSTGRES_BIN'] ?? '';
  const bin = named === '' ? found : named;
  const missing = OF_POSTGRES.filter((name) => !existsSync(join(bin, name)));
  if (missing.length === 0) return bin;
  throw new NotRun(
    `RISK_TEST_POSTGRES_BIN names no folder of PostgreSQL with ${missing.join(', ')}`,
  );
}

/** Settings under which the shell finds a redis-cli beside the Redis that the drills start. */
export function findRedisCli(source: RedisSource): Readonly<Record<string, string>> {
  const bin = dirname(source.program);
  if (!existsSync(join(bin, 'redis-cli'))) {
    throw new NotRun('there is no redis-cli beside a Redis 7');
  }
  return { ...source.environment, PATH: bin };
}
