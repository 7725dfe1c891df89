/**
 * Goal: what the engine decides by an error of Postgres does not depend on the language of the server. Method: an API and a worker on
 * a Postgres that speaks German. A machine without its translations says so and skips; unit tests of the errors run everywhere.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  attachMonth,
  detachMonth,
  LOCK_WAIT_MS,
} from '../../src/core/store/partitions/detach-months.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { connected } from '../../src/kit/database/migrations/migration-session.ts';
import { openDatabase } from '../../src/kit/database/open-database.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { engineOf } from '../../src/kit/words/principal.ts';
import { findExecutable } from '../../src/tools/start/services/executable.ts';
import { testConfig } from '../support/config.ts';
import { TEST_MARKET } from '../support/global-setup.ts';
import { insertKey } from '../support/key-rows.ts';
import { monthOfText, timeIn } from '../support/months-rig.ts';
import { openForFile } from '../support/open-for-file.ts';
import { type RunningApi, startRunningApi } from '../support/running-api.ts';
import { makeTestFolder } from '../support/service-folder.ts';
import { startTestPostgres, type TestService } from '../support/services.ts';
import { input, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Folder of the programs; undefined where this machine has none with translations. */
function findTranslatedBin(): string | undefined {
  const initdb = findExecutable('initdb', process.env['PATH']);
  const found = initdb === undefined ? '' : dirname(realpathSync(initdb));
  const bin = process.env['RISK_TEST_POSTGRES_BIN'] || found;
  const config = join(bin, 'pg_config');
  if (!existsSync(config)) return undefined;
  const locales = execFileSync(config, ['--localedir'], { encoding: 'utf8' }).trim();
  const isTranslated = ['de', 'ru'].every((language) => {
    const catalogs = join(locales, language, 'LC_MESSAGES');
    return existsSync(catalogs) && readdirSync(catalogs).some((name) => OF_SERVER.test(name));
  });
  return isTranslated ? bin : undefined;
}

const OF_SERVER = /^postgres-\d+\.mo$/;

/** The language comes of LANGUAGE, as few machines have the locale de_DE.UTF-8 and each has C.UTF-8. */
async function startTranslatedPostgres(bin: string, language: 'de' | 'ru'): Promise<TestService> {
  const folder = makeTestFolder();
  const start = `#!/bin/sh\nLANGUAGE=${language} exec '${join(bin, 'postgres')}' "$@"\n`;
  writeFileSync(join(folder, 'postgres'), start, { mode: 0o755 });
  symlinkSync(join(bin, 'initdb'), join(folder, 'initdb'));
  const settings = { lc_messages: 'C.UTF-8' };
  const service = await startTestPostgres({ bin: folder, settings });
  return {
    ...service,
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const bin = findTranslatedBin();
if (bin === undefined) {
  process.stderr.write('translated-server.test.ts skips: no Postgres here has translations\n');
}
const DEADLINE_MS = 30_000;

describe.skipIf(bin === undefined)('a Postgres that speaks German', () => {
  let api: RunningApi;
  let operator: Database;
  let url: string;

  beforeAll(async () => {
    const service = await openForFile(startTranslatedPostgres(bin ?? '', 'de'));
    url = service.url;
    await migrate({ url, market: TEST_MARKET, corridors: [] });
    const more = { connectionsMax: 2, lockTimeoutMs: LOCK_WAIT_MS };
    operator = await openForFile(openDatabase(testConfig(), url, 'test', more));
    // The API's statements wait for a lock so long.
    const settings = { DATABASE_URL: url, RISK_STATEMENT_TIMEOUT_MS: '1000' };
    api = await openForFile(startRunningApi(settings));
  }, 4 * DEADLINE_MS);

  const post = async (month: string) => {
    const { status, body } = await postOne(api, input({ created_at: timeIn(month) }));
    expect([status, body]).toEqual([201, expect.anything()]);
    return String(body.transaction_id);
  };
  const detach = (month: string) => detachMonth(operator, monthOfText(month));
  const count = async (from: string) => {
    const text = `select count(*)::int as rows from market.${from}`;
    return (await operator.query<{ rows: number }>({ text }))[0]?.rows;
  };

  test('says its errors in German', async () => {
    const divided = operator.query({ text: 'select 1 / 0' });
    await expect(divided).rejects.toThrow('Division durch Null');
  });

  test('has a post into a detached month refused as such', async () => {
    await post('2013-03');
    expect(await detach('2013-03')).toBe(true);
    const { status, body } = await postOne(api, input({ created_at: timeIn('2013-03') }));
    expect([status, body.type]).toEqual([422, 'urn:risk:problem:month-detached']);
  });

  test('has a post answered 409 while a rival holds its key', async () => {
    const sent = input();
    await operator.session(async (client) => {
      await client.query('begin');
      await client.query(insertKey(), [sent['idempotency_key']]);
      const { status, body } = await postOne(api, sent);
      expect([status, body.type]).toEqual([409, 'urn:risk:problem:still-running']);
      await client.query('rollback');
    });
    expect((await postOne(api, sent)).status).toBe(201);
  });

  test('has an entry of a detached month set aside, and scored once the month is attached', async () => {
    const id = await post('2013-06');
    await detach('2013-06');
    await using _worker = api.startWorker({ DATABASE_URL: url, RISK_READ_BLOCK_MS: '200' });
    const letters = `dead_letters where error_code = 'MONTH_DETACHED' and transaction_id = '${id}'`;
    await waitUntil(async () => (await count(letters)) === 1, DEADLINE_MS, 'dead letter');
    await attachMonth(operator, monthOfText('2013-06'), engineOf('test'));
    const text = 'select dead_letter_id as id from market.dead_letters';
    const ids = (await operator.query<{ id: string }>({ text })).map((letter) => letter.id);
    expect(await (await api.post('/v1/dead-letters/replay', { ids })).json()).toMatchObject({
      replayed: 1,
    });
    const score = `scores where transaction_id = '${id}'`;
    await waitUntil(async () => (await count(score)) === 1, DEADLINE_MS, 'score');
  });
});

test.skipIf(bin === undefined)(
  'a Postgres that has a word of its own for INFO reports the progress of a migration',
  async () => {
    await using service = await startTranslatedPostgres(bin ?? '', 'ru');
    const said: string[] = [];
    const options = {
      url: service.url,
      market: TEST_MARKET,
      onProgress: (text: string) => said.push(text),
    };
    await connected(options, (client) =>
      client.query(`do $$ begin raise info 'part %', 1; end $$; drop table if exists missing`),
    );
    expect(said).toEqual(['part 1']);
  },
);
