/**
 * Replay and purge under stress, over HTTP on real Postgres and Redis: in pages, by many operators at once,
 * while Redis is away, and with transactions that fail again meanwhile.
 */
import { beforeEach, expect, test } from 'vitest';
import { streamKeys } from '../../../../src/core/stream/keys.ts';
import type { PurgeResult, ReplayResult } from '../../../../src/rooms/dead-letters/change.ts';
import { openRunningApi } from '../../../support/running-api.ts';
import {
  idAt,
  readRows,
  storeDeadLetters,
  storeTransactions,
} from '../../../support/stored-rows.ts';
import { readEntries } from '../../../support/stream-entries.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const NOVEMBER = Date.UTC(2026, 10, 15, 12);
const COUNT = 2_300;

const api = await openRunningApi();

let transactionIds: string[];
beforeEach(async () => {
  await api.reset();
  transactionIds = await storeTransactions(
    api.database,
    Array.from({ length: COUNT }, (_, n) => ({ id: idAt(NOVEMBER, n), createdAtMs: NOVEMBER })),
  );
  await storeDeadLetters(
    api.database,
    transactionIds.map((transactionId, n) => ({
      id: idAt(NOVEMBER, 100_000 + n),
      transactionId,
      failedAtMs: NOVEMBER + n,
    })),
  );
});

const replay = async (body: object): Promise<ReplayResult> =>
  (await (await api.post('/v1/dead-letters/replay', body)).json()) as ReplayResult;

/** Ids in the stream; every entry is a first attempt that says where it comes from. */
async function streamedIds(): Promise<string[]> {
  const { transactions } = streamKeys('market_0', 'US-EG', 0);
  const payloads = await readEntries(api.redis, transactions);
  return payloads.map(({ transaction, attempt, origin }) => {
    expect([attempt, origin]).toEqual([1, 'replay']);
    return transaction.transactionId;
  });
}

test('replays by eight operators at once, twice, append every transaction once', async () => {
  const operators = Array.from({ length: 8 }, async () => [
    await replay({ all: true }),
    await replay({ all: true }),
  ]);
  const results = (await Promise.all(operators)).flat();
  expect(results.reduce((sum, result) => sum + result.replayed, 0)).toBe(COUNT);
  expect(results.reduce((sum, result) => sum + result.appended, 0)).toBe(COUNT);
  expect((await streamedIds()).sort()).toEqual([...transactionIds].sort());
  const rows = await readRows(api.database.query);
  expect(rows.some(({ isLeft }) => isLeft)).toBe(false);
  expect(rows.flatMap((row) => row.transactionIds).sort()).toEqual([...transactionIds].sort());
});

test('purge marks, in pages, and leaves every row', async () => {
  const answer = await api.post('/v1/dead-letters/purge', { corridor: 'US-EG', limit: 2_000 });
  expect((await answer.json()) as PurgeResult).toMatchObject({ purged: 2_000, remaining: 300 });
  const rows = await api.testDatabase.sql<{ purged: boolean }>(
    'select purged_at is not null as purged from dead_letters',
  );
  expect(rows.filter(({ purged }) => purged)).toHaveLength(2_000);
  expect(rows).toHaveLength(COUNT);
});

test('a limit bounds a call, and failed_before keeps later failures out of the next', async () => {
  const first = await replay({ error_code: 'SCORING_FAILED', limit: 1_500 });
  expect(first).toMatchObject({ replayed: 1_500, appended: 1_500, remaining: 800, refused: [] });
  const again = Date.parse(first.failed_before ?? '') + 60_000;
  const [failedAgain = ''] = await streamedIds();
  await storeDeadLetters(api.database, [
    { id: idAt(again), transactionId: failedAgain, failedAtMs: again },
  ]);
  const second = await replay({
    error_code: 'SCORING_FAILED',
    failed_before: first.failed_before,
  });
  expect(second).toMatchObject({ replayed: 800, remaining: 0 });
  expect(await streamedIds()).toHaveLength(COUNT);
});

// The last test, as the API takes a while to use Redis again.
test('while Redis is away replays are kept as rows that are left', async () => {
  api.redisService.pause();
  try {
    const result = await replay({ all: true });
    expect(result).toMatchObject({ replayed: COUNT, appended: 0, remaining: 0 });
  } finally {
    api.redisService.resume();
  }
  const isLeft = async () => {
    const rows = await readRows(api.database.query);
    if (rows.some((row) => !row.isLeft)) return undefined;
    return rows.flatMap((row) => row.transactionIds);
  };
  const left = await waitUntil(isLeft, 5000, 'all to be left');
  expect(left.sort()).toEqual([...transactionIds].sort());
});
