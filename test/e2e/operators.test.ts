/**
 * The work of operators, done as they do it: `risk status` and `risk dead-letters` against an API
 * on real Postgres and Redis. No worker runs, so what is replayed stays where it can be seen.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import { streamKeys } from '../../src/core/stream/keys.ts';
import type { DeadLetter } from '../../src/rooms/dead-letters/store.ts';
import type { StatusJson } from '../../src/rooms/status/queries/pipeline-status.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { spawnRisk } from '../support/risk.ts';
import { runRisk } from '../support/run-risk.ts';
import { openRunningApi } from '../support/running-api.ts';
import {
  idAt,
  storeDeadLetters,
  storeOpenRows,
  storeTransactions,
} from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';

const NOVEMBER = Date.UTC(2026, 10, 15, 12);

const api = await openRunningApi();

/** Three readable ones in two groups, and one that could not be read. */
const deadLetterId = (n: number) => idAt(NOVEMBER, 0xd00 + n);
let transactionIds: string[];

beforeEach(async () => {
  await api.reset();
  transactionIds = await storeTransactions(
    api.database,
    [1, 2, 3, 4].map((n) => ({
      id: idAt(NOVEMBER, n),
      createdAtMs: NOVEMBER,
      accountId: `acc_${n}`,
      amount: `${n}.50`,
    })),
  );
  const [one = '', two = '', three = ''] = transactionIds;
  await storeDeadLetters(api.database, [
    { id: deadLetterId(1), transactionId: one, failedAtMs: NOVEMBER + 1 },
    { id: deadLetterId(2), transactionId: two, failedAtMs: NOVEMBER + 2 },
    {
      id: deadLetterId(3),
      transactionId: three,
      failedAtMs: NOVEMBER + 3,
      errorCode: 'CRASHES_WORKER',
      corridor: 'US-MX',
    },
    {
      id: deadLetterId(4),
      transactionId: null,
      failedAtMs: NOVEMBER + 4,
      errorCode: 'ENTRY_MALFORMED',
    },
  ]);
});

const listed = async (...args: string[]) => (await api.riskJson(...args)) as DeadLetter[];

const streamed = async () => {
  const { transactions } = streamKeys('market_0', 'US-EG', 0);
  return await readEntries(api.redis, transactions);
};

describe('risk dead-letters', () => {
  test('list shows active ones newest first, as a table or as the API’s items', async () => {
    const items = await listed('dead-letters', 'list', '--corridor', 'US-EG');
    expect(items.map((item) => item.dead_letter_id)).toEqual([4, 2, 1].map(deadLetterId));
    expect(items[1]).toEqual({
      dead_letter_id: deadLetterId(2),
      stream: '{market_0:US-EG:0}:transactions',
      message: { transaction_id: transactionIds[1], account_id: 'acc_1', retry_count: 4 },
      corridor: 'US-EG',
      error: 'a test said so',
      error_code: 'SCORING_FAILED',
      failed_at: '2026-11-15T12:00:00.002Z',
      replayed_at: null,
      purged_at: null,
    });
    const { stdout } = await api.risk('dead-letters', 'list', '--limit', '2');
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(stdout).toMatch(/ENTRY_MALFORMED {2}- {2}/);
  });

  test('show gives the entry, and exits 1 for an unknown id', async () => {
    const shown = await api.riskJson('dead-letters', 'show', deadLetterId(1));
    expect(shown).toMatchObject({ dead_letter_id: deadLetterId(1), entry: '["packed"]' });
    const unknown = await api.risk('dead-letters', 'show', deadLetterId(99));
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('No dead letter has the id');
  });

  test('groups counts by error and corridor', async () => {
    const groups = await api.riskJson('dead-letters', 'groups');
    expect(groups).toMatchObject([
      {
        error_code: 'SCORING_FAILED',
        corridor: 'US-EG',
        dead_letters: 2,
        unreadable: 0,
        first_failed_at: '2026-11-15T12:00:00.001Z',
        last_failed_at: '2026-11-15T12:00:00.002Z',
        sample_ids: [deadLetterId(2), deadLetterId(1)],
      },
      { error_code: 'CRASHES_WORKER', corridor: 'US-MX', dead_letters: 1, unreadable: 0 },
      { error_code: 'ENTRY_MALFORMED', corridor: 'US-EG', dead_letters: 1, unreadable: 1 },
    ]);
  });

  test('replay of ids says which it could not, and exits 1', async () => {
    const { code, stdout, stderr } = await api.risk(
      'dead-letters',
      'replay',
      deadLetterId(1),
      deadLetterId(4),
      deadLetterId(99),
      '--json',
    );
    expect(code).toBe(1);
    expect(stderr).toContain('1 of the selected cannot be replayed: they are unreadable, or of');
    expect(JSON.parse(stdout)).toEqual({
      replayed: 1,
      appended: 1,
      left_to_reconciler: 0,
      not_replayable: 1,
      refused: [
        { dead_letter_id: deadLetterId(4), reason: 'unreadable' },
        { dead_letter_id: deadLetterId(99), reason: 'unknown' },
      ],
    });
  });

  test('purge closes rows without deleting them, and is no end that a replay undoes', async () => {
    const purged = await api.riskJson('dead-letters', 'purge', '--corridor', 'US-EG', '--yes');
    expect(purged).toEqual({ purged: 3, refused: [] });
    expect(await api.riskJson('dead-letters', 'list')).toHaveLength(1);
    expect(await api.riskJson('dead-letters', 'list', '--all')).toHaveLength(4);
    const { code, stdout } = await api.risk('dead-letters', 'replay', deadLetterId(1), '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout).refused).toEqual([
      { dead_letter_id: deadLetterId(1), reason: 'purged' },
    ]);
    expect(await streamed()).toEqual([]);
  });
});

describe('risk status', () => {
  test('counts what waits where it waits, and the totals', async () => {
    await api.riskJson('dead-letters', 'replay', deadLetterId(1));
    await storeOpenRows(api.database.query, new Date(), [
      transactionIds[2] ?? '',
      transactionIds[3] ?? '',
    ]);
    const status = (await api.riskJson('status')) as StatusJson;
    expect(status).toMatchObject({ redis: 'up', unappended: 2, totals: { pending: 3 } });
    const row = status.corridors?.find(({ corridor }) => corridor === 'US-EG');
    expect(row).toMatchObject({ lag: 1, pending: 0, retries_due: 0, dead_letters: 2 });
    // An entry of long ago raises the signal of its age.
    const old = streamKeys('market_0', 'GB-NG', 0).transactions;
    await api.redis.xadd(old, `${NOVEMBER}-1`, 'unreadable', '1');
    const { stdout } = await api.risk('status');
    expect(stdout).toMatch(
      /^No worker has reported in the last 10 s: see \/docs\/runbooks#noworkers\.\ncorridor +lag +at workers +retries due +oldest age seconds +dead letters/,
    );
    expect(stdout).toMatch(/pending +3\n/);
    expect(stdout).toMatch(
      /^signal +level +value .*\n(.*\n)*worker_lag_seconds .*#highqueueage +Age of the oldest pending entry\.$/m,
    );
  });

  test('says in one sentence where no engine answers, and what to run', async () => {
    const port = await freePort();
    const RISK_URL = `http://127.0.0.1:${port}`;
    for (const words of [['status'], ['workers'], ['review', 'status']]) {
      const { code, stderr } = await runRisk(words, { RISK_URL });
      expect([code, stderr]).toEqual([
        1,
        `risk ${words[0]}: no engine answers at ${RISK_URL} (connect ECONNREFUSED 127.0.0.1:${port}): run \`npm start\`, or set RISK_URL to the engine's address\n`,
      ]);
    }
    const people = await runRisk(['keys', 'people'], { RISK_DATA_DIR: '/absent' });
    expect([people.code, people.stderr]).toEqual([78, expect.stringContaining('npm start')]);
  });
});

test('a worker without a Redis says so once, and then that the connection is lost', async () => {
  const stores = { DATABASE_URL: api.testDatabase.url, REDIS_URL: api.redisService.url };
  let refusals = 0;
  const door = createServer((socket) => {
    refusals++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(door, 'listening');
  const { port: closed } = door.address() as AddressInfo;
  await using worker = spawnRisk(['worker'], {
    ...stores,
    REDIS_URL: `redis://127.0.0.1:${closed}`,
  });
  await worker.waitFor(/waiting for the streams/, 30_000);
  await waitUntil(() => refusals >= 10, 30_000, 'ten tries to connect');
  // Two reasons are logged: no connection yet, and a lost connection.
  const said = worker.stdout() + worker.stderr();
  expect(said.match(/waiting for the streams/g)?.length).toBeLessThanOrEqual(2);
  worker.kill('SIGTERM');
  await worker.exited;
  door.close();
});
