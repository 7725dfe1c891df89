/**
 * Goal: a replay over several corridors, one of whose streams is full, leaves only that one's transactions to
 * the reconciler. Method: an API whose streams hold little, with one of them filled.
 */
import { expect, test } from 'vitest';
import { streamKeys } from '../../../../src/core/stream/keys.ts';
import type { ReplayResult } from '../../../../src/rooms/dead-letters/change.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import {
  idAt,
  readRows,
  storeDeadLetters,
  storeTransactions,
} from '../../../support/stored-rows.ts';
import { readEntries } from '../../../support/stream-entries.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const ENTRIES_MAX = 100;
const NOVEMBER = Date.UTC(2026, 10, 15, 12);
const CORRIDORS = ['US-EG', 'US-IN'] as const;
const EACH = 3;

test('what is in its stream is not owed with what found its stream full', async () => {
  await using api = await startRunningApi({ RISK_STREAM_ENTRIES_MAX: String(ENTRIES_MAX) });
  const rows = CORRIDORS.flatMap((corridor, c) =>
    Array.from({ length: EACH }, (_, n) => ({
      ...{ id: idAt(NOVEMBER, c * EACH + n), createdAtMs: NOVEMBER, corridor },
    })),
  );
  await storeTransactions(api.database, rows);
  await storeDeadLetters(
    api.database,
    rows.map(({ id, corridor }, n) => ({
      ...{ id: idAt(NOVEMBER, 1000 + n), transactionId: id, failedAtMs: NOVEMBER, corridor },
    })),
  );
  const [full, open] = CORRIDORS.map(
    (corridor) => streamKeys('market_0', corridor, 0).transactions,
  );
  const filling = api.redis.pipeline();
  for (let n = 0; n < ENTRIES_MAX; n++) filling.xadd(full ?? '', '*', 'd', 'x');
  await filling.exec();
  const answer = await api.post('/v1/dead-letters/replay', { all: true });
  expect((await answer.json()) as ReplayResult).toMatchObject({
    ...{ replayed: 2 * EACH, appended: EACH, remaining: 0 },
  });
  expect(await readEntries(api.redis, open ?? '')).toHaveLength(EACH);
  const owed = rows.filter(({ corridor }) => corridor === CORRIDORS[0]).map(({ id }) => id);
  const left = async () => {
    const rows = await readRows(api.database.query);
    const ids = rows.flatMap(({ isLeft, transactionIds }) => (isLeft ? transactionIds : []));
    return ids.length > 0 ? ids : undefined;
  };
  expect((await waitUntil(left, 5000, 'rows to be left')).sort()).toEqual(owed.sort());
});
