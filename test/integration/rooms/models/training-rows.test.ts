/**
 * Goal: a model is trained on what was known by a time, and on nothing else. Method: a few rows whose
 * labels came in every order, and enough of them for several pages and months.
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { FEATURE_COUNT } from '../../../../src/core/domain/feature-schema.ts';
import type { LabelValue } from '../../../../src/core/domain/label.ts';
import { insertLabels } from '../../../../src/core/store/labels/insert-labels.ts';
import { ensurePartitions } from '../../../../src/core/store/partitions/partitions.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import { readTrainingRows } from '../../../../src/rooms/models/store/training-rows.ts';
import type { TrainingRow } from '../../../../src/rooms/models/training/rows.ts';
import { openTestDatabase } from '../../../support/database.ts';
import { insertPlainScores } from '../../../support/delivered.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';

const DAY_MS = 86_400_000;
const JANUARY = Date.UTC(2026, 0, 20);
const KNOWN_BY = JANUARY + 30 * DAY_MS;
/** Over two pages, the days over two months. */
const MANY = 4500;
const MANY_FROM = Date.UTC(2026, 2, 25);

type Said = readonly [label: LabelValue, labelledAtMs: number, source?: string];

async function store(rows: readonly { atMs: number; said: readonly Said[] }[]) {
  const ids = rows.map(({ atMs }, at) => idAt(atMs, at));
  await ensurePartitions(
    database,
    rows.map(({ atMs }) => monthOf(atMs)),
  );
  const scores = rows.map(({ atMs }, at) => {
    const decision = {
      score: 1,
      risk: 0.001,
      probability: null,
      verdict: 'approve',
      reasons: [],
    } as const;
    const features = new Float64Array(FEATURE_COUNT);
    features.set([at, Number.NaN, -1 / 3]);
    const key = { transactionId: ids[at] ?? '', createdAtMs: atMs };
    const rest = { model: null, attempts: 1, degradation: 0, ruleSet: 'default@3' };
    return { ...key, accountId: `a${at % 7}`, corridor: 'US-EG', decision, features, ...rest };
  });
  await insertPlainScores(database, scores, JANUARY);
  // Labels are of transactions.
  const labelled = rows.flatMap(({ atMs, said }, at) =>
    said.length === 0 ? [] : { createdAtMs: atMs, id: ids[at] ?? '' },
  );
  await storeTransactions(database, labelled);
  const labels = rows.flatMap(({ atMs, said }, at) =>
    said.map(([label, labelledAtMs, source = 'bank']) => ({
      ...{
        transactionId: ids[at] ?? '',
        createdAtMs: atMs,
        accountId: `a${at % 7}`,
        merchantId: 'm',
      },
      ...{ label, labelledAtMs, source, amountToMedian: null, note: 'for people' },
    })),
  );
  const receivedAtMs = KNOWN_BY + 90 * DAY_MS;
  const reporter = { client: 'default', identity: null };
  for (let from = 0; from < labels.length; from += 1000) {
    const batch = {
      batchId: randomUUID(),
      receivedAtMs,
      reporter,
      labels: labels.slice(from, from + 1000),
    };
    await database.transaction((query) => insertLabels(query, batch));
  }
}

const { testDatabase, database } = await openTestDatabase();
const later = (days: number) => JANUARY + days * DAY_MS;
const cases: (readonly Said[])[] = [
  [['fraud', later(7)]],
  [['legitimate', later(7)]],
  // A dispute that was won, and one that came only after the time.
  [
    ['fraud', later(7)],
    ['legitimate', later(9), 'scheme'],
  ],
  [
    ['legitimate', later(7)],
    ['fraud', KNOWN_BY + 1],
  ],
  // At the same moment fraud decides, whatever its source and order of arrival.
  [
    ['legitimate', later(7), 'z'],
    ['fraud', later(7), 'a'],
  ],
  [
    ['fraud', later(7), 'z'],
    ['legitimate', later(7), 'a'],
  ],
  // The last millisecond is included.
  [['fraud', KNOWN_BY]],
  [['fraud', KNOWN_BY + 1]],
  [],
];
await store(cases.map((said, at) => ({ atMs: JANUARY + at * 1000, said })));
await store(
  Array.from({ length: MANY }, (_, at) => {
    const atMs = MANY_FROM + at * 300_000;
    return { atMs, said: [[at % 10 === 0 ? 'fraud' : 'legitimate', atMs + DAY_MS] as const] };
  }),
);

const selection = {
  ...{ knownByMs: KNOWN_BY, unlabelled: 'skip' as const },
  signal: new AbortController().signal,
};
const january = { fromMs: JANUARY, toMs: JANUARY + DAY_MS };

async function read(window: typeof january, more: Partial<typeof selection> | object = {}) {
  const pages: (readonly TrainingRow[])[] = [];
  const count = await readTrainingRows(database, { ...selection, ...more }, async (reader) => {
    await reader.read(window, false, (page) => pages.push(page));
    return await reader.count(window);
  });
  const rows = pages.flatMap((page) =>
    page.map(({ vector, label, accountId, day }) => ({
      vector: [...vector.subarray(0, 3)],
      label,
      accountId,
      day,
    })),
  );
  return { pages, rows, count };
}

test('readTrainingRows takes the newest label that was known, and fraud of two at the same time', async () => {
  const { rows, count } = await read(january);
  expect(rows.map(({ vector, label }) => [vector[0], label])).toEqual([
    [0, 'fraud'],
    [1, 'legitimate'],
    [2, 'legitimate'],
    [3, 'legitimate'],
    [4, 'fraud'],
    [5, 'fraud'],
    [6, 'fraud'],
  ]);
  expect(count).toBe(9);
});

test('readTrainingRows reads pages in time order over the bound of a month, the end exclusive', async () => {
  const window = { fromMs: MANY_FROM, toMs: MANY_FROM + (MANY - 1) * 300_000 };
  const { rows, pages, count } = await read(window, { knownByMs: MANY_FROM + 60 * DAY_MS });
  expect(count).toBe(MANY - 1);
  expect(rows.map(({ vector }) => vector[0])).toEqual(
    Array.from({ length: MANY - 1 }, (_, at) => at),
  );
  expect(pages.length).toBeGreaterThan(2);
  expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(2000);
  const days = rows.map(({ day }) => day * DAY_MS);
  expect(days[0]).toBe(MANY_FROM);
  expect(new Set(days.map((ms) => new Date(ms).getUTCMonth()))).toEqual(new Set([2, 3]));
});

test('readTrainingRows does not see what is labelled while it reads', async () => {
  const found = await readTrainingRows(database, selection, async (reader) => {
    await reader.count(january);
    await testDatabase.sql(
      `insert into labels (transaction_id, created_at, labelled_at, label, source, received_at, batch_id, account_id, merchant_id, client)
         select transaction_id, created_at, $1, 'fraud', 'late', now(), gen_random_uuid(), account_id, 'm', 'default'
           from scores where created_at < $2 and (feature_values(features))[1] = 8`,
      [new Date(JANUARY + 8 * DAY_MS), new Date(JANUARY + DAY_MS)],
    );
    let rows = 0;
    await reader.read(january, false, (page) => {
      rows += page.length;
    });
    return rows;
  });
  expect(found).toBe(7);
  expect((await read(january)).rows).toHaveLength(8);
});

test('readTrainingRows refuses vectors of another length', async () => {
  const ofTwo = `update scores set features = '\\x020000' where created_at < $1`;
  await testDatabase.sql(ofTwo, [new Date(JANUARY + DAY_MS)]);
  await expect(read(january)).rejects.toThrow('a vector of 2 numbers where at least 82');
});
