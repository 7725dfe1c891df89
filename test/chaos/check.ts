/**
 * The checker as a program of its own: reads the ledger file and the databases, nothing else, and prints
 * its verdict as JSON. `bin/risk-dev test/chaos/check.ts LEDGER`, with DATABASE_URL and REDIS_URL.
 */
import pg from 'pg';
import { marketUrl } from '../../bench/support/market.ts';
import { createOutput } from '../../src/kit/command/output.ts';
import { checkAtRest } from './support/checker.ts';
import { readLedgerFile } from './support/ledger.ts';
import { openClient } from './support/sessions.ts';

const [file = ''] = process.argv.slice(2);
const { DATABASE_URL: databaseUrl = '', REDIS_URL: redisUrl = '' } = process.env;
const database = new pg.Client({
  connectionString: marketUrl(databaseUrl),
  application_name: 'chaos',
});
await database.connect();
const redis = openClient(redisUrl);
try {
  const ledger = readLedgerFile(file);
  const verdict = await checkAtRest({ databaseUrl, database, redis, ledger });
  createOutput({ json: true }).value(verdict, []);
} finally {
  redis.disconnect();
  await database.end();
}
